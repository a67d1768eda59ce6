"""Connections to the outside: Alpaca, by HTTP GET and by websocket."""
