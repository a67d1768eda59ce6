"""Whether and when a stream connects again."""
