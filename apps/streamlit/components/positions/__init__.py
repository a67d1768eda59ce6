"""Positions and totals."""
