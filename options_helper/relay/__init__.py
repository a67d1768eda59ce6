"""One connection to Alpaca for many readers, over NATS."""
