"""The controls that a test has over a running simulator."""
