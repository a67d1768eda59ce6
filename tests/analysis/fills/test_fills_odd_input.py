"""Records that no broker should send: the day's fills are still built, and stay readable."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.streamlit.components.fills.orders_list import orders_html
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.words import completeness_words
from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from tests.builders import make_fill, rest_fill_row

AT = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
DAY = AT.date()
Json = dict[str, Any]

ids = st.sampled_from(["a", "b", "c", "a/0", "", None, 3])
numbers = st.sampled_from(
    [
        None,
        "",
        "0",
        "1",
        "2",
        "5",
        "-1",
        "1e-9",
        "0.333333333333",
        "999999999999999",
        "1e308",
        "NaN",
        True,
        [],
        {},
    ]
)
times = st.sampled_from(
    [None, "", 1, 10**30, AT.isoformat(), "2026-11-20T15:00:00.123456789Z", "0001-01-01T00:00:00+14:00"]
)
symbols = st.sampled_from(["AAPL261218C00250000", "SPY", "X" * 60, "", None, 5])
words = st.sampled_from(
    [
        "fill",
        "partial_fill",
        "trade_bust",
        "trade_correct",
        "replaced",
        "rejected",
        "moonwalk",
        "",
        None,
        7,
        [],
    ]
)
flat_orders: Json = {
    "id": ids,
    "symbol": symbols,
    "side": st.sampled_from(["buy", "sell", "sideways", "", None]),
    "order_class": st.sampled_from(["mleg", "bracket", "simple", "", None]),
    "status": words,
    **dict.fromkeys(("qty", "filled_qty", "filled_avg_price", "ratio_qty", "limit_price"), numbers),
    **dict.fromkeys(("submitted_at", "updated_at", "replaced_at"), times),
    **dict.fromkeys(("replaced_by", "replaces"), ids),
}
legs = st.lists(st.none() | st.fixed_dictionaries({}, optional=flat_orders), max_size=3)
orders = st.fixed_dictionaries({}, optional={**flat_orders, "legs": st.none() | legs})
updates = st.fixed_dictionaries(
    {"order": st.none() | orders},
    optional={
        "event": words,
        "timestamp": times,
        **dict.fromkeys(("qty", "price", "position_qty"), numbers),
        **dict.fromkeys(("execution_id", "previous_execution_id"), ids),
    },
)
activities = st.fixed_dictionaries(
    {"transaction_time": times},
    optional={
        "symbol": symbols,
        "type": words,
        **dict.fromkeys(("id", "order_id"), ids),
        **dict.fromkeys(("cum_qty", "leaves_qty", "qty", "price"), numbers),
    },
)


def arrays_of(live: list[Json], fills: list[Json] = [], reported: list[Json] = []) -> FillDay:  # noqa: B006 - only read
    """Return the fills of the messages on the wire."""
    return FillDayBuilder().build(
        [row for each in live if (row := normalize_trade_update(each, received_at=AT))],
        [row for each in fills if (row := rest_fill_row(each))],
        [row for each in reported if (row := normalize_rest_order(each))],
        day=DAY,
    )


@given(st.lists(updates, max_size=6), st.lists(activities, max_size=4), st.lists(orders, max_size=3))
@settings(max_examples=50, deadline=None)
def test_no_record_prevents_the_table(live: list[Json], fills: list[Json], reported: list[Json]) -> None:
    """Nonsense causes at most wrong lines; the lists are drawn, and each execution has a unique key."""
    fill_day = arrays_of(live, fills, reported)
    assert len(fill_day.executions) == len({one.key for one in fill_day.executions})
    assert orders_html(fill_day, dt.UTC)
    assert completeness_words(fill_day.completeness, dt.UTC)


def test_an_order_with_an_unknown_time_has_a_dash() -> None:
    """An order that is known only from a bust has a dash in place of its time."""
    fill_day = arrays_of([], [make_fill(1, type="trade_bust", order_id="a", cum_qty="0")])
    assert '<span class="oh-time">\N{EM DASH}</span>' in orders_html(fill_day, dt.UTC)


def test_absurdly_large_figures_affect_no_other_fill() -> None:
    """An absurdly large leg does not affect the next order's fill."""
    leg = {"id": "l", "symbol": "SPY", "side": "buy", "filled_qty": "999999999999999", "ratio_qty": "1e-9"}
    spread = {"id": "a", "order_class": "mleg", "qty": "1", "filled_qty": "1", "legs": [leg]}
    good = {"id": "b", "symbol": "SPY", "side": "buy", "qty": "1", "filled_qty": "1"}
    reported = [{"event": "fill", "qty": "1", "price": "2", "order": order} for order in (spread, good)]
    assert "b:1" in {one.key for one in arrays_of(reported).executions}


LEG = {"id": "l", "symbol": "SPY", "side": "buy", "qty": "1", "filled_qty": "1", "ratio_qty": "1"}
SPREAD = {"id": "a", "order_class": "mleg", "qty": "1", "filled_qty": "1", "legs": [LEG]}
FILLED = {"event": "fill", "execution_id": "x", "qty": "1", "price": "2"}


def test_a_leg_under_two_orders_is_filled_once() -> None:
    """A record that puts one leg under two orders does not double its fill."""
    fill_day = arrays_of([{**FILLED, "order": SPREAD}, {**FILLED, "order": {**SPREAD, "id": "b"}}])
    assert [one.key for one in fill_day.leaf_fills] == ["l:1"]


def test_a_spread_that_once_came_without_its_class_shows_its_legs_once() -> None:
    """Whichever record comes last, the legs appear below their line and nowhere else."""
    reported = [{**FILLED, "order": SPREAD}, {**FILLED, "order": {**SPREAD, "order_class": None}}]
    for updates_told in (reported, reported[::-1]):
        assert [one.key for one in arrays_of(updates_told).executions] == ["a:1", "l:1"]
