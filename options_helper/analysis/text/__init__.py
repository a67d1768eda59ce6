"""Writers of figures, times, trades and CSV cells, one for each kind of figure."""
