"""The day's fills and orders."""
