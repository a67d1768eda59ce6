"""Every state of the streams has one headline, its cause and one next step."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from options_helper.analysis.status.stream_diagnosis import (
    Diagnosis,
    Level,
    QuoteCounts,
    Readiness,
    diagnose,
    name_symbols,
)
from options_helper.analysis.status.stream_lines import describe_mix, describe_stream, stream_records
from options_helper.analysis.streams.clock import correct_clock
from options_helper.analysis.streams.silence import MUTE
from options_helper.analysis.tables.view import compute_view
from options_helper.analysis.valuation.quote_state import QuoteState, is_silent_too_long
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.models import Portfolio
from options_helper.times import NEW_YORK

# A Friday, 13:46:02 in New York.
NOW = dt.datetime(2026, 11, 20, 18, 46, 2, tzinfo=dt.UTC)
OPTIONS, STOCKS, FILLS = StreamName.OPTIONS, StreamName.STOCKS, StreamName.FILLS
CONTRACTS = frozenset(f"AAPL26121{n}C00250000" for n in range(8))


def ago(seconds: float) -> dt.datetime:
    """A moment before NOW."""
    return NOW - dt.timedelta(seconds=seconds)


def health(stream: StreamName, state: StreamState = StreamState.RUNNING, **fields: Any) -> StreamHealth:
    """Return the health of a stream, good by default."""
    asked = {OPTIONS: CONTRACTS, STOCKS: frozenset({"AAPL", "MSFT"}), FILLS: frozenset()}[stream]
    good: dict[str, Any] = {
        "asked": asked,
        "since": ago(600),
        "connected_at": ago(600),
        "last_event_at": ago(0.2),
        "last_heard_at": ago(0.1),
    }
    return StreamHealth(stream, state=state, **(good | fields))


def failure(
    text: str = "the connection was reset", code: int | None = None, *, final: bool = False
) -> StreamFailure:
    """A failure of a stream at 13:45:10."""
    return StreamFailure(text, ago(52), code, final)


def rejected(stream: StreamName, code: int | None, text: str = "refused", **fields: Any) -> StreamHealth:
    """A stream in error."""
    return health(stream, StreamState.ERROR, last_failure=failure(text, code, final=True), **fields)


def snapshot(*records: StreamHealth, **fields: Any) -> LiveSnapshot:
    """An open market with these streams; the others in good health."""
    given = {record.stream: record for record in records}
    everything = {stream: given.get(stream, health(stream)) for stream in StreamName}
    states = [record.state for record in everything.values()]
    order = (StreamState.ERROR, StreamState.RECONNECTING, StreamState.CONNECTING, StreamState.RUNNING)
    base: dict[str, Any] = {
        "as_of": NOW,
        "running": True,
        "status": next(state for state in order if state in states),
        "health": everything,
        "market_phase": MarketPhase.OPEN,
        "options_feed": "indicative",
        "stock_feed": "iex",
        "account": "paper",
    }
    return LiveSnapshot(**(base | fields))


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


@pytest.mark.parametrize("code", [401, 402])
def test_a_refused_key_names_the_variables(code: int) -> None:
    """The line names the stream, the code and the variables, and says that nothing is retried."""
    said = diagnose(snapshot(rejected(OPTIONS, code), running=False))
    assert said.level is Level.ERROR
    assert said.headline == f"Alpaca refused the key for the option stream ({code})."
    assert said.detail.startswith(
        "Not retried. Set APCA_API_KEY_ID and APCA_API_SECRET_KEY in config/alpaca.env, then press Start."
    )


def test_a_key_refused_everywhere_is_reported_once() -> None:
    """Three streams refused for the same reason are reported in one sentence."""
    said = diagnose(
        snapshot(rejected(OPTIONS, 402), rejected(STOCKS, 402), rejected(FILLS, 402), running=False)
    )
    assert said.headline == "Alpaca refused the key for the option, stock and fill streams (402)."
    assert "A live key does not work on the paper host." in said.detail
    assert "are live" not in said.detail


def test_a_paper_key_against_the_live_host_is_named() -> None:
    """On the live account, the line suggests that the key is a paper key."""
    said = diagnose(snapshot(rejected(OPTIONS, 402), rejected(FILLS, 402), account="live"))
    assert "A paper key does not work on the live host." in said.detail


def test_an_unknown_account_guesses_nothing() -> None:
    """If the account is unknown, no mismatch is claimed."""
    said = diagnose(snapshot(rejected(OPTIONS, 402), account=None))
    assert "does not fit" not in said.detail


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("live", "(the live host; a paper key is refused there)"),
        ("paper", "(the paper host; a live key is refused there)"),
        (None, "the trading host does not. Choose"),
    ],
)
def test_only_the_trading_host_refuses(account: str | None, words: str) -> None:
    """If only the trading host rejects the key, the page names it and says that data continues."""
    said = diagnose(snapshot(rejected(FILLS, 402), account=account))
    assert said.headline == "Alpaca refused the key for the fill stream (402)."
    assert words in said.detail
    assert "Options and stocks are live." in said.detail
    assert "press Restart" in said.detail


def test_an_unauthorized_without_a_code_is_a_refused_key() -> None:
    """The trading stream's "unauthorized" means a refused key, although it has no code."""
    said = diagnose(snapshot(rejected(FILLS, None, "unauthorized")))
    assert said.headline == "Alpaca refused the key for the fill stream."


@pytest.mark.parametrize(
    ("stream", "feeds", "headline", "step"),
    [
        (
            OPTIONS,
            {"options_feed": "opra"},
            "Your plan does not include OPRA (409).",
            "Choose Indicative as the options feed in the sidebar",
        ),
        (
            STOCKS,
            {"stock_feed": "sip"},
            "Your plan does not include SIP (409).",
            "Choose IEX as the stock feed in the sidebar",
        ),
        (
            OPTIONS,
            {},
            "Your plan does not include the indicative options feed (409).",
            "check this account's data subscription at Alpaca, then press Restart",
        ),
        (
            STOCKS,
            {},
            "Your plan does not include IEX (409).",
            "check this account's data subscription at Alpaca, then press Restart",
        ),
        (
            STOCKS,
            {"stock_feed": None},
            "Your plan does not include this feed (409).",
            "Choose IEX as the stock feed in the sidebar",
        ),
    ],
)
def test_a_plan_without_the_feed_names_the_other(
    stream: StreamName, feeds: dict[str, str | None], headline: str, step: str
) -> None:
    """A 409 names the missing feed and the one to choose instead, never the one that was refused."""
    said = diagnose(snapshot(rejected(stream, 409), **feeds))
    assert said.headline == headline
    assert step in said.detail
    assert ("Choose" in said.detail) == ("sidebar" in step)


@pytest.mark.parametrize(
    ("stream", "asked", "step"),
    [
        (OPTIONS, 8, "Lower Max option contracts in the sidebar"),
        (STOCKS, 2, "Use a portfolio with fewer underlyings, or turn Stocks off"),
    ],
)
def test_a_symbol_limit_says_how_many_were_requested(stream: StreamName, asked: int, step: str) -> None:
    """A 405 says how many symbols were requested, that nothing is subscribed, and what to lower."""
    said = diagnose(snapshot(rejected(stream, 405)))
    assert said.headline == f"Your plan allows fewer symbols than the {asked} requested (405)."
    assert "Nothing is subscribed on the" in said.detail
    assert step in said.detail


def test_another_final_code_keeps_its_own_words() -> None:
    """A final code without its own rule is shown with Alpaca's words, and is not retried."""
    said = diagnose(snapshot(rejected(OPTIONS, 413, "a star subscription is refused")))
    assert said.headline == "The option stream ended (413)."
    assert said.detail.startswith("A star subscription is refused. Not retried; press Restart to try again.")


def test_an_error_without_a_reason_says_so() -> None:
    """If no failure was recorded, no reason is invented."""
    said = diagnose(snapshot(health(OPTIONS, StreamState.ERROR)))
    assert said.headline == "The option stream ended."
    assert "No reason was given." in said.detail


def test_an_error_says_how_old_the_last_event_is() -> None:
    """The last event's age appears below an error."""
    said = diagnose(snapshot(rejected(OPTIONS, 402, last_event_at=ago(250))))
    assert said.detail.endswith("Last event 4 m 10 s ago.")
    unseen = diagnose(snapshot(rejected(OPTIONS, 402, last_event_at=None)))
    assert "Last event" not in unseen.detail


def test_reconnecting_says_why_and_when() -> None:
    """A dropped connection shows its reason and time, the attempt, the next try, and what is still live."""
    away = health(
        OPTIONS,
        StreamState.RECONNECTING,
        attempts=3,
        next_attempt_at=ago(-4.5),
        last_failure=failure(),
    )
    assert diagnose(snapshot(away)) == Diagnosis(
        Level.WARNING,
        "Reconnecting the option stream.",
        "The connection was reset at 13:45:10. Attempt 3, next try in 4 s. "
        "Stocks and fills are live. Option marks are ageing.",
    )


def test_reconnecting_shows_a_code_once() -> None:
    """A code that the text contains is not repeated; otherwise, it is appended."""
    with_code = health(
        FILLS, StreamState.RECONNECTING, last_failure=failure("the server answered HTTP 503", 503)
    )
    assert diagnose(snapshot(with_code)).detail.startswith("The server answered HTTP 503 at 13:45:10.")
    without = health(FILLS, StreamState.RECONNECTING, last_failure=failure("slow client", 407))
    assert diagnose(snapshot(without)).detail.startswith("Slow client (407) at 13:45:10. Trying again.")


def test_the_time_of_a_cause_comes_before_its_next_step() -> None:
    """A cause with a next step after a semicolon has its time before it."""
    words = "the relay has stopped publishing; check that it still runs"
    away = health(FILLS, StreamState.RECONNECTING, last_failure=failure(words))
    said = "The relay has stopped publishing at 13:45:10; check that it still runs."
    assert diagnose(snapshot(away)).detail.startswith(said)


def test_fills_have_no_marks_that_age() -> None:
    """While the fill stream is away, nothing is said of ageing marks."""
    away = health(FILLS, StreamState.RECONNECTING, attempts=1, next_attempt_at=ago(-0.2))
    said = diagnose(snapshot(away))
    assert said.headline == "Reconnecting the fill stream."
    assert said.detail == "Attempt 1, next try now. Options and stocks are live."


def test_several_streams_reconnect_in_one_sentence() -> None:
    """If all streams are lost, one headline names them."""
    away = [health(stream, StreamState.RECONNECTING, last_failure=failure()) for stream in StreamName]
    said = diagnose(snapshot(*away))
    assert said.headline == "Reconnecting the option, stock and fill streams."
    assert said.detail.endswith("Option and stock marks are ageing.")
    assert "live" not in said.detail


def test_a_channel_limit_is_named() -> None:
    """If a plan granted only some symbols, the line names its limit as the cause."""
    some = health(OPTIONS, missing=frozenset(sorted(CONTRACTS)[:2]), channels=6)
    said = diagnose(snapshot(some))
    assert said.headline == "Options: Alpaca granted 6 channels. 6 of 8 symbols stream."
    assert said.detail.startswith("Not streamed: ")


def test_too_many_attempts_are_not_blamed_on_another_program() -> None:
    """A 429 has its own cause: nothing proves that another program is connected."""
    away = health(FILLS, StreamState.RECONNECTING, last_failure=failure("too many attempts", 429))
    said = diagnose(snapshot(away))
    assert said.headline == "Reconnecting the fill stream."
    assert "Too many attempts (429)" in said.detail


def test_a_second_program_is_named() -> None:
    """A 406 means that another program holds the stream, and that the stream will recover by itself."""
    away = health(OPTIONS, StreamState.RECONNECTING, attempts=2, last_failure=failure("held", 406))
    said = diagnose(snapshot(away))
    assert said.headline == "Another program is using your option stream (406)."
    assert "Streaming resumes when the other program disconnects" in said.detail


def test_a_second_program_is_blamed_only_for_its_streams() -> None:
    """A stream lost for another cause is reported separately from the one that is held elsewhere."""
    held = health(OPTIONS, StreamState.RECONNECTING, attempts=2, last_failure=failure("held", 406))
    lost = health(STOCKS, StreamState.RECONNECTING, attempts=1, last_failure=failure())
    said = diagnose(snapshot(held, lost))
    assert said.headline == "Another program is using your option stream (406)."
    assert "Reconnecting the stock stream too. The connection was reset at 13:45:10." in said.detail
    assert "Options: attempt 2." in said.detail
    lost_first = health(OPTIONS, StreamState.RECONNECTING, last_failure=replace(failure(), at=ago(2)))
    held_too = health(FILLS, StreamState.RECONNECTING, last_failure=failure("held", 429))
    said = diagnose(snapshot(lost_first, held_too))
    assert said.headline == "Reconnecting the option and fill streams."
    assert (
        "Option stream: the connection was reset at 13:46:00; fill stream: held (429) at 13:45:10."
        in said.detail
    )


def test_an_attempt_counts_from_the_last_proof() -> None:
    """The attempt counts within this outage; an attempt in progress shows its current step."""
    fields: dict[str, Any] = {"attempts": 9, "tries": 2, "last_failure": failure()}
    waiting = health(OPTIONS, StreamState.RECONNECTING, next_attempt_at=ago(-4), **fields)
    assert "Attempt 2, next try in 4 s." in diagnose(snapshot(waiting)).detail
    under_way = health(OPTIONS, StreamState.RECONNECTING, step="authenticating", **fields)
    assert "Attempt 2: authenticating." in diagnose(snapshot(under_way)).detail


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
        (0, "Options on SPY, QQQ and other late products trade until 16:15. The streams are connected."),
        (14, "Options on SPY, QQQ and other late products trade until 16:15. The streams are connected."),
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
    """A page left running overnight does not call its streams mute for the hours of the closed market."""
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
    """A fill stream without an event is shown as listening, however long it lasts."""
    assert diagnose(snapshot(health(FILLS, last_event_at=None))).level is Level.SUCCESS


def test_stale_quotes_are_counted() -> None:
    """The line shows the number of stale quotes, the oldest one, the threshold and the stream's state."""
    said = diagnose(
        snapshot(),
        quotes=QuoteCounts(total=12, stale=5, oldest_seconds=192, oldest_name="BRK.B 500 call"),
    )
    assert said == Diagnosis(
        Level.WARNING,
        "5 of 12 quotes are stale.",
        "Oldest 3 m 12 s (BRK.B 500 call), threshold 30 s; the stream is connected.",
    )


def test_stale_quotes_of_an_unheard_stream_say_so() -> None:
    """If the stream has not been heard from either, the sentence does not call it connected."""
    unheard = health(OPTIONS, last_event_at=ago(14), last_heard_at=ago(14))
    said = diagnose(snapshot(unheard), quotes=QuoteCounts(total=8, stale=8, oldest_seconds=44))
    assert said.detail == "Oldest 44 s, threshold 30 s; the option stream was last heard 14 s ago."


STALE = QuoteCounts(
    total=12, stale=8, stale_by_stream={OPTIONS: 8}, oldest_seconds=31, oldest_name="BRK.B 500 call"
)


def test_stale_quotes_name_their_stream() -> None:
    """If the count per stream is known, the sentence names the stream of the stale quotes."""
    assert diagnose(snapshot(), quotes=STALE).detail == (
        "Oldest 31 s (BRK.B 500 call), threshold 30 s; the option stream is connected."
    )
    both = replace(STALE, stale_by_stream={STOCKS: 1, OPTIONS: 7})
    assert diagnose(snapshot(), quotes=both).detail.endswith("the option and stock streams are connected.")


def test_a_dead_stream_is_red() -> None:
    """A stream with stale quotes that did not even answer a ping is red, although its socket is open."""
    dead = health(OPTIONS, last_heard_at=ago(31), last_event_at=ago(31))
    assert diagnose(snapshot(dead), quotes=STALE) == Diagnosis(
        Level.ERROR,
        "No response from the option stream.",
        "Nothing has arrived for 31 s, not even a pong. "
        "8 of 12 quotes are stale, oldest 31 s (BRK.B 500 call).",
    )
    young = health(OPTIONS, last_heard_at=ago(12), last_event_at=ago(12))
    assert diagnose(snapshot(young), quotes=QuoteCounts(total=12)).level is Level.SUCCESS
    closed = diagnose(snapshot(dead, market_phase=MarketPhase.CLOSED), quotes=STALE)
    assert closed.level is Level.INFO, "no red off hours"


def test_a_lost_stream_turns_red_with_its_quotes() -> None:
    """While the stream reconnects, the line is amber; once its quotes are stale, it is red."""
    away = health(OPTIONS, StreamState.RECONNECTING, attempts=3, last_failure=failure())
    assert diagnose(snapshot(away), quotes=QuoteCounts(total=12)).level is Level.WARNING
    said = diagnose(snapshot(away), quotes=STALE)
    assert (said.level, said.headline) == (Level.ERROR, "Reconnecting the option stream.")
    assert said.detail.endswith("8 of 12 quotes are stale, oldest 31 s (BRK.B 500 call).")
    fills = health(FILLS, StreamState.RECONNECTING, last_failure=failure())
    assert diagnose(snapshot(fills), quotes=STALE).level is Level.WARNING


def test_a_stream_that_is_behind_is_reported() -> None:
    """Quotes that are old on arrival do not make a live market, however many arrive."""
    late = health(OPTIONS, lag_seconds=95.0)
    assert diagnose(snapshot(late), quotes=QuoteCounts(total=8)) == Diagnosis(
        Level.WARNING,
        "Option quotes arrive 1 m 35 s late.",
        "Their ages include this delay.",
    )
    assert diagnose(snapshot(late), quotes=STALE).detail.endswith("oldest 31 s (BRK.B 500 call).")
    ahead = correct_clock(snapshot(late, clock_offset_seconds=94.0))
    assert diagnose(ahead, quotes=QuoteCounts(total=8)).headline == "Live.", "a wrong clock is not a lag"


def test_one_stale_quote_is_singular() -> None:
    """One quote is not written in the plural, and an unknown age is left out."""
    said = diagnose(snapshot(), quotes=QuoteCounts(total=1, stale=1))
    assert (said.headline, said.detail) == (
        "1 of 1 quote is stale.",
        "Threshold 30 s; the stream is connected.",
    )


def test_the_worst_wins() -> None:
    """An error comes before a reconnection, that before connecting, and that before stale quotes."""
    error, away = rejected(FILLS, 402), health(OPTIONS, StreamState.RECONNECTING)
    connecting = health(STOCKS, StreamState.CONNECTING)
    quotes = QuoteCounts(total=8, stale=8)
    assert diagnose(snapshot(error, away, connecting), quotes=quotes).level is Level.ERROR
    assert diagnose(snapshot(away, connecting), quotes=quotes).headline.startswith("Reconnecting")
    assert diagnose(snapshot(connecting), quotes=quotes).headline == "Connecting."


def test_records_are_made_from_the_plain_fields() -> None:
    """A snapshot that has only the promised mappings is diagnosed too."""
    plain = LiveSnapshot(
        as_of=NOW,
        status=StreamState.ERROR,
        status_by_stream={"options": "error", "fills": "running"},
        errors_by_stream={"options": "Alpaca refused the key"},
        reconnect_attempts={"options": 2},
        last_event_ts_by_stream={"options": ago(3)},
        market_phase=MarketPhase.OPEN,
    )
    first, second = stream_records(plain)
    assert (first.stream, first.attempts, first.last_event_at) == (OPTIONS, 2, ago(3))
    assert first.last_failure is not None
    assert first.last_failure.final
    assert second.last_failure is None
    assert diagnose(plain).detail.startswith("Alpaca refused the key. Not retried; press Start")


@pytest.mark.parametrize(
    ("record", "sign", "word", "text"),
    [
        (health(OPTIONS), "●", "running", "8 of 8 · just now"),
        (health(OPTIONS, last_event_at=ago(48)), "◐", "running", "8 of 8 · last 13:45:14"),
        (health(OPTIONS, last_event_at=None), "◐", "running", "8 of 8 · no quote yet"),
        (health(OPTIONS, missing=frozenset({"AAPL261210C00250000"})), "◐", "running", "7 of 8 · just now"),
        (health(FILLS), "●", "running", "listening · last 13:46:01"),
        (health(FILLS, last_event_at=None), "●", "running", "listening · none yet"),
        (
            health(STOCKS, StreamState.CONNECTING, since=ago(1)),
            "◌",
            "connecting",
            "opening the connection (1 s)",
        ),
        (
            health(STOCKS, StreamState.RECONNECTING, attempts=3, next_attempt_at=ago(-4)),
            "↻",
            "reconnecting",
            "attempt 3, next try in 4 s",
        ),
        (rejected(FILLS, 402, "Alpaca refused the key"), "✕", "error", "Alpaca refused the key (402)"),
        (health(FILLS, StreamState.ERROR), "✕", "error", "ended"),
        (health(FILLS, StreamState.STOPPED), "■", "stopped", "last event 13:46:01"),
        (health(FILLS, StreamState.STOPPED, last_event_at=None), "■", "stopped", "—"),
        (StreamHealth(OPTIONS), "○", "off", "—"),
    ],
)
def test_each_stream_has_a_line(record: StreamHealth, sign: str, word: str, text: str) -> None:
    """Each stream's line shows its state as a sign and a word, never by colour alone."""
    line = describe_stream(record, NOW, zone=NEW_YORK)
    assert (line.sign, line.word, line.text) == (sign, word, text)


def test_a_line_keeps_the_last_failure() -> None:
    """After recovery, the last failure stays visible with its time."""
    record = replace(health(OPTIONS), last_failure=failure())
    assert describe_stream(record, NOW, zone=NEW_YORK).last_failure == "the connection was reset, 13:45:10"
    assert describe_stream(health(OPTIONS), NOW, zone=NEW_YORK).last_failure == ""


def polled(stream: StreamName, number: int, **fields: Any) -> StreamHealth:
    """A stream with this many symbols polled, because the plan grants no more channels."""
    asked = health(stream).asked
    some = frozenset(sorted(asked)[:number])
    given: dict[str, Any] = {"missing": some, "polled": some, "poll_seconds": 15.0, "polled_at": ago(3)}
    given["channels"] = len(asked - some)
    return health(stream, **given | fields)


def test_the_mix_and_the_granted_limit_are_stated() -> None:
    """Streamed and polled symbols are counted by stream; a plan's limit is named, and nothing is amber."""
    records = polled(OPTIONS, 3), polled(STOCKS, 1)
    said = diagnose(snapshot(*records), quotes=QuoteCounts(total=8, oldest_seconds=2))
    assert (said.level, said.headline) == (Level.QUIET, "Live.")
    assert said.detail.startswith(
        "Options 5 stream, 3 polled every 15 s · stocks 1 stream, 1 polled every 15 s · fills listening."
    )
    assert (
        "Alpaca granted 5 channels: 5 contracts stream quotes; 3 are polled. "
        "Alpaca granted 1 channel: 1 underlying streams quotes; 1 is polled."
    ) in said.detail
    assert describe_mix(snapshot(*records)) == "6 stream, 4 polled every 15 s"
    assert describe_mix(snapshot()) == ""
    line = describe_stream(records[0], NOW, zone=NEW_YORK)
    assert line.text.startswith("5 stream, 3 polled every 15 s · ")


def test_an_overdue_poll_is_a_problem() -> None:
    """If REST does not answer, the line shows since when, and why."""
    late = polled(OPTIONS, 3, polled_at=ago(75))
    words = {
        "polled options": "GET /v1beta1/options/snapshots: the server failed (503). Trying again in 4 s."
    }
    said = diagnose(snapshot(late, backfill=words))
    assert said == Diagnosis(
        Level.WARNING,
        "3 option quotes are not up to date.",
        "They are not streamed; REST last returned all of them 1 m 15 s ago. "
        "GET /v1beta1/options/snapshots: the server failed (503). Trying again in 4 s.",
    )


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
