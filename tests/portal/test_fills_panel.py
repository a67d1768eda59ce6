"""The fills and orders on the page, and the file that holds the same."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")


from apps.streamlit.components.fills.fill_rows import TIMES
from apps.streamlit.components.fills.fills_csv import fills_csv, fills_csv_name
from apps.streamlit.components.fills.orders_list import orders_html
from apps.streamlit.components.positions.position_tables import account_notes
from apps.streamlit.components.positions.table.row_words import MORE
from options_helper.analysis.fills import build_fill_day
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import names_of
from options_helper.analysis.text.figures import MINUS
from options_helper.analysis.text.wording import format_day
from options_helper.data.streaming.trading_normalizers import normalize_rest_order
from options_helper.market import BrokerEvent, EventKind, FillGap, LiveSnapshot, StreamName, StreamState
from options_helper.models import Portfolio
from options_helper.session.views import FillsView, SharedViews
from options_helper.times import NEW_YORK, new_york_date, utc_now
from tests.builders import make_order, snapshot

if TYPE_CHECKING:
    from conftest import PortalDesk
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.portal

CALL, HIGHER = "AAPL991218C00250000", "AAPL991218C00260000"
TERMS = {"id": "aapl-call", "symbol": "AAPL", "option_type": "call", "expiry": "2099-12-18"}
POSITION = {**TERMS, "strike": 250, "contracts": 2, "cost_basis": 18.4}


@pytest.fixture
def now() -> dt.datetime:
    """Return the current time; AppTest has no browser, so the page assumes New York's zone."""
    return utc_now()


def update(now: dt.datetime, event: str, order_id: str = "o1", **changes: Any) -> dict[str, Any]:
    """An order update, as the normalizer makes it."""
    return {
        "timestamp": now,
        "updated_at": now,
        "submitted_at": now,
        "event": event,
        "order_id": order_id,
        "symbol": CALL,
        "side": "sell",
        "position_intent": "sell_to_close",
        "qty": 5.0,
        "filled_qty": 0.0,
        "filled_avg_price": None,
        "status": event,
        "type": "limit",
        "limit_price": 1.65,
        "order_class": "simple",
        "origin": "live",
        **changes,
    }


def fill(now: dt.datetime, total: float, quantity: float, price: float, **changes: Any) -> dict[str, Any]:
    """A fill of some contracts that brings an order of five to a total."""
    figures = {"filled_qty": total, "fill_qty": quantity, "fill_price": price, "filled_avg_price": price}
    more = {"execution_id": f"x{total}", "position_qty": -total, "status": "partially_filled"}
    return {**update(now, "partial_fill"), **figures, **more, **changes}


def spread(now: dt.datetime) -> dict[str, Any]:
    """A filled credit vertical; the file holds one of its legs."""
    leg = {"qty": 1.0, "ratio_qty": 1.0, "filled_qty": 1.0, "status": "filled"}
    legs = [
        {**leg, "order_id": "l1", "symbol": CALL, "side": "sell", "filled_avg_price": 3.1},
        {**leg, "order_id": "l2", "symbol": HIGHER, "side": "buy", "filled_avg_price": 1.48},
    ]
    changes = {"symbol": "AAPL", "side": "sell/buy", "position_intent": None, "qty": 1.0, "legs": legs}
    figures = {"filled_qty": 1.0, "fill_qty": 1.0, "fill_price": -1.62, "execution_id": "m1"}
    return update(now, "fill", "p", order_class="mleg", status="filled", **changes, **figures)


def view_of(*rows: dict[str, Any], **fields: Any) -> FillsView:
    """Return the fills of a snapshot, compared with a file that holds the call."""
    snapshot = LiveSnapshot(as_of=utc_now(), fills=rows, started_at=utc_now(), **fields)
    return SharedViews().fills(Portfolio.model_validate({"positions": [POSITION]}), snapshot, None)


def page_with(desk: PortalDesk, **fields: Any) -> AppTest:
    """Return the page for this snapshot, with the call in its file."""
    desk.own(POSITION)
    desk.manager.now = LiveSnapshot(as_of=utc_now(), **{"started_at": utc_now(), **fields})
    page = desk.page()
    assert not page.exception
    return page


def rows_of(page: AppTest, label: str) -> list[tuple[str, ...]]:
    """Return the time, name, amount and details of each row."""
    (body,) = (
        str(each.proto.body)
        for each in page.get("html")
        if re.search(f'aria-label="[^"]*{label}"', each.proto.body)
    )
    return [
        tuple(re.sub("</?i>", "", part) for part in re.findall(r"<span[^>]*>(.*?)</span>", item))
        for item in re.findall(r"<li.*?</li>", body, re.DOTALL)
    ]


def test_before_start_nothing_is_claimed_about_the_days_fills(desk: PortalDesk) -> None:
    """Before Start the page claims nothing about fills, not even that there are none."""
    page = page_with(desk, started_at=None)
    assert title(desk, page) == "—"
    assert desk.said(page).count("Fetched at Start.") == 2
    assert "yet today" not in desk.said(page)


def title(desk: PortalDesk, page: AppTest) -> str:
    """The line over the fills."""
    (words,) = re.findall(r"<strong>Fills today</strong> <span>(.*?)</span>", desk.said(page))
    return words


@pytest.mark.date_sensitive
def test_a_row_has_every_field_of_its_execution(desk: PortalDesk, now: dt.datetime) -> None:
    """A row has contract, side with intent, quantity, price, progress, average, status and position."""
    page = page_with(desk, fills=(fill(now, 2, 2, 1.62),))
    assert [row[1:] for row in rows_of(page, "Fills")] == [
        (
            "AAPL 18 Dec 2099 250 call",
            f"{MINUS}2 @ 1.62",
            f"{CALL} · sell to close · 2 of 5 · avg 1.62 · order partially filled · position {MINUS}2",
        )
    ]


def test_a_multi_leg_fill_is_a_line_with_its_legs(desk: PortalDesk, now: dt.datetime) -> None:
    """A line shows the net price in words, then its legs; legs not in the file are marked."""
    rows = rows_of(page_with(desk, fills=(spread(now),)), "Fills")
    assert [row[1:3] for row in rows] == [
        ("AAPL multi-leg", f"{TIMES}1 1.62 credit"),
        ("AAPL 18 Dec 2099 250 call", f"{MINUS}1 @ 3.10"),
        ("AAPL 18 Dec 2099 260 call", "+1 @ 1.48"),
    ]
    assert ["not in the portfolio file" in row[3] for row in rows] == [False, False, True]
    assert rows[0][3] == "sell/buy · 1 of 1 · avg 1.62 credit · order filled"


def test_a_bust_and_a_correction_are_visible(desk: PortalDesk, now: dt.datetime) -> None:
    """A busted row is struck through and labelled; a corrected one shows its earlier values."""
    rows = (
        update(now, "trade_bust", previous_execution_id="x2", fill_qty=1.0, fill_price=1.7, filled_qty=1.0),
        update(now, "trade_correct", previous_execution_id="x1", fill_price=1.5, filled_qty=1.0),
        fill(now, 2, 1, 1.7),
        fill(now, 1, 1, 1.6),
    )
    page = page_with(desk, fills=rows)
    busted, corrected = rows_of(page, "Fills")
    assert "busted" in busted[3]
    assert '<li class="oh-void">' in desk.said(page)
    assert (corrected[2], "corrected, was 1 @ 1.60" in corrected[3]) == (f"{MINUS}1 @ 1.50", True)
    (order,) = rows_of(page, "orders")
    assert "partial fill (1 @ 1.50, corrected, was 1 @ 1.60) → partial fill (1 @ 1.70, busted)" in order[3]


def test_the_orders_show_their_course_and_their_contradictions(desk: PortalDesk, now: dt.datetime) -> None:
    """Working orders come first, and orders show changes, reasons and contradictions."""
    rows = (
        update(now, "new", "o2", replaces="o1", qty=4.0),
        update(now, "replaced", "o1", replaced_by="o2", limit_price=1.6),
        update(now, "rejected", "o3", reject_reason="insufficient <b>buying power</b>"),
        update(now, "rejected", "o5"),
        update(now, "held", "o4", filled_qty=0.0),
        fill(now, 1, 1, 1.6, order_id="o4", updated_at=now - dt.timedelta(milliseconds=1)),
    )
    page = page_with(desk, fills=rows)
    reported = "partial fill (1 @ 1.60) · its fills add up to 1, but the order reports 0"
    details = {row[3] for row in rows_of(page, "orders")}
    working, ended = desk.said(page).split('aria-label="Ended orders"')
    assert ("→ partial fill" in working.partition('aria-label="Working orders"')[2], "rejected" in ended) == (
        True,
        True,
    )
    assert details == {
        "sell to close 4 limit 1.65 · new → replaced (limit 1.60 → 1.65, quantity 5 → 4)",
        "sell to close 5 limit 1.65 · rejected (insufficient &lt;b&gt;buying power&lt;/b&gt;)",
        "sell to close 5 limit 1.65 · rejected (no reason reported)",
        f"sell to close 5 limit 1.65 · 1 filled · avg 1.60 · held → {reported}",
    }
    assert title(desk, page) == "1 · the fills of 1 order add up to more than the order reports"


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        (dt.UTC, "2026-11-30T00:50:00Z", "00:50:00"),  # Sunday evening in New York, where this is today
        (dt.UTC, "2026-11-29T00:50:00Z", "Sun 00:50"),  # Saturday evening
        (NEW_YORK, "2026-11-29T00:50:00Z", "Sat 19:50"),
        (dt.timezone(dt.timedelta(hours=10)), "2026-11-28T15:00:00Z", "Sun 01:00"),  # Saturday morning
        (dt.UTC, "2026-11-02T15:00:00Z", "2 Nov 15:00"),
    ],
)
def test_an_order_from_another_day_has_its_day_in_every_zone(zone: dt.tzinfo, at: str, words: str) -> None:
    """The trading day is New York's; in another zone, an earlier order may have today's date."""
    moment = dt.datetime.fromisoformat(at)
    row = normalize_rest_order(make_order("o1", submitted_at=at, updated_at=at))
    live = snapshot(rest_orders=(row,), as_of=dt.datetime(2026, 11, 30, 1, tzinfo=dt.UTC))
    day = build_fill_day(live, day=dt.date(2026, 11, 29))
    assert [order.changed_at for order in day.orders] == [moment]
    assert f">{words}<" in orders_html(day, zone)


def test_the_legs_of_a_spread_are_listed_below_their_order(desk: PortalDesk, now: dt.datetime) -> None:
    """A multi-leg order has its net limit in words, and each leg with its side."""
    row = {**spread(now), "limit_price": -1.6}
    assert [found[1:] for found in rows_of(page_with(desk, fills=(row,)), "orders")] == [
        (
            "AAPL 18 Dec 2099 250 call / AAPL 18 Dec 2099 260 call",
            "filled",
            "sell/buy 1 limit 1.60 credit · 1 filled · new → fill (1 @ 1.62 credit)",
        ),
        ("AAPL 18 Dec 2099 250 call", "filled", "sell 1 · 1 filled"),
        ("AAPL 18 Dec 2099 260 call", "filled", "buy 1 · 1 filled"),
    ]


@pytest.mark.parametrize(
    "reason",
    [
        "GET /v2/orders: too many requests (429); tried again later. Trying again in 4 s.",
        "GET /v2/orders: the server failed (500). Trying again in 4 s.",
        "GET /v2/orders: no answer within the time allowed. Trying again in 4 s.",
    ],
)
def test_a_gap_is_shown_with_its_times_and_its_reason(
    desk: PortalDesk, now: dt.datetime, reason: str
) -> None:
    """While REST cannot confirm a gap, the title names its span, and the reason is below."""
    end = now.astimezone(NEW_YORK)
    start = end - dt.timedelta(seconds=45)
    page = page_with(desk, fills=(fill(now, 2, 2, 1.62),), fill_gaps=(FillGap(start, end, reason),))
    assert title(desk, page) == f"1 · fills between {start:%H:%M:%S} and {end:%H:%M:%S} not confirmed"
    assert reason in desk.said(page)


@pytest.mark.date_sensitive
def test_unrequested_fills_are_not_called_complete(desk: PortalDesk, now: dt.datetime) -> None:
    """With Fills switched off at Start, the panel says so and claims nothing."""
    states = {StreamName.OPTIONS: StreamState.RUNNING, StreamName.FILLS: StreamState.NOT_STARTED}
    page = page_with(desk, running=True, status=StreamState.RUNNING, status_by_stream=states)
    assert title(desk, page) == "unknown: Fills was switched off at Start"
    assert "complete" not in title(desk, page)
    assert "No fills yet" not in desk.said(page)


@pytest.mark.date_sensitive
def test_completeness_is_claimed_from_a_past_time_of_today(now: dt.datetime) -> None:
    """Before the opening, and on a day without a session, the claim begins at the start of the day."""
    day_start = view_of().day.day_start
    hour = dt.timedelta(hours=1)
    assert view_of(session_open=now + hour).day.since == day_start
    assert view_of(session_open=now - 30 * hour).day.since == day_start
    assert view_of(session_open=day_start).day.since == day_start
    opened = now - dt.timedelta(milliseconds=1)
    if new_york_date(opened) == new_york_date(now):
        assert view_of(session_open=opened).day.since == opened


@pytest.mark.date_sensitive
def test_the_csv_has_what_the_list_shows(desk: PortalDesk, now: dt.datetime) -> None:
    """The CSV has the same rows, words and figures, with times in the reader's zone."""
    reported = (
        spread(now),
        fill(now, 5, 3, 1.66, event="fill", status="filled"),
        fill(now, 2, 2, 1.62, symbol="SPY"),
        update(now, "trade_bust", previous_execution_id="x2", fill_qty=2.0, fill_price=1.62, filled_qty=3.0),
    )
    view = view_of(*reported)
    shown = rows_of(page_with(desk, fills=reported), "Fills")
    written = list(csv.DictReader(io.StringIO(fills_csv(view, NEW_YORK))))
    assert len(shown) == len(written) == len(view.day.executions) == 5
    for (time, name, amount, details), row in zip(shown, written, strict=True):
        assert row["contract"] == name
        assert time in {"", f"{dt.datetime.fromisoformat(row['time']):%H:%M:%S}"}
        assert amount.endswith(row["price_words"])
        assert row["quantity"] in amount
        assert details.endswith(row["note"])
        assert ("not in the portfolio file" in details) is ("not in the portfolio file" in row["note"])
        assert row["side"] in details
        assert row["symbol"] in {name, details.split(" · ")[0], name.removesuffix(" multi-leg")}
        if row["level"] != "leg":
            assert f" {row['filled']} of {row['total']} " in details
            assert f"order {row['status']}" in details
        if row["position_after"]:
            assert f"position {row['position_after']}".replace("-", MINUS) in details


def make_assignment(**changes: Any) -> BrokerEvent:
    """Two calls assigned today."""
    terms = {"kind": EventKind.ASSIGNMENT, "symbol": CALL, "quantity": Decimal(2), "group_id": "g"}
    return BrokerEvent(**{**terms, "date": new_york_date(utc_now()), "activity_id": "e1", **changes})


SHARES: dict[str, Any] = {
    "kind": EventKind.SHARES,
    "symbol": "AAPL",
    "quantity": Decimal(-200),
    "price": Decimal(250),
    "activity_id": "e2",
}


def test_the_csv_has_the_schemas_columns(now: dt.datetime) -> None:
    """The columns are those of `Table.FILLS`, and a fill has all of them."""
    text = fills_csv(view_of(fill(now, 2, 2, 1.62)), NEW_YORK)
    assert text.splitlines()[0] == ",".join(names_of(Table.FILLS))
    (row,) = csv.DictReader(io.StringIO(text))
    assert {name for name, value in row.items() if not value} == {"note", "parent_id"}


@pytest.mark.date_sensitive
def test_an_option_event_is_in_the_list_and_in_the_csv(desk: PortalDesk) -> None:
    """The list and the CSV have the same words, without a time of day, which Alpaca does not report."""
    words = f"Assigned: 2 {TIMES} AAPL 250 call → {MINUS}200 AAPL at 250.00"
    events = (make_assignment(), make_assignment(**SHARES))
    page = page_with(desk, broker_events=events)
    assert rows_of(page, "Fills") == [("—", words, "", "assignment, not a fill")]
    (row,) = csv.DictReader(io.StringIO(fills_csv(view_of(broker_events=events), NEW_YORK)))
    assert (row["time"], row["level"], row["symbol"], row["quantity"]) == ("", "assignment", CALL, "2")
    assert (row["note"], row["key"]) == (words, "e1")


@pytest.mark.date_sensitive
def test_a_position_shows_what_the_account_reports_about_it(now: dt.datetime) -> None:
    """An assignment, Friday's expiry and today's fills are noted on their position."""
    day = new_york_date(now)
    friday = day - dt.timedelta(days=3)
    events = (
        make_assignment(),
        make_assignment(**SHARES),
        make_assignment(kind=EventKind.EXPIRY, date=friday, group_id=None),
    )
    view = view_of(fill(now, 2, 2, 1.62), broker_events=events)
    notes = account_notes(view.portfolio_fills, NEW_YORK)
    fills = f"2 contracts sold {now.astimezone(NEW_YORK):%H:%M}{MORE}"
    assert notes == {
        "aapl-call": f"Assigned: 2 {TIMES} AAPL 250 call → {MINUS}200 AAPL at 250.00, "
        f"{format_day(day, with_year=False)}; "
        f"Expired: 2 {TIMES} AAPL 250 call, {format_day(friday, with_year=False)}; {fills}"
    }
    assert [event.type for event in view.day.events] == ["assignment"]


@pytest.mark.date_sensitive
def test_many_fills_of_a_position_are_one_short_line(now: dt.datetime) -> None:
    """A row counts the fills, and the position's detail lists them."""
    view = view_of(fill(now, 2, 2, 1.62), fill(now, 3, 1, 1.63), fill(now, 5, 2, 1.64))
    assert account_notes(view.portfolio_fills, NEW_YORK) == {"aapl-call": f"3 fills today{MORE}"}


@pytest.mark.date_sensitive
def test_the_only_fill_of_a_structure_is_one_short_line_too(now: dt.datetime) -> None:
    """A structure's only fill is counted, because its words would take three lines of the row."""
    fills = view_of(fill(now, 2, 2, 1.62)).portfolio_fills
    (fact,) = fills.by_position["aapl-call"]
    of_several = replace(fills, by_position={"condor": [replace(fact, of_several=True)]})
    assert account_notes(of_several, NEW_YORK) == {"condor": f"1 fill today{MORE}"}


@pytest.mark.date_sensitive
def test_the_csvs_name_says_if_fills_are_in_doubt(now: dt.datetime) -> None:
    """The name of a CSV saved during a gap says so."""
    day = new_york_date(now).isoformat()
    assert fills_csv_name(view_of(fill(now, 2, 2, 1.62))) == f"fills-{day}.csv"
    gap = FillGap(now, None)
    assert (
        fills_csv_name(view_of(fill(now, 2, 2, 1.62), fill_gaps=(gap,))) == f"fills-{day}-not-confirmed.csv"
    )


def test_the_csv_writes_readable_figures(now: dt.datetime) -> None:
    """A billionth of a share is written without an exponent, and two contracts without a decimal."""
    small = fill(now, 0.000000001, 0.000000001, 700.0, qty=0.000000001, position_qty=-0.000000001)
    (row,) = csv.DictReader(io.StringIO(fills_csv(view_of(small), dt.UTC)))
    assert (row["quantity"], row["price"], row["position_after"]) == ("0.000000001", "700", "-0.000000001")


def test_no_spreadsheet_executes_a_cell_of_the_csv(now: dt.datetime) -> None:
    """A foreign text that begins like a formula is made harmless."""
    text = fills_csv(view_of(fill(now, 2, 2, 1.6, symbol="=1+1", status="@sum(a1)")), dt.UTC)
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["symbol"], row["contract"], row["status"]) == ("'=1+1", "'=1+1", "'@sum(a1)")
    assert "None" not in text
    assert "nan" not in text


def test_a_long_day_lists_the_newest_fills_and_counts_the_others(desk: PortalDesk, now: dt.datetime) -> None:
    """The list ends after a few hundred rows, never between a line and its legs; the CSV has them all."""
    rows = tuple(fill(now, n, 1, 1.5, order_id="o", qty=500.0) for n in range(300, 0, -1))
    page = page_with(desk, fills=rows)
    assert len(rows_of(page, "Fills")) == 200
    assert "100 older rows not listed; the CSV file has them." in desk.said(page)
    assert len(fills_csv(view_of(*rows), dt.UTC).splitlines()) == 301
    later = now + dt.timedelta(microseconds=1)
    newest = tuple(fill(later, n, 1, 1.5, order_id="o", qty=500.0) for n in range(199, 0, -1))
    assert len(rows_of(page_with(desk, fills=(*newest, spread(now))), "Fills")) == 202
