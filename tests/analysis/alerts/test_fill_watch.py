"""Today's fills as alerts see them."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.alerts.fill_watch import watch_fills
from options_helper.analysis.fills.by_position import positions_by_symbol
from options_helper.analysis.fills.day import build_fill_day
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
CALL = {"option_type": "call", "expiry": "2026-12-18", "strike": 250}
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {"id": "call", "symbol": "BRK-B", "contracts": 1, "cost_basis": 1, **CALL},
            {"id": "shares", "symbol": "BRK.B", "shares": 10, "cost_basis": 1},
            {
                "id": "covered",
                "symbol": "BRK.B",
                "legs": [{"side": "long", "shares": 100}, {"side": "short", "contracts": 1, **CALL}],
            },
            {"id": "odd", "symbol": "TOOLONGNAME", "contracts": 1, "cost_basis": 1, **CALL},
        ]
    }
)


def test_a_symbol_belongs_to_every_position_that_holds_it() -> None:
    """Contracts and stocks are keyed by one spelling; terms without a symbol have no key."""
    assert positions_by_symbol(PORTFOLIO) == {
        "BRKB261218C00250000": {"call", "covered"},
        "BRKB": {"shares", "covered"},
    }


def test_a_fill_has_its_positions_time_and_words() -> None:
    """A stock's fill belongs to the shares and to the covered call."""
    row = {
        "timestamp": NOON,
        "event": "fill",
        "order_id": "o",
        "symbol": "BRK.B",
        "side": "buy",
        "qty": 5.0,
        "filled_qty": 5.0,
        "filled_avg_price": 500.0,
        "fill_qty": 5.0,
        "fill_price": 500.0,
        "status": "filled",
        "execution_id": "e",
    }
    (fill,) = watch_fills(PORTFOLIO, build_fill_day(LiveSnapshot(as_of=NOON, fills=(row,))))
    assert (fill.at, fill.positions, fill.text) == (NOON, {"shares", "covered"}, "buy BRK.B 5 @ 500.00")
