"""Connections to the outside: Alpaca, over HTTP GET and websocket."""
