"""The page's words about the streams."""
