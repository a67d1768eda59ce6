"""Threads, sockets and the newest state of the market; none of them leaves this package."""
