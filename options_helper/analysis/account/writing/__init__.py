"""Writing an account as a portfolio file."""
