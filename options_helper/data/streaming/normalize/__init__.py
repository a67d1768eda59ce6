"""Converts vendor messages into our records."""
