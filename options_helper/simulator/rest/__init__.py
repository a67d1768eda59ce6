"""The simulated REST routes."""
