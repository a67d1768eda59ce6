"""The broker's account compared with the portfolio file: what it holds, since when, and where they differ."""
