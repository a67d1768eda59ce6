"""The portfolio as arrays, and doubts about its positions."""
