"""The valuation of n instruments in one snapshot: prices, marks, ages, states and warnings."""
