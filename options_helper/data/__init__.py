"""Connections to Alpaca, over HTTP GET and websockets."""
