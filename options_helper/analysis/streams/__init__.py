"""Facts about a stream: age, lag and clock offset."""
