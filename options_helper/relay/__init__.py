"""One connection to Alpaca for many readers, over NATS."""

RELAY_VARIABLE = "OH_RELAY"  # the address of NATS
