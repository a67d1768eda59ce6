"""The broker's account, its history, and its comparison with the portfolio file."""
