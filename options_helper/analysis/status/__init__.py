"""The page's sentences about the streams."""
