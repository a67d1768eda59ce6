"""The broker's account beside the file: what differs, why, and the money."""
