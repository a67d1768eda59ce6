"""Threads, sockets and the newest state of the market; none of them is exposed outside this package."""
