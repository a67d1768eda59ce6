"""The contents of one refresh, computed once per change."""
