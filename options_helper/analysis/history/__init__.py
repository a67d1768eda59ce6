"""The day's curves of P/L and marks, and the observations they are made from."""
