"""The account as the text of a portfolio file."""
