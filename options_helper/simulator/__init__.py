"""An Alpaca on localhost, for the demo and for integration tests."""
