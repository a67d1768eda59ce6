"""The risk that a process computes for all its readers, and the processes that compute it."""
