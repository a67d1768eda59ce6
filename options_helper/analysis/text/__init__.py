"""How figures, times and trades are written: one writer per kind of figure."""
