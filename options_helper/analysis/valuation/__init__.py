"""What one snapshot says of n instruments: prices, marks, ages, states and warnings."""
