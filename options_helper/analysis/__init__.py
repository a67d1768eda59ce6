"""Pure functions that compute the page's figures from a portfolio and a snapshot."""
