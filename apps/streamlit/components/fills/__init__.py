"""Fills and orders."""
