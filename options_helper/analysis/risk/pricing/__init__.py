"""Prices, implied volatilities and Greeks of single contracts, computed with QuantLib."""
