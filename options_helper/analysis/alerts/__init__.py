"""Alert rules, and the step from one view to the next."""
