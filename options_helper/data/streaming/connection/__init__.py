"""One socket, from connect to its typed end."""
