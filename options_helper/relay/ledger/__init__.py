"""The order messages that JetStream keeps for the readers: a ledger of one Alpaca account."""
