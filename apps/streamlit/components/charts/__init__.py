"""Charts of P/L: over the day, by underlying, by price, and over a recording."""
