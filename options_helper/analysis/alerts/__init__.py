"""Alert rules, their readings, and the step from one view to the next."""
