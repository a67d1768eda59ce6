"""Risk: the portfolio's Greeks in one line, their sums, scenarios and the curves before expiry."""
