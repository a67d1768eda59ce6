"""What a test can do to a running simulator."""
