"""The broker's account compared with the file: what differs, why, and the money."""
