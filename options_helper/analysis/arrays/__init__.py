"""Typed NumPy and pandas columns, and the tables built from them."""
