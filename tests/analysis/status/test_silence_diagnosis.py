"""Streams that are connected and silent: when that is a fault, and when it is normal."""

from __future__ import annotations

from typing import Any

import pytest

from options_helper.analysis.status.stream_diagnosis import (
    Diagnosis,
    Level,
    diagnose,
)
from options_helper.analysis.streams.silence import MUTE
from options_helper.analysis.tables.view import compute_view
from options_helper.analysis.valuation.quote_state import QuoteState, is_silent_too_long
from options_helper.market import (
    MarketPhase,
    Quote,
    StreamFailure,
)
from options_helper.models import Portfolio
from tests.analysis.status.streams import FILLS, OPTIONS, STOCKS, ago, health, rejected, snapshot


def test_running_without_an_event_names_feed_or_permission() -> None:
    """In an open market without a quote, the line shows for how long, and the likely cause."""
    silent = health(OPTIONS, last_event_at=None, connected_at=ago(45))
    assert diagnose(snapshot(silent)) == Diagnosis(
        Level.WARNING,
        "Connected, no option quote yet (45 s).",
        "Check the feed permission: does your plan include INDICATIVE? Stocks and fills are live.",
    )


def test_the_first_seconds_without_an_event_are_normal() -> None:
    """No complaint appears right after the acknowledgement."""
    silent = health(OPTIONS, last_event_at=None, connected_at=ago(5))
    assert diagnose(snapshot(silent)).level is Level.SUCCESS


def test_an_unknown_phase_is_part_of_the_sentence() -> None:
    """If the market's hours are unknown, the sentence says that silence may be normal."""
    silent = health(STOCKS, last_event_at=None, connected_at=ago(20))
    said = diagnose(snapshot(silent, market_phase=MarketPhase.UNKNOWN))
    assert said.headline == "Connected, no stock quote yet (20 s)."
    assert said.detail.startswith("The market's hours are not known yet; outside them, silence is normal.")


def test_a_mute_stream_is_reported() -> None:
    """The line shows how long a ticking stream has been silent, and what can be done."""
    mute = health(OPTIONS, last_event_at=ago(48))
    said = diagnose(snapshot(mute))
    assert (said.level, said.headline) == (Level.WARNING, "Connected, no option quote for 48 s.")
    assert said.detail == (
        "Alpaca answers pings, but the feed sends nothing. Press Restart to reconnect. "
        "Stocks and fills are live."
    )
    unheard = health(OPTIONS, last_event_at=ago(48), last_heard_at=ago(48))
    assert diagnose(snapshot(unheard)).detail.startswith("The feed sends nothing. Press Restart")


def test_a_silent_stream_is_not_called_live() -> None:
    """If both data streams are silent, only the fills are called live."""
    silent = [health(stream, last_event_at=ago(48)) for stream in (OPTIONS, STOCKS)]
    assert diagnose(snapshot(*silent)).detail.endswith("to reconnect. Fills are live.")
    refused = rejected(FILLS, 402)
    never = health(STOCKS, last_event_at=None, connected_at=ago(20))
    assert "Options are live." in diagnose(snapshot(refused, never)).detail


def test_silence_counts_from_the_current_connection() -> None:
    """After an outage of a minute, a stream that has just come back is not called mute."""
    fresh = health(OPTIONS, last_event_at=ago(61), connected_at=ago(2))
    assert diagnose(snapshot(fresh)).level is Level.SUCCESS
    still_silent = health(OPTIONS, last_event_at=ago(71), connected_at=ago(12))
    said = diagnose(snapshot(still_silent))
    assert said.headline == "Connected, no option quote yet (12 s)."
    # It ticked under the same plan, so permission is not the problem.
    assert said.detail.startswith("The last one arrived 1 m 11 s ago, on an earlier connection.")
    assert "permission" not in said.detail


def test_a_connection_after_a_mute_one_must_prove_itself() -> None:
    """Until a quote arrives on the new connection, the line is not "Live" and no quote is quiet."""
    mute = StreamFailure(MUTE, ago(2))
    again = health(OPTIONS, last_event_at=ago(48), connected_at=ago(1), last_failure=mute)
    assert diagnose(snapshot(again)).headline == "Connected, no option quote yet (1 s)."
    assert is_silent_too_long(snapshot(again), OPTIONS)
    proven = health(OPTIONS, last_event_at=ago(1), connected_at=ago(1), last_failure=mute)
    assert diagnose(snapshot(proven)).level is Level.SUCCESS
    assert not is_silent_too_long(snapshot(proven), OPTIONS)
    next_day = snapshot(again, session_open=ago(1))
    assert diagnose(next_day).level is Level.SUCCESS, "yesterday's silence proves nothing today"


def test_no_quote_is_quiet_on_a_connection_that_the_line_calls_silent() -> None:
    """The line and the rows use the same limit for a new connection, 10 s."""
    for seconds, silent in ((9, False), (11, True)):
        live = snapshot(health(OPTIONS, last_event_at=ago(71), connected_at=ago(seconds)))
        assert (diagnose(live).level is Level.WARNING, is_silent_too_long(live, OPTIONS)) == (silent, silent)


def test_silence_counts_from_the_opening() -> None:
    """A page left running overnight does not call its streams mute for the hours the market was closed."""
    night: dict[str, Any] = {"last_event_at": ago(63_000), "connected_at": ago(90_000)}
    silent = [health(stream, **night) for stream in (OPTIONS, STOCKS)]
    assert diagnose(snapshot(*silent, session_open=ago(5))).level is Level.SUCCESS
    said = diagnose(snapshot(*silent, session_open=ago(50)))
    assert said.headline == "Connected, no option quote for 50 s."
    assert said.detail.endswith("Press Restart to reconnect. Fills are live.")
    new = health(OPTIONS, last_event_at=None, connected_at=ago(3600))
    assert diagnose(snapshot(new, session_open=ago(9))).level is Level.SUCCESS
    assert diagnose(snapshot(new, session_open=ago(12))).headline == "Connected, no option quote yet (12 s)."


@pytest.mark.parametrize(
    ("phase", "opening"), [(MarketPhase.UNKNOWN, 5), (MarketPhase.OPEN, -3600), (MarketPhase.OPEN, 3600)]
)
def test_an_opening_that_does_not_bound_the_silence_changes_nothing(phase: MarketPhase, opening: int) -> None:
    """Only a session that is open, and that began after the last event, shortens a silence."""
    mute = health(OPTIONS, last_event_at=ago(48))
    said = diagnose(snapshot(mute, market_phase=phase, session_open=ago(opening)))
    assert said.headline == "Connected, no option quote for 48 s."


def test_fills_are_naturally_silent() -> None:
    """A fill stream is shown as listening, however long it goes without an event."""
    assert diagnose(snapshot(health(FILLS, last_event_at=None))).level is Level.SUCCESS


@pytest.mark.parametrize(
    ("seconds", "headline", "state"),
    [
        (20.0, "Live.", QuoteState.LIVE),
        (40.0, "Quiet.", QuoteState.QUIET),
        (46.0, "Connected, no option quote for 46 s.", QuoteState.STALE),
    ],
)
def test_a_muted_feed_has_one_truth(seconds: float, headline: str, state: QuoteState) -> None:
    """While the stream only answers pings, the rows turn from live to quiet to stale as the line does."""
    terms = {"symbol": "AAPL", "option_type": "call", "expiry": "2026-12-18", "strike": 250, "contracts": 1}
    portfolio = Portfolio.model_validate({"positions": [{"id": "call", "cost_basis": 1, **terms}]})
    symbol = "AAPL261218C00250000"
    quote = Quote(symbol, 1.0, 1.1, 1, 1, timestamp=ago(seconds), received_at=ago(seconds))
    muted = health(OPTIONS, asked=frozenset({symbol}), last_event_at=ago(seconds))
    live = snapshot(muted, option_quotes={symbol: quote}, session_open=ago(3600))
    view = compute_view(portfolio, live, stale_after_seconds=30.0)
    assert view.positions["state"].tolist() == [state]
    assert diagnose(live, quotes=view.quotes).headline == headline
