"""Threads, sockets and the newest state of the market, none of which leave this package."""
