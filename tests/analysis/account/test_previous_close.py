"""The previous close: the broker's where it holds the symbol, else a true close, else none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from options_helper.analysis.account.day_result import day_of
from options_helper.analysis.account.previous_close import ChosenClose, CloseSource, choose_close
from options_helper.market import BrokerFill, BrokerPosition, LiveSnapshot, PreviousClose

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
BEFORE = dt.date(2026, 11, 19)
CALL = "AAPL261218C00250000"
LATE = dt.datetime(2026, 11, 19, 20, 40, tzinfo=dt.UTC)  # 15:40 in New York
EARLY = dt.datetime(2026, 11, 19, 15, 0, tzinfo=dt.UTC)


def live(close: PreviousClose | None, broker: float | None = None) -> LiveSnapshot:
    """A snapshot with a daily close, and with a position that reports its own."""
    position = BrokerPosition(CALL, 2.0, 3.0, 600.0, 2.0, broker)
    return LiveSnapshot(
        as_of=NOW,
        previous_trading_date=BEFORE,
        previous_closes={} if close is None else {CALL: close},
        broker_positions={} if broker is None else {CALL: position},
    )


@pytest.mark.parametrize(
    ("close", "broker", "chosen"),
    [
        (PreviousClose(1.5, BEFORE, 9, LATE), 2.5, ChosenClose(Decimal("2.5"), CloseSource.BROKER)),
        (PreviousClose(1.5, BEFORE, 9, LATE), None, ChosenClose(Decimal("1.5"), CloseSource.DAY)),
        (PreviousClose(1.5, BEFORE, 9), None, ChosenClose(Decimal("1.5"), CloseSource.DAY)),
        (PreviousClose(1.5, BEFORE, 9, EARLY), None, None),
        (PreviousClose(1.5, BEFORE, 1), None, None),
        (PreviousClose(1.5, BEFORE - dt.timedelta(days=1), 9, LATE), None, None),
        (None, None, None),
    ],
)
def test_the_first_close_that_applies_is_used(
    close: PreviousClose | None, broker: float | None, chosen: ChosenClose | None
) -> None:
    """The rows of the table in the function's docstring, from top to bottom."""
    assert choose_close(CALL, live(close, broker)) == chosen


def test_the_day_takes_todays_executions_only() -> None:
    """Yesterday's execution belongs to the quantity at the start; without the history there is no day."""
    fills = [
        BrokerFill(symbol=CALL, quantity=Decimal(1), price=Decimal(2), at=at, order_id="o")
        for at in (LATE, NOW)
    ]
    seen = LiveSnapshot(
        as_of=NOW,
        previous_trading_date=BEFORE,
        broker_positions={CALL: BrokerPosition(CALL, 2.0, 3.0, 600.0, 2.0, 2.5)},
        broker_positions_at=NOW,
        broker_fills=fills,
        broker_history_since=BEFORE,
    )
    day = day_of(seen)
    assert day is not None
    # Held at the start: 1 at 2.50, now 3.00; bought today: 1 at 2.00.
    assert (day.known, day.complete) == (50 + 100, True)
    assert day_of(LiveSnapshot(broker_positions_at=NOW)) is None
