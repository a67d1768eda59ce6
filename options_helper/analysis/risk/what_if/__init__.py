"""The value and P/L of a selection of legs at other prices, dates and volatilities."""
