"""One set of streams from Start to Stop."""
