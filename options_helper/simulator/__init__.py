"""An Alpaca that lives on localhost, for the demo and for integration tests."""
