"""Names and payoffs of structures."""
