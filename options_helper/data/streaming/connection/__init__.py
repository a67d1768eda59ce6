"""One connection, from the handshake to its typed end."""
