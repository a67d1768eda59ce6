"""Starting the portal as a safe local server."""
