"""One per process: the shared streams, their browser sessions, and everything that accumulates."""
