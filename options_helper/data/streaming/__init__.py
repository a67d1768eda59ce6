"""Threads, sockets and the newest state of the market; nothing of them leaves this package."""
