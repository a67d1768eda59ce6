"""Corrected and cancelled trades."""

from __future__ import annotations

from typing import Any

import pytest

from options_helper.data.streaming.normalize.corrections import read_corrections
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.market import StreamName, Trade

CANCEL = {"T": "x", "S": "AAPL", "i": 7, "p": 255.1, "s": 100, "a": "C"}
CORRECTED = {"T": "c", "S": "AAPL", "oi": 7, "op": 255.1, "os": 100, "ci": 8, "cp": 251.1, "cs": 90}


@pytest.mark.parametrize(
    ("message", "last"),
    [
        (CANCEL, None),
        (CORRECTED, (251.1, 90.0)),
        ({**CANCEL, "p": 200.0}, (255.1, 100.0)),
        ({**CORRECTED, "os": 5}, (255.1, 100.0)),
        ({**CANCEL, "p": "x"}, (255.1, 100.0)),
        (None, (255.1, 100.0)),
    ],
    ids=["cancelled", "corrected", "another price", "another size", "unreadable", "no message"],
)
def test_a_withdrawn_trade_is_not_the_last(message: Any, last: tuple[float, float] | None) -> None:
    """A cancelled trade leaves no last price, and a corrected one its new price; another trade stays."""
    cache = LiveCache(["AAPL"])
    cache.apply_stocks((), [Trade("AAPL", 255.1, 100.0)])
    cache.apply_corrections(StreamName.STOCKS, read_corrections([message]))
    trade = cache.state.stock_trades.get("AAPL")
    assert (trade and (trade.price, trade.size)) == last
