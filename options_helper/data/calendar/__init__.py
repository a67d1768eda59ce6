"""Sessions and phases, from Alpaca or from the calendar library."""
