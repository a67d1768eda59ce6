"""The market data under one name: the records of `market_records` and the snapshot of `snapshot`."""

from options_helper.market_records import (
    BrokerPosition,
    Greeks,
    MarketPhase,
    PreviousClose,
    Quote,
    Trade,
)
from options_helper.snapshot import (
    NO_UNREADABLE_ROWS,
    FillGap,
    LiveSnapshot,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
    UnreadableRows,
)

__all__ = [
    "NO_UNREADABLE_ROWS",
    "BrokerPosition",
    "FillGap",
    "Greeks",
    "LiveSnapshot",
    "MarketPhase",
    "PreviousClose",
    "Quote",
    "StreamFailure",
    "StreamHealth",
    "StreamName",
    "StreamState",
    "Trade",
    "UnreadableRows",
]
