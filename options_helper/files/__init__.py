"""The user's files other than the portfolio, read and explained."""
