"""What one refresh shows, computed once per change."""
