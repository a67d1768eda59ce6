"""The live streams: their threads, their sockets, and the newest data, behind `LiveStreamManager`."""
