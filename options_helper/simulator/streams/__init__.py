"""The simulated websocket streams."""
