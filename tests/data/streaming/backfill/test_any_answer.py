"""Any JSON from REST: no unexpected error, nothing lost uncounted, nothing claimed after a loss."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.live_portfolio_metrics import compute_live_position_rows
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.http import Host
from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.backfill.prices import Wanted
from options_helper.data.streaming.backfill.rest_rows import read_snapshots
from options_helper.market import LiveSnapshot, StreamName
from options_helper.models import Portfolio
from options_helper.recording.journal import Journal
from tests.builders import CALL, NOW, make_fill
from tests.fakes import ADJUSTED, INDEX_CALL, SNAPSHOT, STOCK, FakeClock, FakeResults

SETTINGS = AlpacaSettings("PKTEST", "SECRETTEST", trading_url="http://trading", data_url="http://data")
ANSWERS: dict[str, Any] = {
    "/v2/clock": {
        "timestamp": "2026-11-20T10:00:00-05:00",
        "is_open": True,
        "next_open": "2026-11-23T09:30:00-05:00",
        "next_close": "2026-11-20T16:00:00-05:00",
    },
    "/v2/calendar": [
        {"date": "2026-11-19", "open": "09:30", "close": "16:00"},
        {"date": "2026-11-20", "open": "09:30", "close": "16:00"},
    ],
    "/v2/account": {"account_number": "PA3ABCDEFGH12"},
    "/v2/positions": [
        {"symbol": CALL, "qty": "-2", "side": "short", "current_price": "1.6", "market_value": "-320"},
        {"symbol": "AAPL", "qty": "100", "side": "long", "current_price": "250", "market_value": "25000"},
    ],
    "/v1beta1/options/snapshots": {
        "snapshots": {CALL: SNAPSHOT, ADJUSTED: SNAPSHOT},
        "next_page_token": None,
    },
    "/v2/stocks/snapshots": {"AAPL": STOCK},
    "/v1beta1/indices/latest/values": {"values": {"SPX": {"v": 7000.5, "t": "2026-11-20T14:59:59Z"}}},
    "/v2/account/activities": [
        make_fill(1),
        {"activity_type": "OPASN", "id": "e", "date": "2026-11-12", "symbol": CALL, "qty": "1"},
    ],
    "/v2/stocks/bars": {
        "bars": {"SPY": [{"t": "2026-11-19T05:00:00Z", "c": 668.1}], "AAPL": []},
        "next_page_token": None,
    },
    "/v1/corporate-actions": {
        "corporate_actions": {
            "forward_splits": [{"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2026-11-18"}]
        }
    },
    f"/v2/options/contracts/{ADJUSTED}": {"symbol": ADJUSTED, "multiplier": "150", "size": "33"},
}
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {
                "id": "call",
                "symbol": "AAPL",
                "option_type": "call",
                "expiry": "2026-12-18",
                "strike": 250,
                "contracts": 2,
                "cost_basis": 1.5,
            }
        ]
    }
)

junk = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        10**30,
        1e308,
        "",
        "junk",
        "NaN",
        "-1e400",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01",
        "9999-12-31",
        "00:00",
        "2026-11-20T10:00:00",
        [],
        [[1, 2]],
        ["ab"],
        {},
        {"snapshots": [["a", 1]]},
    ]
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value inside a JSON value, and of the value itself."""
    inside = (
        value.items() if isinstance(value, dict) else (enumerate(value) if isinstance(value, list) else ())
    )
    return [at, *(place for key, each in inside for place in places(each, (*at, key)))]


def with_junk(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of the value with a new one at a place."""
    if not place:
        return new
    changed = copy.deepcopy(value)
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = new
    return changed


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """Alpaca's answers with up to three values replaced by junk."""
    changed = dict(ANSWERS)
    for path in draw(st.lists(st.sampled_from(list(ANSWERS)), min_size=1, max_size=3)):
        place = draw(st.sampled_from(places(changed[path])))
        changed[path] = with_junk(changed[path], place, draw(junk))
    return changed


def fetch_all(bodies: dict[str, Any]) -> FakeResults:
    """Return the results of fetching each part that does not concern orders once, with these answers."""
    sink, clock = FakeResults(), FakeClock()
    transport = httpx.MockTransport(
        lambda asked: httpx.Response(200, content=json.dumps(bodies[asked.url.path]))
    )
    rest = AlpacaRest(SETTINGS, transport=transport, pause=lambda _seconds: False)
    wanted = Wanted(
        stocks=("AAPL",),
        option_contracts=(CALL, ADJUSTED, INDEX_CALL),
        stock_feed="iex",
        options_feed="indicative",
    )
    backfill = Backfill(
        rest,
        wanted,
        want_fills=False,
        results=sink,
        journal=Journal(clock.now),
        monotonic=clock.monotonic,
        steps=clock.take_step,
    )
    for host in Host:
        while backfill.step(host) == 0:
            pass
    rest.close()
    return sink


def test_good_answers_are_used_whole() -> None:
    """Without junk, every part succeeds, and prices are complete."""
    sink = fetch_all(ANSWERS)
    assert set(sink.latest_words.values()) == {""}
    assert set(sink.complete) == {StreamName.OPTIONS, StreamName.STOCKS}
    assert set(sink.reference["broker_positions"]) == {CALL, "AAPL"}


@given(bodies=answers())
def test_any_answer_is_used_or_refused_in_words(bodies: dict[str, Any]) -> None:
    """No answer causes an unexpected error, and the tables can be drawn from the readable parts."""
    sink = fetch_all(bodies)
    assert not [words for words in sink.latest_words.values() if "could not be used" in words]
    live = LiveSnapshot(
        as_of=NOW,
        stock_quotes={row.symbol: row for row in sink.stock_quotes},
        stock_trades={row.symbol: row for row in sink.stock_trades},
        option_quotes={row.symbol: row for row in sink.option_quotes},
        option_trades={row.symbol: row for row in sink.option_trades},
        greeks=sink.reference.get("greeks") or {},
        previous_closes=sink.reference.get("previous_closes") or {},
        broker_positions=sink.reference.get("broker_positions") or {},
    )
    assert len(compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=30)) == 1


@given(data=st.data())
def test_every_snapshot_is_read_or_counted(data: st.DataObject) -> None:
    """The read and skipped quotes and trades add up to those in the answer."""
    symbols = data.draw(st.lists(st.sampled_from(["A", "B", "C"]), unique=True))
    rows: dict[str, Any] = {}
    for symbol in symbols:
        place = data.draw(st.sampled_from([(), ("latestQuote",), ("latestTrade",), ("latestQuote", "bp")]))
        rows[symbol] = with_junk(SNAPSHOT, place, data.draw(junk))
    read = read_snapshots(rows, received_at=NOW, trading_date=NOW.date())
    present = sum(
        (row.get("latestQuote") is not None) + (row.get("latestTrade") is not None)
        if isinstance(row, dict)
        else 1
        for row in rows.values()
    )
    assert len(read.quotes) + len(read.trades) + read.skipped == present


@pytest.mark.parametrize("path", ["/v2/positions", "/v1beta1/indices/latest/values"])
def test_a_skipped_row_is_reported(path: str) -> None:
    """The readable rows count, and a sentence states the number of unreadable ones."""
    bad: Any = {"symbol": "MSFT", "qty": None}
    rows = [*ANSWERS[path], bad] if path == "/v2/positions" else {"values": {"SPX": {"v": "7,000"}}}
    sink = fetch_all({**ANSWERS, path: rows})
    part = "positions" if path == "/v2/positions" else "indices"
    assert "1 row could not be read" in sink.latest_words[part]
    if part == "positions":
        assert set(sink.reference["broker_positions"]) == {CALL, "AAPL"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (
            "/v2/clock",
            {**ANSWERS["/v2/clock"], "next_close": "9999-12-31T23:59:59-14:00"},
            "clock's answer is",
        ),
        (
            "/v2/clock",
            {**ANSWERS["/v2/clock"], "timestamp": "0001-01-01T00:00:00+14:00"},
            "clock's answer is",
        ),
        (
            "/v2/calendar",
            [{"date": "9999-12-31", "open": "09:30", "close": "23:00"}],
            "calendar's answer is",
        ),
    ],
)
def test_a_time_that_does_not_exist_everywhere_is_refused(path: str, body: Any, words: str) -> None:
    """A time that does not exist in every zone is refused; it would cause errors in streams and the page."""
    said = fetch_all({**ANSWERS, path: body}).latest_words
    assert words in said["market"]
    assert said["positions"] == ""  # the host did answer, so its other routes are requested


@pytest.mark.parametrize("date", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize("kind", ["OPEXP", None, "JNLC"])
def test_an_activity_outside_trading_days_is_not_an_error(date: str, kind: str | None) -> None:
    """A date at either end of the calendar has no neighbour, and such an activity is skipped."""
    activity = {"activity_type": kind, "id": "e", "date": date, "symbol": CALL, "qty": "1", "price": "1"}
    words = fetch_all({**ANSWERS, "/v2/account/activities": [activity]}).latest_words
    assert not [each for each in words.values() if "could not be used" in each]
