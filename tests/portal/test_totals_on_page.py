"""Totals in words, each with its coverage: tiles, the line below them, sums by underlying."""

from __future__ import annotations

import datetime as dt
import re

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.positions.totals import describe_more
from apps.streamlit.components.positions.underlying_sums import sums_html
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.market import LiveSnapshot, PreviousClose, Quote
from options_helper.models import Portfolio, Position

pytestmark = pytest.mark.portal

AT = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
FRIDAY = dt.date(2026, 11, 20)
EXPIRY = dt.date(2026, 12, 18)
PORTFOLIO = Portfolio(
    cash=500,
    positions=[
        Position(
            id=f"p{number}",
            symbol=symbol,
            option_type="call",
            expiry=EXPIRY,
            strike=100,
            contracts=2,
            cost_basis=5.0,
        )
        for number, symbol in enumerate(("AAPL", "BRK-B"))
    ]
    + [
        Position(
            id="gone", symbol="TSLA", option_type="call", expiry=dt.date(2026, 11, 20), strike=9,
            contracts=1, cost_basis=1.0,
        )
    ],
)  # fmt: skip


def tables(*quoted: str) -> tuple[str, str]:
    """The line beneath the tiles, and the sums by underlying as text, with these contracts quoted 6.00."""
    live = LiveSnapshot(
        as_of=AT,
        option_quotes={symbol: Quote(symbol, 5.9, 6.1, timestamp=AT) for symbol in quoted},
        previous_closes={symbol: PreviousClose(5.5, FRIDAY) for symbol in quoted}
        | {"TSLA": PreviousClose(12.0, FRIDAY)},
    )
    rows = compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=30)
    structures, legs = compute_live_multileg_rows(PORTFOLIO, live, stale_after_seconds=30)
    totals = compute_live_totals(PORTFOLIO, rows, structures, legs)
    table = compute_live_underlying_rows(PORTFOLIO, live, rows, structures, legs, stale_after_seconds=30)
    return describe_more(totals), re.sub(r"<[^>]+>", "|", sums_html(table))


AAPL, BRK = "AAPL261218C00100000", "BRKB261218C00100000"


def test_the_line_beneath_the_tiles_has_the_other_totals() -> None:
    """The line shows cost, market value and the premium paid in dollars, and what P/L Day excludes."""
    words, _ = tables(AAPL, BRK)
    assert words == (
        "Cost $2,100 · Market value $2,700 · Premium paid, long options $2,000 · "
        "including 1 expired, provisional · "
        "P/L Day excludes lots closed today."
    )


def test_a_total_that_lacks_a_leg_is_marked_as_partial_there_too() -> None:
    """With one unquoted leg, the market value covers two of three legs."""
    words, _ = tables(AAPL)
    assert "Market value $1,500 (partial: 2 of 3 legs)" in words
    assert "Premium paid, long options $2,000" in words, "what was paid is known without a quote"
    assert "Market value $300 (partial: 1 of 3 legs)" in tables()[0]


def test_every_tile_shows_its_known_part_and_is_a_dash_only_without_one() -> None:
    """The known part is marked with the number of legs that it covers."""
    page = AppTest.from_function(_draw_tiles).run()
    tiles = {tile.label: (tile.value, tile.delta) for tile in page.metric}
    assert tiles == {
        "Portfolio value": ("$8,234", "partial: 11 of 12 legs, cash $0"),
        "P/L Open": ("+$1,234", "partial: 11 of 12 legs"),
        "P/L Day": ("—", "0 of 12 legs"),
        "Coverage": ("11 of 12 live", "1 no data"),
    }


def test_a_sum_with_stale_prices_has_no_colour() -> None:
    """A profit at stale prices is not green, and the number of stale quotes is below it."""
    page = AppTest.from_function(_draw_tiles, kwargs={"stale": 2}).run()
    tile = next(tile for tile in page.metric if tile.label == "P/L Open")
    assert (tile.value, tile.delta) == ("+$1,234", "— · 2 stale")
    assert tile.proto.color == tile.proto.MetricColor.GRAY


def test_one_symbol_does_not_blank_the_days_headline() -> None:
    """The known part of P/L Day is shown without colour, marked as partial."""
    page = AppTest.from_function(_draw_tiles, kwargs={"days_known": 10}).run()
    tile = next(tile for tile in page.metric if tile.label == "P/L Day")
    assert (tile.value, tile.delta) == ("+$321", "partial: 10 of 12 legs")
    assert tile.proto.color == tile.proto.MetricColor.GRAY


@pytest.mark.parametrize(
    ("known", "tile"),
    [(2, ("+$68", "account, 2 contracts and stocks")), (1, ("+$99", "partial: 1 of 2 contracts and stocks"))],
)
def test_the_day_is_of_the_file_or_of_the_account(known: int, tile: tuple[str, str]) -> None:
    """A part of the account's day is marked as partial."""
    page = AppTest.from_function(_draw_tiles, kwargs={"days_known": 10, "account_known": known})
    page.session_state["live-day-of"] = "Account"
    page.run()
    shown = next(tile for tile in page.metric if tile.label == "P/L Day")
    assert (shown.value, shown.delta) == tile
    page.session_state["live-day-of"] = "File"
    page.run()
    shown = next(tile for tile in page.metric if tile.label == "P/L Day")
    assert (shown.value, shown.delta) == ("+$321", "partial: 10 of 12 legs")


def test_the_chosen_account_stays_chosen_while_it_is_unknown() -> None:
    """In an outage, the switch neither vanishes nor shows the file's figure in the account's place."""
    page = AppTest.from_function(_draw_tiles, kwargs={"days_known": 10})
    page.session_state["live-day-of"] = "Account"
    page.run()
    assert page.segmented_control[0].value == "Account"
    shown = next(tile for tile in page.metric if tile.label == "P/L Day")
    assert (shown.value, shown.delta) == (
        "—",
        "until the account's positions and recent history are complete",
    )
    page.segmented_control[0].set_value("File").run()
    shown = next(tile for tile in page.metric if tile.label == "P/L Day")
    assert shown.value == "+$321"


@pytest.mark.parametrize("chosen", ["File", "Account"])
def test_without_a_session_the_tile_has_the_last_ones_day(chosen: str) -> None:
    """On a weekend, both results are Friday's, and the tile is named after it."""
    page = AppTest.from_function(
        _draw_tiles, kwargs={"days_known": 10, "account_known": 2, "day_name": "Friday"}
    )
    page.session_state["live-day-of"] = chosen
    page.run()
    labels = [tile.label for tile in page.metric]
    assert labels == ["Portfolio value", "P/L Open", "P/L Friday", "Coverage"]
    assert "last session" in page.metric[2].help
    words = {
        "File": "P/L Friday excludes lots closed on Friday.",
        "Account": "P/L Friday covers the account, including lots closed on Friday.",
    }
    assert any(words[chosen] in element.proto.body for element in page.get("html"))


def _draw_tiles(stale: int = 0, days_known: int = 0, account_known: int = 0, day_name: str = "today") -> None:
    from decimal import Decimal

    from apps.streamlit.components.positions.totals import render_totals
    from options_helper.analysis.account.day_result import AccountDay, SymbolDay
    from options_helper.analysis.tables.sums import Total
    from options_helper.analysis.tables.totals import LiveTotals

    known = Total(8234.0, 11, 12)
    totals = LiveTotals(
        open_pnl=Total(1234.4, 12 if stale else 11, 12),
        day_pnl=Total(321.4 if days_known else 0.0, days_known, 12),
        cost=known,
        market_value=known,
        portfolio_value=known,
        premium_at_risk=known,
        open_pnl_pct=None,
        day_pnl_pct=None,
        oldest_age_seconds=2.0,
        legs=12,
        live_legs=11,
        expired=0,
        settled=0,
        states={"live": 10, "stale": stale} if stale else {"live": 11, "no_data": 1},
    )
    day = None
    if account_known:
        results = [Decimal(100), Decimal(-31) if account_known == 2 else None]
        days = [
            SymbolDay(symbol=f"S{number}", start=Decimal(1), now=Decimal(1), paid=Decimal(0), result=result)
            for number, result in enumerate(results)
        ]
        day = AccountDay(symbols=tuple(days), cash=Decimal("-0.65"), name=day_name)
    render_totals(totals, 0.0, day=day, day_name=day_name)


def test_sums_by_underlying_state_their_coverage() -> None:
    """Each underlying has a line with five sums, and a missing leg withholds only those that need it."""
    _, text = tables(AAPL)
    assert "AAPL||+$200||+$100||$1,000||$1,200||$1,000" in text
    assert "BRK.B||—|0 of 1 leg|||—|0 of 1 leg|||$1,000||—|0 of 1 leg|||$1,000" in text
    assert "TSLA||+$200||$0||$100||$300||$0" in text, "settled at Friday's close"
    assert "Excludes lots closed today" in text
