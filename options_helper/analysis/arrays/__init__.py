"""NumPy and pandas plumbing: typed columns and the tables built from them."""
