"""Ages of prices, their lag on arrival, and the correction for a wrong clock."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows
from options_helper.analysis.streams.ages import compute_ages, compute_lags, stream_lag
from options_helper.analysis.streams.clock import correct_clock
from options_helper.market import LiveSnapshot, Quote, StreamHealth, StreamName, Trade
from options_helper.models import Portfolio
from options_helper.times import to_microseconds
from tests.builders import single

if TYPE_CHECKING:
    import pandas as pd

AT = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)  # a Monday, 10:00 in New York
SECOND = dt.timedelta(seconds=1)
CALL = "AAPL261218C00250000"
PORTFOLIO = Portfolio(positions=[single(contracts=1, cost_basis=1)])


def micro(*moments: dt.datetime | None) -> np.ndarray:
    """Return times as the tables hold them."""
    return np.array([to_microseconds(moment) for moment in moments])


@pytest.mark.parametrize(
    ("stamped", "received", "age", "skewed"),
    [
        (AT - 5 * SECOND, AT - 4 * SECOND, 5.0, False),  # from the event, not from receipt
        (AT - 5 * SECOND, None, 5.0, False),
        (None, AT - 4 * SECOND, 4.0, False),
        (None, None, np.nan, False),
        (AT + SECOND, AT, 0.0, False),  # within the tolerance: never negative
        (AT + SECOND, None, 0.0, False),
        (AT + 5 * SECOND, AT - SECOND, 1.0, True),
        (AT - 30 * SECOND, AT - 40 * SECOND, 40.0, True),  # an old quote does not look younger
        (AT + 5 * SECOND, None, np.nan, True),
        (AT + 5 * SECOND, AT + 5 * SECOND, np.nan, True),
        (AT - SECOND, AT - 3 * SECOND, 1.0, False),
        (None, AT + 5 * SECOND, np.nan, False),
    ],
)
def test_an_age_is_never_negative_and_never_flattering(
    stamped: dt.datetime | None, received: dt.datetime | None, age: float, skewed: bool
) -> None:
    """Ages count from the event, or from receipt if the event is in the future, or are unknown."""
    ages = compute_ages(LiveSnapshot(as_of=AT), micro(stamped), micro(received))
    np.testing.assert_array_equal(ages.seconds, [age])
    assert ages.skewed.tolist() == [skewed]


def test_lag_is_receipt_minus_event_and_unknown_for_rest() -> None:
    """A first quote from REST has no lag, because it was fetched on request."""
    stamped = micro(AT - 3 * SECOND, AT - 3 * SECOND, None, AT)
    received = micro(AT, AT, AT, None)
    lags = compute_lags(stamped, received, np.array([False, True, False, False]))
    np.testing.assert_array_equal(lags, [3.0, np.nan, np.nan, np.nan])


def row(offset: float | None, **prices: Any) -> pd.Series[Any]:
    """Return the call's row at 10:00:00 by this computer's clock, which is this many seconds ahead."""
    live = correct_clock(LiveSnapshot(as_of=AT, market_phase="open", clock_offset_seconds=offset, **prices))
    return compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=30).iloc[0]


def quoted(stamped: dt.datetime, received: dt.datetime | None = None) -> dict[str, Any]:
    """One quote of the call."""
    return {"option_quotes": {CALL: Quote(CALL, 2.0, 2.1, 1, 1, stamped, received)}}


def test_a_clock_that_is_ahead_makes_no_quote_older() -> None:
    """With a clock a minute ahead, a quote received 61 s after its time is 3 s old, with 1 s of lag."""
    seen = row(60.0, **quoted(AT - 63 * SECOND, AT - 2 * SECOND))
    assert (seen["quote_age_seconds"], seen["lag_seconds"], seen["state"]) == (3.0, 1.0, "live")
    assert seen["warnings"] == []
    unknown = row(None, **quoted(AT - 63 * SECOND, AT - 2 * SECOND))
    assert (unknown["quote_age_seconds"], unknown["state"]) == (63.0, "stale"), "without a second clock"


def test_a_clock_that_is_behind_makes_no_quote_younger() -> None:
    """With a clock a minute behind, a quote dated 20 s ahead is 40 s old and stale."""
    seen = row(-60.0, **quoted(AT + 20 * SECOND, AT - 39 * SECOND))
    assert (seen["quote_age_seconds"], seen["lag_seconds"], seen["state"]) == (40.0, 1.0, "stale")
    assert seen["warnings"] == ["stale_quote"], "no price is dated in the future by Alpaca's clock"


def test_a_trade_and_a_missing_receipt_are_corrected_alike() -> None:
    """A last trade's age counts by Alpaca's clock; a missing receipt stays missing."""
    trade = {"option_trades": {CALL: Trade(CALL, 2.0, 1, AT - 70 * SECOND)}}
    assert row(60.0, **trade)["mark_age_seconds"] == 10.0
    assert np.isnan(row(60.0, **quoted(AT - 63 * SECOND))["lag_seconds"])


@pytest.mark.parametrize("from_rest", [False, True])
def test_an_answer_that_a_quote_refutes_makes_nothing_younger(from_rest: bool) -> None:
    """An answer from Alpaca's clock is ignored if a quote that arrived 1 s after its time contradicts it."""
    quote = Quote(CALL, 2.0, 2.1, 1, 1, AT - 43 * SECOND, AT - 42 * SECOND, from_rest)
    seen = row(60.0, option_quotes={CALL: quote})
    assert (seen["quote_age_seconds"], seen["state"]) == (43.0, "stale")
    assert seen["warnings"] == ["stale_quote"]
    other = Quote("AAPL", 270.0, 270.1, 1, 1, AT - 2 * SECOND, AT - SECOND)
    seen = row(60.0, stock_quotes={"AAPL": other}, **quoted(AT - 63 * SECOND, AT - 2 * SECOND))
    assert seen["quote_age_seconds"] == 63.0, "one quote of any symbol is enough"


@pytest.mark.parametrize("offset", [-2.0, 0.0, 2.0])
def test_a_difference_within_the_tolerance_corrects_nothing(offset: float) -> None:
    """A difference of two seconds corrects nothing, because it may be network delay."""
    assert row(offset, **quoted(AT - 5 * SECOND, AT - SECOND))["quote_age_seconds"] == 5.0


def test_a_streams_lag_is_by_alpacas_clock() -> None:
    """With a clock a minute ahead, a median lag of 61.5 s is really 1.5 s; without quotes, it is unknown."""
    health = {StreamName.OPTIONS: StreamHealth(StreamName.OPTIONS, lag_seconds=61.5)}
    live = correct_clock(LiveSnapshot(as_of=AT, health=health, clock_offset_seconds=60.0))
    assert stream_lag(live, StreamName.OPTIONS) == 1.5
    assert stream_lag(live, StreamName.STOCKS) is None
