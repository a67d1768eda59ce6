"""The user's files besides the portfolio, read and explained."""
