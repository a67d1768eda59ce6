"""The status line, notes and stream health."""
