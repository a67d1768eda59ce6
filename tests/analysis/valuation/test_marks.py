"""The mark rule, row by row, and the states of a quote."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows
from options_helper.analysis.risk.greek_signs import sign_by_position
from options_helper.analysis.streams.clock import correct_clock
from options_helper.analysis.valuation.marks import (
    MARK_METHODS,
    MarkMethod,
    compute_marks,
    compute_natural,
)
from options_helper.analysis.valuation.quote_state import (
    QUOTE_STATES,
    QuoteState,
    RowFacts,
    compute_states,
    is_heard,
)
from options_helper.analysis.valuation.row_warnings import RowWarning, sentences, to_bits, to_lists, to_words
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
    Trade,
)
from options_helper.models import EquityPosition, Portfolio, Position
from options_helper.times import to_microseconds
from tests.builders import AT, single, snapshot

FRIDAY_AFTERNOON = dt.datetime(2026, 11, 20, 20, 30, tzinfo=dt.UTC)
CONTRACT = "AAPL261218C00250000"
SECOND = dt.timedelta(seconds=1)
PRICE = st.none() | st.integers(-50, 1200).map(lambda cents: cents / 100) | st.just(float("inf"))


def mark_of(
    bid: float | None, ask: float | None, last: float | None = None, *, usable: bool = True, **of_shares: bool
) -> tuple[float | None, str, list[str]]:
    """The mark of one quote and trade as (price, method, warnings)."""
    prices = [np.array([np.nan if price is None else price]) for price in (bid, ask, last)]
    marks = compute_marks(*prices, np.array([usable]), **of_shares)
    mark = float(marks.mark[0])
    method = MARK_METHODS[int(marks.methods[0])]
    return None if np.isnan(mark) else mark, method, list(to_words(int(marks.warnings[0])))


def row_of(position: Position | EquityPosition, live: LiveSnapshot) -> tuple[float | None, str]:
    """The mark and method of a position's row."""
    row = compute_live_position_rows(Portfolio(positions=[position]), live, stale_after_seconds=30.0).iloc[0]
    return None if pd.isna(row["mark"]) else float(row["mark"]), str(row["mark_method"])


@pytest.mark.parametrize(
    ("bid", "ask", "mark", "method", "warnings"),
    [
        (1.00, 1.10, 1.05, "mid", []),
        (0.875, 1.125, 1.00, "mid", []),  # exactly 25 %
        (0.87, 1.13, 1.00, "mid", ["wide_spread"]),
        (0.10, 0.60, 0.35, "mid", ["wide_spread"]),  # 143 %, but only 0.50 apart
        (0.10, 0.61, None, "none", ["stub_quote"]),
        (5.00, 14.00, 9.50, "mid", ["wide_spread"]),  # far apart, but under 100 %
        (3.00, 9.00, 6.00, "mid", ["wide_spread"]),  # exactly 100 %
        (2.99, 9.00, None, "none", ["stub_quote"]),
        (0.05, 10.00, None, "none", ["stub_quote"]),
        (0.01, 0.02, 0.015, "mid", ["wide_spread"]),
        (1.25, 1.25, 1.25, "locked", []),
        (0.00, 0.05, 0.025, "half_ask", ["zero_bid"]),
        (0.00, 0.20, 0.10, "half_ask", ["zero_bid"]),
        (0.00, 0.21, None, "none", ["zero_bid"]),
        (2.00, 1.00, None, "none", ["crossed"]),
        (1.01, 1.00, None, "none", ["crossed"]),
        (1.00, None, None, "none", ["missing_ask"]),
        (1.00, 0.00, None, "none", ["missing_ask"]),
        (0.00, 0.00, None, "none", ["missing_ask"]),  # 0 is not an ask: nothing to halve
        (None, 1.00, None, "none", ["missing_bid"]),
        (-1.0, 1.00, None, "none", ["missing_bid"]),
        (1.00, float("inf"), None, "none", ["missing_ask"]),
        (float("nan"), float("nan"), None, "none", ["missing_quote"]),
        (None, None, None, "none", ["missing_quote"]),
    ],
)
def test_each_row_of_the_mark_table(
    bid: float | None, ask: float | None, mark: float | None, method: str, warnings: list[str]
) -> None:
    """Each quote gets the mark, method and warning of its row, even if there is a last trade."""
    price, how, what = mark_of(bid, ask)
    assert price == (None if mark is None else pytest.approx(mark))
    assert (how, what) == (method, warnings)
    if "missing_quote" not in warnings:
        assert mark_of(bid, ask, last=3.10) == (price, how, what)


def test_todays_trade_stands_in_for_an_absent_quote() -> None:
    """Without a quote, today's last trade is the mark, with a warning."""
    assert mark_of(None, None, 3.10) == (3.10, "last", ["missing_quote", "last_trade_mark"])


@pytest.mark.parametrize(
    ("last", "traded_at", "feed"),
    [
        (3.10, AT, "indicative"),
        (3.10, AT - dt.timedelta(days=1), "opra"),
        (3.10, AT - dt.timedelta(hours=10, minutes=1), "opra"),  # 23:59 in New York, the evening before
        (3.10, AT + dt.timedelta(hours=15), "opra"),  # after midnight: no trade of today
        (3.10, None, "opra"),
        (0.0, AT, "opra"),
        (float("inf"), AT, "opra"),
    ],
)
def test_a_trade_that_is_delayed_or_from_another_day_makes_no_mark(
    last: float, traded_at: dt.datetime | None, feed: str
) -> None:
    """A trade makes no mark if it is delayed, is from another day, or lacks its time or price."""
    trade = {CONTRACT: Trade(CONTRACT, last, timestamp=traded_at)}
    assert row_of(single(), snapshot(option_trades=trade, options_feed=feed)) == (None, "none")


def test_a_trade_just_after_midnight_in_new_york_is_todays() -> None:
    """A trade belongs to its New York date."""
    trade = {CONTRACT: Trade(CONTRACT, 3.10, timestamp=AT - dt.timedelta(hours=10))}
    assert row_of(single(), snapshot(option_trades=trade, options_feed="opra")) == (3.10, "last")


@given(st.lists(st.tuples(PRICE, PRICE, PRICE, st.booleans()), min_size=1, max_size=30))
def test_many_rows_are_marked_like_each_by_itself(
    rows: list[tuple[float | None, float | None, float | None, bool]],
) -> None:
    """Many rows get the same marks, methods and warnings as each row alone."""
    bid, ask, last = (np.array([row[n] for row in rows], dtype=float) for n in range(3))
    marks = compute_marks(bid, ask, last, np.array([row[3] for row in rows]))
    for number, (one_bid, one_ask, one_last, usable) in enumerate(rows):
        alone = mark_of(one_bid, one_ask, one_last, usable=usable)
        price = float(marks.mark[number])
        together = (
            None if np.isnan(price) else price,
            MARK_METHODS[int(marks.methods[number])],
            list(to_words(int(marks.warnings[number]))),
        )
        assert together == alone


@given(PRICE, PRICE, PRICE)
def test_a_mark_never_lies_outside_its_quote(
    bid: float | None, ask: float | None, last: float | None
) -> None:
    """For any input, a mark is missing, the last trade, or between bid and ask."""
    price, method, _ = mark_of(bid, ask, last)
    if method == MarkMethod.NONE:
        assert price is None
    elif method == MarkMethod.LAST:
        assert price == last
    else:
        assert price is not None
        assert bid is not None
        assert ask is not None
        assert bid <= price <= ask


def test_the_natural_price_is_the_worse_side_for_its_owner() -> None:
    """Closing a long yields the bid, closing a short costs the ask, and a crossed quote gives neither."""
    bid, ask = np.array([1.0, 1.0, 0.0, 2.0, np.nan]), np.array([1.2, 1.2, 0.1, 1.0, 1.0])
    natural = compute_natural(bid, ask, np.array([3, -3, 1, 1, 1], dtype=float))
    np.testing.assert_array_equal(natural, [1.0, 1.2, 0.0, np.nan, np.nan])


def test_every_warning_has_a_sentence_and_survives_its_bits() -> None:
    """Each warning has its own sentence, and converting to bits and back changes nothing."""
    assert len({warning.sentence for warning in RowWarning}) == len(RowWarning)
    assert all(warning.sentence.endswith(".") for warning in RowWarning)
    everything = [warning.value for warning in RowWarning]
    assert list(to_words(to_bits(everything))) == everything
    column = to_lists(np.array([0, RowWarning.CROSSED.bit, 0]))
    assert column.tolist() == [[], ["crossed"], []]


def test_sentences_pass_an_unknown_word_through() -> None:
    """An unknown warning is shown as it is."""
    assert sentences(["crossed", "from elsewhere"]) == [RowWarning.CROSSED.sentence, "from elsewhere"]


def state_of(
    age: float,
    live: LiveSnapshot,
    *,
    stock: bool = False,
    late: bool = False,
    expired: bool = False,
    not_subscribed: bool = False,
    halted: bool = False,
    has_price: bool = True,
    streamed_at: dt.datetime | None = None,
    dated_at: dt.datetime | None = None,
) -> QuoteState:
    """The state of one row at a threshold of 30 s."""
    standing = RowFacts(
        *(np.array([flag]) for flag in (stock, late, expired, not_subscribed, halted, has_price)),
        streamed_at=np.array([to_microseconds(streamed_at)]),
        dated_at=np.array([to_microseconds(dated_at or AT)]),
    )
    return QUOTE_STATES[int(compute_states(np.array([age]), standing, live, 30.0)[0])]


def heard(
    seconds_ago: float, state: str = StreamState.RUNNING, phase: str = MarketPhase.OPEN
) -> LiveSnapshot:
    """Return a snapshot whose option stream was last heard this long ago."""
    health = StreamHealth(
        StreamName.OPTIONS, StreamState(state), last_heard_at=AT - dt.timedelta(seconds=seconds_ago)
    )
    return LiveSnapshot(as_of=AT, health={StreamName.OPTIONS: health}, market_phase=phase)


def test_a_proof_of_life_does_not_extend_back_past_an_opening() -> None:
    """At 09:30:40, a quote from before the opening is from yesterday or stale, and a later one is quiet."""
    opened = AT - dt.timedelta(seconds=40)
    live = replace(heard(1), session_open=opened)
    yesterday, today = opened - dt.timedelta(hours=17), opened + dt.timedelta(seconds=5)
    assert state_of(61_240, live, dated_at=yesterday) == QuoteState.FROM_YESTERDAY
    assert state_of(100, live, dated_at=opened - dt.timedelta(minutes=1)) == QuoteState.STALE
    assert state_of(35, live, dated_at=today) == QuoteState.QUIET
    before = replace(live, session_open=AT + dt.timedelta(hours=1))
    assert state_of(61_240, before, dated_at=yesterday) == QuoteState.QUIET, "that opening is still to come"


def test_without_any_knowledge_of_the_market_the_age_decides() -> None:
    """Without facts about the market, a quote is live or stale by its age."""
    bare = LiveSnapshot(as_of=AT)
    assert state_of(30.0, bare) == QuoteState.LIVE
    assert state_of(30.1, bare) == QuoteState.STALE
    assert state_of(np.nan, bare) == QuoteState.STALE


def test_quiet_needs_an_open_market_and_a_stream_heard_in_the_last_ten_seconds() -> None:
    """An old quote is quiet only if its stream is proven alive."""
    assert state_of(60, heard(10)) == QuoteState.QUIET
    assert state_of(60, heard(10.5)) == QuoteState.STALE
    assert state_of(60, heard(1, phase=MarketPhase.UNKNOWN)) == QuoteState.STALE
    assert state_of(60, LiveSnapshot(as_of=AT, market_phase=MarketPhase.OPEN)) == QuoteState.STALE
    assert state_of(60, heard(1), stock=True) == QuoteState.STALE, "the stock stream was not heard"
    assert state_of(np.nan, heard(1)) == QuoteState.STALE, "an unknown age proves nothing"


def connected(seconds_ago: float, complete: float | None = None, **more: object) -> LiveSnapshot:
    """Return a snapshot with an option stream acknowledged this long ago, and REST's quotes of that time."""
    live = heard(1, **more)  # type: ignore[arg-type]
    record = replace(
        live.health[StreamName.OPTIONS],
        connected_at=AT - seconds_ago * SECOND,
        complete_at=None if complete is None else AT - complete * SECOND,
    )
    return replace(live, health={StreamName.OPTIONS: record})


@pytest.mark.parametrize(
    ("complete", "streamed", "state"),
    [
        (None, 51, "stale"),  # received before the loss, so it may have changed since
        (None, 49, "quiet"),
        (None, None, "stale"),  # from REST, at an unknown time relative to the acknowledgement
        (51, None, "stale"),
        (51, 600, "stale"),
        (50, 600, "quiet"),
        (49, None, "quiet"),
    ],
)
def test_quiet_needs_a_stream_that_missed_no_change(
    complete: float | None, streamed: float | None, state: str
) -> None:
    """A quote is quiet only if it came on the current connection, or if REST has reported since."""
    live = connected(50, complete)
    at = None if streamed is None else AT - streamed * SECOND
    assert state_of(600, live, streamed_at=at) == state
    assert state_of(1, live, streamed_at=at) == QuoteState.LIVE


@pytest.mark.parametrize(
    ("complete", "streamed", "state"),
    [
        (49, None, "stale"),  # REST was asked before the loss
        (49, 41, "stale"),
        (30, 41, "quiet"),
        (49, 39, "quiet"),  # a newer one came after the loss
        (None, 39, "quiet"),
    ],
)
def test_a_lost_message_ends_every_proof_that_came_before_it(
    complete: float | None, streamed: float | None, state: str
) -> None:
    """A dropped or unreadable message may be a change, so only later quotes and answers are proof."""
    live = connected(50, complete)
    record = replace(live.health[StreamName.OPTIONS], lost_at=AT - 40 * SECOND)
    at = None if streamed is None else AT - streamed * SECOND
    assert state_of(600, replace(live, health={StreamName.OPTIONS: record}), streamed_at=at) == state


def test_nothing_is_quiet_before_the_stream_is_acknowledged() -> None:
    """During the handshake, the stream is heard, but that proves nothing about a quote from REST."""
    assert state_of(60, heard(1, StreamState.CONNECTING)) == QuoteState.STALE


def test_nothing_is_quiet_on_a_stream_that_is_behind() -> None:
    """Quotes that are older than the threshold on arrival are stale, although the stream is heard."""
    assert state_of(60, lagging(29.9)) == QuoteState.QUIET
    assert state_of(60, lagging(30.1)) == QuoteState.STALE
    assert state_of(60, lagging(90.1), stock=True) == QuoteState.STALE, "the stock stream was not heard"


def test_a_fast_clock_is_not_mistaken_for_a_late_stream() -> None:
    """If 60 s of a lag of 61 s are due to this computer's clock, the stream is up to date."""
    assert state_of(60, correct_clock(replace(lagging(61), clock_offset_seconds=60.0))) == QuoteState.QUIET
    assert state_of(60, correct_clock(replace(lagging(61), clock_offset_seconds=2.0))) == QuoteState.STALE, (
        "tolerated"
    )


def lagging(seconds: float) -> LiveSnapshot:
    """Return a snapshot whose option stream is heard, with this lag."""
    live = heard(1)
    late = replace(live.health[StreamName.OPTIONS], lag_seconds=seconds)
    return replace(live, health={StreamName.OPTIONS: late})


@pytest.mark.parametrize("state", [StreamState.RECONNECTING, StreamState.ERROR, StreamState.STOPPED])
def test_a_stream_that_has_ended_is_not_heard(state: StreamState) -> None:
    """A message just before the stream ended does not make a quote quiet."""
    assert not is_heard(heard(1, state), StreamName.OPTIONS)
    assert state_of(60, heard(1, state)) == QuoteState.STALE


@pytest.mark.parametrize(
    ("state", "seconds_ago", "expected"),
    [
        (StreamState.RECONNECTING, 5.0, "live"),  # most interruptions are shorter
        (StreamState.RECONNECTING, 5.1, "stale"),
        (StreamState.RUNNING, 5.1, "live"),
        (StreamState.ERROR, 0.0, "stale"),
    ],
)
def test_nothing_is_live_on_a_stream_that_is_lost(
    state: StreamState, seconds_ago: float, expected: str
) -> None:
    """However young a price is, it is not live once its stream has been away for 5 s."""
    assert state_of(1, heard(seconds_ago, state)) == expected


@pytest.mark.parametrize(
    ("phase", "option", "stock", "late"),
    [
        (MarketPhase.PRE, "closed", "live", "closed"),
        (MarketPhase.OPEN, "live", "live", "live"),
        (MarketPhase.AFTER, "closed", "live", "live"),
        (MarketPhase.CLOSED, "closed", "closed", "closed"),
    ],
)
def test_outside_the_session_only_what_still_trades_is_live(
    phase: str, option: str, stock: str, late: str
) -> None:
    """Options are closed outside the session, some products later, and stocks after extended hours."""
    live = heard(1, phase=phase)
    assert (state_of(1, live), state_of(1, live, stock=True), state_of(1, live, late=True)) == (
        option,
        stock,
        late,
    )
    if phase != MarketPhase.OPEN:
        assert state_of(3600, live, stock=True) == QuoteState.CLOSED


def test_states_have_an_order_of_precedence() -> None:
    """Expired comes before not subscribed, halted, no data, and every age, in this order."""
    live = heard(1)
    assert state_of(1, live, has_price=False) == QuoteState.NO_DATA
    assert state_of(1, live, has_price=False, halted=True) == QuoteState.HALTED
    assert state_of(1, live, halted=True, not_subscribed=True) == QuoteState.NOT_SUBSCRIBED
    assert state_of(1, live, not_subscribed=True, expired=True) == QuoteState.EXPIRED


@pytest.mark.parametrize(
    ("bid", "ask", "last", "recent", "mark", "method"),
    [
        (99.99, 100.01, None, False, 100.0, "mid"),
        (180.0, 230.0, 190.02, True, 190.02, "last"),
        (180.0, 230.0, 190.02, False, None, "none"),
        (180.0, 230.0, 179.0, True, None, "none"),
        (0.0, 0.05, None, False, None, "none"),
    ],
)
def test_quotes_of_shares_follow_the_rule_for_shares(
    bid: float, ask: float, last: float | None, recent: bool, mark: float | None, method: str
) -> None:
    """A share's mark needs a spread within 1 %, or a recent trade inside the quote."""
    price, how, _ = mark_of(bid, ask, last, is_share=True, last_is_recent=recent)
    assert (price, how) == (None if mark is None else pytest.approx(mark), method)


@pytest.mark.parametrize(
    ("now", "phase", "mark"),
    [
        (FRIDAY_AFTERNOON + 299 * SECOND, MarketPhase.OPEN, 190.02),
        (FRIDAY_AFTERNOON + 301 * SECOND, MarketPhase.OPEN, None),
        (FRIDAY_AFTERNOON + dt.timedelta(hours=20), MarketPhase.CLOSED, 190.02),  # a Saturday
    ],
)
def test_a_trade_of_shares_is_recent_by_the_trading_day(
    now: dt.datetime, phase: MarketPhase, mark: float | None
) -> None:
    """A share's trade is recent for five minutes in an open market; on Saturday, Friday's is recent."""
    shares = EquityPosition(id="s", symbol="AAPL", shares=100, cost_basis=150.0)
    at = FRIDAY_AFTERNOON
    live = snapshot(
        as_of=now,
        market_phase=phase,
        trading_date=at.date(),
        stock_quotes={"AAPL": Quote("AAPL", 180.0, 230.0, 1, 1, at, at)},
        stock_trades={"AAPL": Trade("AAPL", 190.02, 1, at, at)},
    )
    assert row_of(shares, live) == (mark, "none" if mark is None else "last")


def test_the_greeks_are_signed_by_position() -> None:
    """A short put gains from a rise and from time, and no zero is negative."""
    of_long = {"delta": -0.3, "gamma": 0.02, "theta": -0.1, "vega": 0.0}
    both = {name: np.array([value, value]) for name, value in of_long.items()}
    signed = sign_by_position(both, np.array([2.0, -2.0]))
    assert {name: values.tolist() for name, values in signed.items()} == {
        "delta": [-0.3, 0.3], "gamma": [0.02, -0.02], "theta": [-0.1, 0.1], "vega": [0.0, 0.0],
    }  # fmt: skip
    assert not np.signbit(signed["vega"]).any()
