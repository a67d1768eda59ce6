"""One per process: the shared set of streams, who watches it, and what accumulates."""
