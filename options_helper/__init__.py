"""A read-only live view of an options portfolio."""

__version__ = "0.1.0"
