"""The launcher, which starts the portal as a safe local server."""
