"""The detail of one position."""
