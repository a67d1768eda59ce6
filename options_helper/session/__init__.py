"""Process-wide objects: the shared streams, their browser sessions, and all state that accumulates."""
