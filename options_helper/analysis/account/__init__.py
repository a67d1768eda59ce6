"""The broker's account beside the portfolio file: what it holds, since when, and where the two differ."""
