"""The inputs of a run of the page: files, settings, session."""
