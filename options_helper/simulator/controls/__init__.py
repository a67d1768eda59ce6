"""Controls of a running simulator, for tests."""
