"""A recording played again: its clock, and a server on loopback that speaks Alpaca's protocol from it."""

FILE_VARIABLE = "OH_REPLAY"
SPEED_VARIABLE = "OH_REPLAY_SPEED"
AT_VARIABLE = "OH_REPLAY_AT"
ACCOUNT_VARIABLE = "OH_REPLAY_ACCOUNT"
SPEEDS = (0.5, 1.0, 2.0, 4.0, 10.0, 100.0)
