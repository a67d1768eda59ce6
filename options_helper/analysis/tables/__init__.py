"""From a valuation to the tables and totals of the page."""
