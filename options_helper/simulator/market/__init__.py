"""Simulated prices."""
