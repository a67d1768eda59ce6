"""The portfolio as arrays."""
