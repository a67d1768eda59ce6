"""The page's inputs: files, settings and the browser session."""
