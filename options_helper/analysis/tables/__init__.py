"""The tables and totals of the page, computed from a valuation."""
