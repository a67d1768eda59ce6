"""What the page says about the streams."""
