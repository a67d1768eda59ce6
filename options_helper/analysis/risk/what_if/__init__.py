"""The value of a selection of legs at other prices, dates and volatilities."""
