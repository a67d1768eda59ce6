"""The detail of a position: its facts in words, its quotes and its charts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.detail.detail_words import (
    broker_words,
    extremes_of,
    marks_of,
    state_words,
    stopped_words,
    title_of,
)
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.market import BrokerPosition, LiveSnapshot, Quote, StreamHealth, StreamName, StreamState
from options_helper.models import EquityPosition, MultiLegPosition, Portfolio, Position

pytestmark = pytest.mark.portal

MINUS = "\N{MINUS SIGN}"
EXPIRY = dt.date(2099, 12, 18)
NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)


def _leg(side: str, kind: str, strike: float, expiry: dt.date = EXPIRY) -> dict[str, Any]:
    return {"side": side, "option_type": kind, "expiry": expiry, "strike": strike, "contracts": 1}


CONDOR = MultiLegPosition.model_validate(
    {
        "id": "condor",
        "symbol": "AAPL",
        "net_debit": -162.0,
        "legs": [
            _leg("short", "put", 260),
            _leg("long", "put", 255),
            _leg("short", "call", 285),
            _leg("long", "call", 290),
        ],
    }
)
CALENDAR = MultiLegPosition.model_validate(
    {
        "id": "calendar",
        "symbol": "AAPL",
        "net_debit": 100.0,
        "legs": [_leg("short", "call", 270), _leg("long", "call", 270, dt.date(2100, 1, 15))],
    }
)
CALL = Position(
    id="call", symbol="BRK-B", option_type="call", expiry=EXPIRY, strike=500, contracts=2, cost_basis=19.1
)
ADJUSTED = Position(
    id="adjusted",
    symbol="CSGP",
    root="CSGP1",
    option_type="call",
    expiry=EXPIRY,
    strike=50,
    contracts=1,
    cost_basis=5,
    multiplier=100,
)
SHARES = EquityPosition(id="shares", symbol="SPY", shares=-10, cost_basis=600)
PORTFOLIO = Portfolio(positions=[CONDOR, CALENDAR, CALL, ADJUSTED, SHARES])


def test_a_title_names_the_position_with_its_year() -> None:
    """Titles show dates with their year."""
    titles = [title_of(each, describe_structure(each)) for each in PORTFOLIO.positions]
    assert titles == [
        "AAPL Credit iron condor · 18 Dec 2099 · 255/260/285/290",
        "AAPL Long call calendar · 18 Dec 2099 / 15 Jan 2100 · 270",
        "BRK.B 500 call · 18 Dec 2099",
        "CSGP 50 call · 18 Dec 2099",
        "SPY Shares",
    ]


def test_extremes_are_shown_if_they_are_defined() -> None:
    """Unlimited is a word; a calendar has no extremes, and those of an adjusted contract are unknown."""
    assert extremes_of(describe_structure(CONDOR)) == (
        f"width $5.00 · max profit $162 · max loss {MINUS}$338 · break-evens 258.38 / 286.62"
    )
    assert (
        extremes_of(describe_structure(SHARES))
        == "max profit $6,000 · max loss unlimited · break-even 600.00"
    )
    assert extremes_of(describe_structure(CALENDAR)) == ""
    assert extremes_of(describe_structure(ADJUSTED)) == "max profit — · max loss — · break-evens —"


def _record(**more: Any) -> dict[str, Any]:
    return {
        "mark_method": "mid",
        "source": "OPRA",
        "kind": "option",
        "broker_price": None,
        "mark": 2.0,
        **more,
    }


def test_the_method_of_the_marks_is_stated_once() -> None:
    """Each method and source is named once, in the legs' order."""
    assert marks_of([_record()]) == "mark: the middle of bid and ask · OPRA"
    records = [_record(), _record(), _record(mark_method="none", source=None)]
    assert marks_of(records) == "marks: the middle of bid and ask and no mark · OPRA"


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([_record(), _record(broker_price=2.001), _record(broker_price=2.5, kind="stock")], ""),
        ([_record(), _record(broker_price=2.5)], "the mark here is the middle of bid and ask."),
        (
            [_record(broker_price=2.5), _record(broker_price=2.5, mark=None, mark_method="none")],
            "the marks here are the middle of bid and ask or no mark.",
        ),
    ],
)
def test_a_difference_to_the_broker_is_explained(records: list[dict[str, Any]], words: str) -> None:
    """A difference from the broker's price is explained once for all legs; without one, nothing is said."""
    why = "The broker values an option at its last trade, however old; "
    assert broker_words(records) == (why + words if words else "")


@pytest.mark.parametrize(
    ("state", "age", "words"),
    [("live", 2.4, "● live 2 s"), ("closed", 7200.0, "☾ closed"), ("no_data", None, "○ no data")],
)
def test_states_are_a_sign_and_a_word(state: str, age: float | None, words: str) -> None:
    """An age is shown only for states in which it matters."""
    assert state_words(state, age) == words


@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("stale", 0, "■ as of 10:46"),
        ("live", 1, "■ as of Wed 10:46"),
        ("from_yesterday", 7, "■ as of 18 Nov 10:46"),
        ("no_data", 0, ""),
    ],
)
def test_after_stop_a_quote_has_a_time(state: str, days: int, words: str) -> None:
    """After Stop, states that would age show the quote's time, with its day if that is not today."""
    at = dt.datetime(2026, 11, 18, 10, 46, 59, tzinfo=dt.UTC)
    assert stopped_words(state, at, at + dt.timedelta(days=days), dt.UTC) == words


def _snapshot() -> LiveSnapshot:
    def quote(symbol: str, middle: float) -> Quote:
        return Quote(symbol, middle - 0.05, middle + 0.05, 11, 7, timestamp=NOW, received_at=NOW)

    contracts = {"P00260000": 1.92, "P00255000": 1.21, "C00285000": 1.65, "C00290000": 1.07, "C00270000": 9.0}
    options = {f"AAPL991218{tail}": middle for tail, middle in contracts.items()} | {
        "BRKB991218C00500000": 22.5
    }
    health = {"options": StreamHealth(StreamName.OPTIONS, StreamState.RUNNING, last_heard_at=NOW)}
    return LiveSnapshot(
        as_of=NOW,
        market_phase="open",
        options_feed="opra",
        option_quotes={symbol: quote(symbol, middle) for symbol, middle in options.items()},
        stock_quotes={"AAPL": quote("AAPL", 271.5), "BRK.B": quote("BRK.B", 511.9)},
        health=health,
        broker_positions={"BRKB991218C00500000": BrokerPosition("BRKB991218C00500000", 2, 21.0)},
    )


def _page(portfolio: object, live: object, position_id: str) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    from apps.streamlit.components.detail import position_detail
    from options_helper.analysis.risk import compute_live_risk
    from options_helper.analysis.tables.view import compute_view
    from options_helper.session.monitor import PortfolioMonitor

    position_detail.render(
        position_id,
        tables=compute_view(portfolio, live, stale_after_seconds=30.0),
        risk=compute_live_risk(portfolio, live),
        view=PortfolioMonitor(portfolio, lambda: live).view(),
        zone=dt.UTC,
        now=live.as_of,
    )


def _draw(position_id: str, live: LiveSnapshot | None = None) -> tuple[AppTest, str]:
    arguments = (PORTFOLIO, live or _snapshot(), position_id)
    test = AppTest.from_function(_page, args=arguments, default_timeout=20).run()
    assert not test.exception
    return test, " ".join(str(each.proto.body) for each in test.get("html"))


def _table(html: str, name: str) -> str:
    """Return one table of the detail."""
    return html.partition(f'aria-label="{name}"')[2].partition("</table>")[0]


def test_after_stop_the_quotes_have_times() -> None:
    """However long ago the streams were stopped, each leg shows its quote's time and no age."""
    later = NOW + dt.timedelta(hours=1)
    _, html = _draw("condor", replace(_snapshot(), as_of=later, stopped_at=later))
    assert _table(html, "Quotes").count(f"\N{BLACK SQUARE} as of {NOW:%H:%M}") == 4


def test_a_structure_shows_its_quotes_leg_by_leg() -> None:
    """The detail has a head, a row per leg with sizes, a payoff and its tabs."""
    test, html = _draw("condor")
    assert "AAPL Credit iron condor · 18 Dec 2099 · 255/260/285/290" in html
    assert _table(html, "Quotes").count('<th scope="row">') == 4
    assert _table(html, "Greeks").count('<th scope="row">') >= 4
    assert _table(html, "Scenarios of the position").count('<th scope="row">') == 7
    assert "$1.87 <small>\N{MULTIPLICATION SIGN}11</small>" in html
    assert "● live 0 s" in html
    assert "No fills for this position today." in html
    assert [tab.label for tab in test.tabs] == [
        "P/L today", "Mark today", "Fills today (0)", "Greeks", "Scenarios",
    ]  # fmt: skip
    assert "The curve starts" in " ".join(each.value for each in test.markdown)


def test_a_single_says_why_the_broker_differs() -> None:
    """Why the broker's price differs is explained in a sentence below the quotes."""
    _, html = _draw("call")
    assert "The broker values an option at its last trade" in html
    assert "<td>$21.00</td>" in html
    assert _table(html, "Quotes").count('<th scope="row">') == 1


def test_a_calendar_says_why_it_has_no_payoff_and_what_is_wrong() -> None:
    """The detail shows a calendar's warnings as whole sentences."""
    test, html = _draw("calendar")
    assert "No payoff at expiry" in " ".join(each.value for each in test.markdown)
    assert "At least one leg has no mark" in html


def test_switched_off_legs_are_the_reason_why_there_is_no_payoff() -> None:
    """Neither the file nor the expiries are to blame if the reader has switched every leg off."""
    test, _ = _draw("condor")
    test.button_group[0].set_value([]).run()
    said = " ".join(each.value for each in test.markdown)
    assert "No payoff\\: every leg is switched off." in said
    assert "No payoff at expiry" not in said


def test_an_adjusted_contract_says_why_it_has_no_payoff() -> None:
    """Even with a confirmed multiplier, no break-even is shown."""
    test, html = _draw("adjusted")
    said = " ".join(each.value for each in test.markdown)
    assert "No payoff at expiry\\: the deliverable of an adjusted contract is unknown." in said
    assert "break-evens —" in html
    assert "55.00" not in html
    assert "Adjusted contract: deliverable unknown" in html


def test_a_position_that_is_gone_draws_nothing() -> None:
    """Nothing is drawn for a selected position that was removed from the file."""
    test, html = _draw("unknown")
    assert (html, len(test.tabs)) == ("", 0)
