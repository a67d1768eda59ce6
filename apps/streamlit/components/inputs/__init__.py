"""What a run of the page starts from: files, settings, session."""
