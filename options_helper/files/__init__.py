"""What the user writes beside the portfolio, read and explained."""
