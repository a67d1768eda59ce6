"""Re-exports the records of `market_records` and `order_rows`, and the snapshot of `snapshot`."""

from options_helper.market_records import (
    Betas,
    BrokerAccount,
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    CashChange,
    Dividend,
    EventKind,
    Greeks,
    MarketPhase,
    PreviousClose,
    Quote,
    Split,
    Trade,
    is_unsure,
)
from options_helper.order_rows import NO_UNREADABLE_ROWS, FillGap, UnreadableRows
from options_helper.snapshot import (
    LiveSnapshot,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
)

__all__ = [
    "NO_UNREADABLE_ROWS",
    "Betas",
    "BrokerAccount",
    "BrokerEvent",
    "BrokerFill",
    "BrokerPosition",
    "CashChange",
    "Dividend",
    "EventKind",
    "FillGap",
    "Greeks",
    "LiveSnapshot",
    "MarketPhase",
    "PreviousClose",
    "Quote",
    "Split",
    "StreamFailure",
    "StreamHealth",
    "StreamName",
    "StreamState",
    "Trade",
    "UnreadableRows",
    "is_unsure",
]
