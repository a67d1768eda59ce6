"""Recordings of a run: the bytes received and the requests sent, with their times."""

FOLDER_VARIABLE = "OH_RECORD"
RING_VARIABLE = "OH_LAST_MINUTES_MB"

# Shown before anything is written.
CONTENTS = (
    "A recording contains your positions, quantities and prices, your orders and fills, and the text of your "
    "portfolio file. It contains no keys, and account numbers and order ids are replaced."
)
