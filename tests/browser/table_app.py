"""The positions table alone, fed with invented prices that move at every refresh.

Query: `n` further positions · `frozen=1` for prices that stand still · `age` of the quotes in seconds ·
`raised` alerts · `files=2` for a choice of another file · `moving` contracts, if not all · `reports=1` for a
browser that reports which rows it has, `reports=ahead` for one that reports rows it does not have.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import streamlit as st

from apps.streamlit.components.positions.table import (
    build_table_rows,
    chosen_columns,
    chosen_grouping,
    chosen_row,
    hide_columns,
    regroup,
    render,
)
from apps.streamlit.components.view.redraw import mark_drawn, redraw_if_changed
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_underlying_rows,
)
from options_helper.market import LiveSnapshot, PreviousClose, Quote, StreamHealth, StreamName, StreamState
from options_helper.models import Portfolio

EXPIRY = dt.date(2099, 12, 18)
LETTERS = {"call": "C", "put": "P"}
SPOTS = {"AAPL": 271.5, "MSFT": 498.9, "NVDA": 188.2, "SPY": 642.1}


def _leg(side: str, kind: str, strike: float) -> dict[str, object]:
    return {"side": side, "option_type": kind, "expiry": str(EXPIRY), "strike": strike, "contracts": 2}


def _single(number: int, shift: int = 0) -> dict[str, object]:
    return {
        "id": f"p{number:03}",
        "symbol": list(SPOTS)[(number + shift) % 4],
        "option_type": "call",
        "expiry": str(EXPIRY),
        "strike": 100 + number,
        "contracts": 1 + number % 3,
        "cost_basis": 10.0,
    }


@st.cache_resource
def portfolio(singles: int) -> Portfolio:
    """Return a condor, shares, a position with markup in its id, an expired one, and many calls."""
    condor = [
        _leg("short", "put", 260),
        _leg("long", "put", 255),
        _leg("short", "call", 285),
        _leg("long", "call", 290),
    ]
    return Portfolio.model_validate(
        {
            "positions": [
                {"id": "condor", "symbol": "AAPL", "net_debit": -324.0, "legs": condor},
                {
                    "id": "shares",
                    "symbol": "SPY",
                    "shares": 100,
                    "cost_basis": 610.0,
                    "name": "Old shares",
                    "tag": ["core"],
                },
                {**_single(900), "id": '<img src=x onerror="document.title=1">'},
                {**_single(901), "id": "expired", "expiry": "2020-01-17"},
                {**_single(902), "id": "unquoted", "strike": 999},
                *(_single(number) for number in range(singles)),
            ]
        }
    )


@st.cache_resource
def other_portfolio(singles: int) -> Portfolio:
    """Return many calls, with the ids of the first file but other underlyings."""
    return Portfolio.model_validate({"positions": [_single(number, 1) for number in range(singles)]})


def _symbols(held: Portfolio) -> list[str]:
    terms = [
        (position.symbol, each)
        for position in held.positions
        for each in getattr(position, "legs", [position])
        if hasattr(each, "strike")
    ]
    return [
        f"{symbol}{each.expiry:%y%m%d}{LETTERS[each.option_type]}{round(each.strike * 1000):08}"
        for symbol, each in terms
        if each.strike != 999
    ]


def snapshot(held: Portfolio, tick: int, now: dt.datetime, age: float, moving: int) -> LiveSnapshot:
    """Return prices that are a function of the tick; contracts after the first `moving` have one quote."""
    when = now - dt.timedelta(seconds=age)

    def quote(symbol: str, middle: float, spread: float, at: dt.datetime = when) -> Quote:
        half = spread / 2
        return Quote(symbol, round(middle - half, 2), round(middle + half, 2), timestamp=at, received_at=at)

    def option(number: int, symbol: str) -> Quote:
        step, at = (tick, when) if number < moving else (0, st.session_state.setdefault("opened", when))
        return quote(symbol, 10 + (7 * number + 3 * step) % 11 * 0.1 + number % 17, 0.1, at)

    options = {symbol: option(number, symbol) for number, symbol in enumerate(_symbols(held))}
    health = {
        str(name): StreamHealth(name, StreamState.RUNNING, last_heard_at=now if age < 1000 else when)
        for name in (StreamName.STOCKS, StreamName.OPTIONS)
    }
    day = now.date()
    return LiveSnapshot(
        as_of=now,
        running=True,
        market_phase="open",
        stock_quotes={symbol: quote(symbol, price, 0.02) for symbol, price in SPOTS.items()},
        option_quotes=options,
        previous_closes={
            symbol: PreviousClose(price * 0.99, day - dt.timedelta(days=1)) for symbol, price in SPOTS.items()
        },
        previous_trading_date=day - dt.timedelta(days=1),
        health=health,
    )


@st.fragment(run_every=float(st.query_params.get("every", "0.4")))
def live() -> None:
    """One refresh."""
    query = st.query_params
    is_other = query.get("files") == "2" and st.checkbox("Other file")
    held = (other_portfolio if is_other else portfolio)(int(query.get("n", "30")))
    frozen = query.get("frozen") == "1"
    tick = st.session_state["tick"] = st.session_state.get("tick", 0) + 1
    now = dt.datetime.now(dt.UTC)
    if frozen:
        now = st.session_state.setdefault("now", now)
    moving = int(query.get("moving", "999"))
    live_snapshot = snapshot(held, 0 if frozen else tick, now, float(query.get("age", "1")), moving)
    positions = compute_live_position_rows(held, live_snapshot, stale_after_seconds=30.0)
    structures, legs = compute_live_multileg_rows(held, live_snapshot, stale_after_seconds=30.0)
    underlyings = compute_live_underlying_rows(
        held, live_snapshot, positions, structures, legs, stale_after_seconds=30.0
    )
    payload = build_table_rows(
        held, positions, structures, legs, underlyings, as_of=live_snapshot.as_of, stale_after_seconds=30.0
    )
    grouping = chosen_grouping("table")
    columns = chosen_columns("table")
    shown = hide_columns(regroup(payload, held, grouping), columns)
    raised, sent_at = int(query.get("raised", "0")), dt.datetime.now(dt.UTC)
    render(
        shown, grouping, columns, key="table", raised=raised, stopped=query.get("stopped") == "1", now=sent_at
    )
    selected = chosen_row("table") if chosen_row("table") in payload["ids"] else None
    if query.get("reports"):
        redraw_if_changed({"table": tick}, pace_seconds=60.0, now=sent_at)
        mark_drawn("table")
    if query.get("reports") == "ahead" and tick % 3 == 0:
        st.session_state["redraw-table-version"] = st.session_state["table-sent"].version + 1
    st.text(f"selected {selected}")
    if not frozen:
        st.text(f"update {tick}")


st.set_page_config(page_title="Table", layout="wide")
st.html("<style>html { font-size: 14px; } .stMainBlockContainer { padding: 3rem 1.4rem; }</style>")
live()
