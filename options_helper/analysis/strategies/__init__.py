"""The names and payoffs of structures, and the portfolio's worst loss at expiry."""
