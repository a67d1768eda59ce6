"""The status line: one headline for every state of the streams, its details and its next step."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from options_helper.analysis.status.stream_diagnosis import (
    Diagnosis,
    Level,
    QuoteCounts,
    Readiness,
    diagnose,
    name_symbols,
)
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    StreamState,
)
from options_helper.times import NEW_YORK
from tests.analysis.status.streams import (
    CONTRACTS,
    FILLS,
    NOW,
    OPTIONS,
    STOCKS,
    ago,
    health,
    polled,
    rejected,
    snapshot,
)

_LATE = "Options on SPY, QQQ and other late-closing products trade"


def test_not_started_says_what_is_ready() -> None:
    """Before Start, the line shows the number of symbols and the button to press."""
    assert diagnose(LiveSnapshot(as_of=NOW), ready=Readiness(contracts=12, underlyings=5)) == Diagnosis(
        Level.INFO, "Not started.", "12 contracts and 5 underlyings are ready. Press Start to connect."
    )


@pytest.mark.parametrize(
    ("ready", "detail"),
    [
        (None, "Load a portfolio, then press Start."),
        (Readiness(contracts=0, underlyings=0), "Nothing in this portfolio has a price to stream."),
        (
            Readiness(contracts=1, underlyings=1),
            "1 contract and 1 underlying are ready. Press Start to connect.",
        ),
        (
            Readiness(contracts=0, underlyings=1),
            "1 underlying is ready. Press Start to connect.",
        ),
    ],
)
def test_not_started_counts_what_is_there(ready: Readiness | None, detail: str) -> None:
    """Without positions, the next step is to load or change the portfolio."""
    assert diagnose(LiveSnapshot(as_of=NOW), ready=ready).detail == detail


def test_stopped_says_when() -> None:
    """After Stop, the line shows the time, and that the figures are frozen."""
    stopped = LiveSnapshot(as_of=NOW, status=StreamState.STOPPED, stopped_at=ago(60))
    assert diagnose(stopped) == Diagnosis(Level.INFO, "Stopped 13:45:02.", "Figures are frozen.")


def test_stopped_by_nobody_says_why() -> None:
    """If the hub stopped the streams by itself, the headline gives the reason."""
    stopped = LiveSnapshot(as_of=NOW, status=StreamState.STOPPED, stopped_at=ago(60))
    said = diagnose(stopped, stop_reason="no browser was connected")
    assert said.headline == "Stopped 13:45:02:"
    assert said.detail == "no browser was connected. Figures are frozen. Press Start to continue."


def test_live_counts_what_was_granted() -> None:
    """While all streams run, the line shows granted and requested symbols, the oldest quote and the time."""
    said = diagnose(snapshot(), quotes=QuoteCounts(total=8, oldest_seconds=4.4))
    assert said == Diagnosis(
        Level.SUCCESS,
        "Live.",
        "Options 8 of 8 · stocks 2 of 2 · fills listening. Oldest quote 4 s. Updated 13:46:02.",
    )


def test_live_mentions_the_quiet() -> None:
    """Quiet and missing quotes are mentioned in grey and raise no alarm."""
    both = {OPTIONS: 2, STOCKS: 1}
    said = diagnose(snapshot(), quotes=QuoteCounts(total=8, oldest_seconds=41, quiet=3, quiet_by_stream=both))
    assert (said.level, said.headline) == (Level.QUIET, "Live.")
    assert "Oldest quote 41 s. 3 of 8 are quiet (options, stocks). Updated" in said.detail
    said = diagnose(snapshot(), quotes=QuoteCounts(total=1400, quiet=1200))
    assert "1,200 of 1,400 are quiet." in said.detail
    said = diagnose(snapshot(), quotes=QuoteCounts(total=8, quiet=1, missing=2))
    assert said.level is Level.QUIET
    assert "1 of 8 is quiet and 2 of 8 without a quote." in said.detail


def test_a_stream_that_is_off_is_left_out() -> None:
    """A stream that was not started is neither counted nor waited for."""
    said = diagnose(snapshot(health(FILLS, StreamState.NOT_STARTED)))
    assert said.detail == "Options 8 of 8 · stocks 2 of 2. Updated 13:46:02."


def test_times_are_in_the_readers_zone() -> None:
    """In another zone, the same snapshot's times are shifted."""
    zone = dt.timezone(dt.timedelta(hours=1))
    assert "Updated 19:46:02." in diagnose(snapshot(), zone=zone).detail


def test_a_channel_limit_is_named() -> None:
    """If a plan granted only some symbols, the line names its limit as the cause."""
    some = health(OPTIONS, missing=frozenset(sorted(CONTRACTS)[:2]), channels=6)
    said = diagnose(snapshot(some))
    assert said.headline == "Options: Alpaca granted 6 channels. 6 of 8 symbols stream."
    assert said.detail.startswith("Not streamed: ")


def test_connecting_says_what_it_waits_for() -> None:
    """While connecting, the line shows the step and its duration."""
    waiting = health(
        OPTIONS, StreamState.CONNECTING, since=ago(2), step="authenticated, waiting for the subscription"
    )
    assert diagnose(snapshot(waiting)) == Diagnosis(
        Level.INFO, "Connecting.", "Options: authenticated, waiting for the subscription (2 s)."
    )


def test_a_hanging_handshake_says_that_no_answer_came() -> None:
    """From the third second on, the line says that the handshake has had no answer."""
    waiting = health(STOCKS, StreamState.CONNECTING, since=ago(7), step="")
    said = diagnose(snapshot(waiting))
    assert (said.level, said.detail) == (
        Level.WARNING,
        "Stocks: opening the connection, no answer for 7 s.",
    )


def test_connecting_without_records_is_still_connecting() -> None:
    """A snapshot that has no records but is connecting is described as connecting."""
    said = diagnose(LiveSnapshot(as_of=NOW, running=True, status=StreamState.CONNECTING))
    assert (said.level, said.headline, said.detail) == (Level.INFO, "Connecting.", "")


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (MarketPhase.PRE, "Regular session closed"),
        (MarketPhase.AFTER, "Regular session closed"),
        (MarketPhase.OVERNIGHT, "Overnight session; regular session closed"),
        (MarketPhase.CLOSED, "Market closed"),
    ],
)
def test_a_closed_market_is_not_a_fault(phase: MarketPhase, words: str) -> None:
    """Outside the session, the line shows until when, and the time of the last marks."""
    monday = dt.datetime(2026, 11, 23, 9, 30, tzinfo=NEW_YORK)
    silent = health(OPTIONS, last_event_at=ago(9000))
    said = diagnose(
        snapshot(silent, market_phase=phase),
        next_open=monday,
        quotes=QuoteCounts(total=8, stale=8, newest_at=dt.datetime(2026, 11, 20, 12, 0, tzinfo=NEW_YORK)),
    )
    assert said.level is Level.INFO
    assert said.headline == f"{words} until Mon 09:30."
    assert said.detail == "The streams are connected. Last marks from 12:00."


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, f"{_LATE} until 16:15. The streams are connected."),
        (14, f"{_LATE} until 16:15. The streams are connected."),
        (15, "The streams are connected."),
    ],
)
def test_after_the_close_some_options_still_trade(minutes: int, words: str) -> None:
    """For 15 minutes after the close, the line names the options that still trade, and until when."""
    close = dt.datetime(2026, 11, 20, 16, tzinfo=NEW_YORK)
    after = replace(
        snapshot(market_phase=MarketPhase.AFTER, session_close=close),
        as_of=close + dt.timedelta(minutes=minutes),
    )
    assert diagnose(after).detail == words


def test_a_closed_market_of_unknown_length() -> None:
    """If the next opening is unknown, the sentence does not mention it."""
    said = diagnose(snapshot(market_phase=MarketPhase.CLOSED))
    assert (said.headline, said.detail) == ("Market closed.", "The streams are connected.")


def test_symbols_not_granted_are_named() -> None:
    """Symbols that the server did not acknowledge are counted, and the first few are named."""
    some = health(OPTIONS, missing=frozenset(sorted(CONTRACTS)[:2]))
    said = diagnose(snapshot(some))
    assert said.headline == "Options: 2 of 8 not granted."
    assert "AAPL261210C00250000 and AAPL261211C00250000" in said.detail


def test_many_symbols_are_counted() -> None:
    """Beyond the first three symbols, the line shows a number."""
    assert name_symbols(frozenset("ABCDE")) == "A, B, C and 2 more"
    assert name_symbols(frozenset("AB")) == "A and B"


def test_the_worst_wins() -> None:
    """An error comes first, then a reconnection, then connecting, and stale quotes come last."""
    error, away = rejected(FILLS, 402), health(OPTIONS, StreamState.RECONNECTING)
    connecting = health(STOCKS, StreamState.CONNECTING)
    quotes = QuoteCounts(total=8, stale=8)
    assert diagnose(snapshot(error, away, connecting), quotes=quotes).level is Level.ERROR
    assert diagnose(snapshot(away, connecting), quotes=quotes).headline.startswith("Reconnecting")
    assert diagnose(snapshot(connecting), quotes=quotes).headline == "Connecting."


def test_symbols_left_out_without_a_limit_are_named_although_they_are_polled() -> None:
    """Symbols left out without a limit are reported, because they may be wrong in the file."""
    said = diagnose(snapshot(polled(OPTIONS, 2, channels=None)))
    assert said.headline == "Options: 2 of 8 not granted."


def test_a_symbol_that_alpaca_does_not_accept_is_named() -> None:
    """The line names the symbol that was left out, and says that the others continue."""
    bad = frozenset(["TOOLONGNAME"])
    said = diagnose(snapshot(health(STOCKS, asked=bad | {"AAPL"}, missing=bad, invalid=bad)))
    assert said == Diagnosis(
        Level.WARNING,
        "Alpaca does not accept a symbol: TOOLONGNAME.",
        "It is left out; the others continue. Check the portfolio file.",
    )
