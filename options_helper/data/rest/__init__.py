"""Alpaca over REST, GET only."""
