"""Prices, implied volatility and Greeks of single contracts, by QuantLib."""
