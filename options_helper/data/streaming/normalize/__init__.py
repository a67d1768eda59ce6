"""From vendor messages to our records."""
