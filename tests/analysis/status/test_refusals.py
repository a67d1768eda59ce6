"""Streams that are refused or reconnect: the cause, its time, and what can be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from options_helper.analysis.status.stream_diagnosis import (
    Diagnosis,
    Level,
    diagnose,
)
from options_helper.market import (
    StreamName,
    StreamState,
)
from tests.analysis.status.streams import FILLS, OPTIONS, STOCKS, ago, failure, health, rejected, snapshot


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
    """If a next step follows the cause after a semicolon, the time is placed before the semicolon."""
    words = "the relay has stopped publishing; check that it still runs"
    away = health(FILLS, StreamState.RECONNECTING, last_failure=failure(words))
    said = "The relay has stopped publishing at 13:45:10; check that it still runs."
    assert diagnose(snapshot(away)).detail.startswith(said)


def test_fills_have_no_marks_that_age() -> None:
    """While the fill stream is away, nothing is said about ageing marks."""
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
    """Attempts are counted within the current outage; an attempt in progress shows its current step."""
    fields: dict[str, Any] = {"attempts": 9, "tries": 2, "last_failure": failure()}
    waiting = health(OPTIONS, StreamState.RECONNECTING, next_attempt_at=ago(-4), **fields)
    assert "Attempt 2, next try in 4 s." in diagnose(snapshot(waiting)).detail
    under_way = health(OPTIONS, StreamState.RECONNECTING, step="authenticating", **fields)
    assert "Attempt 2: authenticating." in diagnose(snapshot(under_way)).detail
