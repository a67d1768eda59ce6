"""One snapshot's view of n instruments: prices, marks, ages, states and warnings."""
