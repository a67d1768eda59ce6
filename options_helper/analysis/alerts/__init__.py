"""Alert rules, the readings they compare, and the step from one view to the next."""
