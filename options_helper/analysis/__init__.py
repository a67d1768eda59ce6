"""Pure functions from a portfolio and a snapshot to the figures of the page."""
