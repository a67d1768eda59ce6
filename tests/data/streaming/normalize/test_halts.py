"""Trading statuses, read for halts."""

from __future__ import annotations

import datetime as dt

import pytest

from options_helper.data.streaming.normalize.halts import read_halts, still_halted
from options_helper.market import Trade

AT = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("code", "since"), [("2", AT), ("3", None), ("H", AT), ("P", AT), ("T", None), (2, AT)]
)
def test_codes_of_both_tapes_report_a_halt(code: object, since: object) -> None:
    """Halts, pauses and resumptions of both tapes are understood."""
    assert read_halts([{"T": "s", "S": "AAPL", "sc": code, "t": AT}], LATER) == {"AAPL": since}


def test_a_halt_without_a_time_begins_on_receipt() -> None:
    """A status without a time counts from its receipt."""
    assert read_halts([{"S": "AAPL", "sc": "H"}], LATER) == {"AAPL": LATER}


def test_the_newest_status_wins() -> None:
    """A resumption after a halt ends it."""
    assert read_halts([{"S": "AAPL", "sc": "H"}, {"S": "AAPL", "sc": "T"}], AT) == {"AAPL": None}


@pytest.mark.parametrize("status", [None, {}, {"S": "AAPL"}, {"S": "AAPL", "sc": "Q"}, {"S": 3, "sc": "H"}])
def test_statuses_that_do_not_concern_halts_are_skipped(status: object) -> None:
    """Other codes and broken messages neither halt nor resume."""
    assert read_halts([status], AT) == {}


@pytest.mark.parametrize(
    ("trade", "is_halted"),
    [
        (None, True),
        (Trade("AAPL", 1.0), True),
        (Trade("AAPL", 1.0, timestamp=AT + dt.timedelta(seconds=15)), True),
        (Trade("AAPL", 1.0, timestamp=AT + dt.timedelta(seconds=16)), False),
        (Trade("AAPL", 1.0, received_at=AT + dt.timedelta(seconds=16)), False),
    ],
)
def test_a_trade_after_the_halt_ends_it(trade: Trade | None, *, is_halted: bool) -> None:
    """A trade from before the halt does not end it; a trade without a time counts from receipt."""
    trades = {} if trade is None else {"AAPL": trade}
    assert bool(still_halted({"AAPL": AT}, trades)) is is_halted
