"""The decision to reconnect, and its timing."""
