"""A test's controls of a running simulator."""
