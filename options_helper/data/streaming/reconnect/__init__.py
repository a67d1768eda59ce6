"""The decision to connect again, and its timing."""
