"""The layout of the pages."""
