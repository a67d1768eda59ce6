"""Sessions and phases: Alpaca's, or the calendar library's."""
