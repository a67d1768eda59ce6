"""Formats figures, times and trades: one writer per kind of figure."""
