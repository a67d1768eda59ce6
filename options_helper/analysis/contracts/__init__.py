"""Facts about option products: roots, settlement, expiry."""
