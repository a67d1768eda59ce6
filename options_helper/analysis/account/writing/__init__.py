"""The account written as a portfolio file."""
