"""Positions, quotes, snapshots and REST rows that many tests build."""

from __future__ import annotations

import datetime as dt
from typing import Any

from options_helper.data.account.activities import read_activity
from options_helper.data.streaming.trading_normalizers import execution_row
from options_helper.market import BrokerFill, LiveSnapshot, Quote
from options_helper.models import Leg, MultiLegPosition, Position
from options_helper.order_rows import OrderRow

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)  # a Friday, 10:00 in New York
AT = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)  # a Monday, 10:00 in New York
FRIDAY = dt.date(2026, 11, 20)
DEC, JAN = dt.date(2026, 12, 18), dt.date(2027, 1, 15)
CALL = "AAPL261218C00250000"


def single(**changes: Any) -> Position:
    """Return three long AAPL 250 calls for 18.40, with these changes."""
    terms = {
        "id": "a", "symbol": "AAPL", "option_type": "call", "expiry": DEC, "strike": 250.0,
        "contracts": 3, "cost_basis": 18.40,
    }  # fmt: skip
    return Position(**{**terms, **changes})


def leg(side: str, option_type: str, strike: float, contracts: int = 1, expiry: dt.date = DEC) -> Leg:
    """Return a leg of a structure on AAPL."""
    return Leg(side=side, option_type=option_type, strike=strike, contracts=contracts, expiry=expiry)


def vertical(**changes: Any) -> MultiLegPosition:
    """Return one long 250/260 call vertical for $400."""
    terms: dict[str, Any] = {
        "id": "v", "symbol": "AAPL", "net_debit": 400.0,
        "legs": [leg("long", "call", 250), leg("short", "call", 260)],
    }  # fmt: skip
    return MultiLegPosition(**{**terms, **changes})


def quote(symbol: str, bid: float | None, ask: float | None, ago: float = 1.0, at: dt.datetime = AT) -> Quote:
    """Return a quote this many seconds old."""
    stamp = at - dt.timedelta(seconds=ago)
    return Quote(symbol, bid, ask, 10, 12, stamp, stamp)


def snapshot(*quotes: Quote, **changes: Any) -> LiveSnapshot:
    """Return a snapshot with these option quotes."""
    return LiveSnapshot(**{"as_of": AT, "option_quotes": {each.symbol: each for each in quotes}, **changes})


def make_order(order_id: str, **changes: object) -> dict[str, Any]:
    """Return an order as REST sends it."""
    return {
        "id": order_id,
        "symbol": CALL,
        "side": "buy",
        "qty": "5",
        "filled_qty": "0",
        "status": "new",
        "submitted_at": "2026-11-20T14:31:00Z",
        "updated_at": "2026-11-20T14:31:00Z",
        **changes,
    }


def make_fill(number: int, **changes: object) -> dict[str, Any]:
    """Return a FILL as REST sends it, one a second."""
    at = NOW - dt.timedelta(minutes=20) + dt.timedelta(seconds=number)
    return {
        "activity_type": "FILL",
        "id": f"a{number:05}",
        "order_id": "o1",
        "cum_qty": str(number + 1),
        "leaves_qty": "0",
        "qty": "1",
        "price": "1.62",
        "symbol": CALL,
        "side": "buy",
        "type": "fill",
        "transaction_time": at.isoformat(),
        **changes,
    }


def make_event(**changes: Any) -> dict[str, Any]:
    """Return an expiry on a Friday, as Alpaca lists it."""
    event = {"activity_type": "OPEXP", "id": "1", "symbol": "AAPL261120C00250000", "qty": "-1"}
    return {**event, "date": "2026-11-20", "net_amount": "0", "status": "executed", **changes}


def rest_fill_row(activity: object) -> OrderRow | None:
    """Return a FILL from REST as a row, as the product reads it; None for anything else."""
    fill = read_activity(activity)
    return execution_row(fill) if isinstance(fill, BrokerFill) else None
