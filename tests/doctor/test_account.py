"""The findings about the account and Alpaca's clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from options_helper.data.settings import LIVE_URL, PAPER_URL, Account, AlpacaSettings
from options_helper.doctor import Finding, Level
from options_helper.doctor.account import check_account, check_clock
from options_helper.errors import AlpacaRestError
from tests.doctor.keys import NOW, PAPER, AccountRest

LIVE = AlpacaSettings("k", "s", account=Account.LIVE, trading_url=LIVE_URL)
REFUSED = AlpacaRestError("/v2/account", "Alpaca refused the key (401).", status=401)
ACTIVE = {"account_number": "PA1234567890", "status": "ACTIVE"}


@pytest.mark.parametrize(
    ("settings", "other", "url"), [(PAPER, "live", LIVE_URL), (LIVE, "paper", PAPER_URL)]
)
def test_a_key_of_the_other_host_is_recognised(settings, other: str, url: str) -> None:
    """If Alpaca's other host accepts the key, the finding says so."""
    answers = {settings.trading_url: REFUSED, url: ACTIVE}
    finding = check_account(settings, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert finding.level is Level.FAIL
    assert f"the key belongs to the {other} host" in finding.text
    assert f"APCA_API_BASE_URL={url}" in finding.text


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (PAPER, REFUSED),
        (PAPER, AlpacaRestError("/v2/account", "no answer within the time allowed")),
        (AlpacaSettings("k", "s", account=Account.DEMO, trading_url="http://127.0.0.1:9"), REFUSED),
    ],
)
def test_any_other_refusal_is_reported_as_it_is(settings, error) -> None:
    """Other refusals, network failures and foreign hosts are reported as they are."""
    answers = dict.fromkeys((PAPER_URL, LIVE_URL, settings.trading_url), error)
    finding = check_account(settings, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert (finding.level, finding.text) == (Level.FAIL, str(error))


def test_an_account_that_is_not_active_is_noted() -> None:
    """The account's number is masked, and its status is the server's word."""
    answers = {PAPER_URL: {"account_number": "PA1234567890", "status": "ONBOARDING"}}
    finding = check_account(PAPER, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert finding == Finding("Account", Level.NOTE, "PA…90 on the paper host, status ONBOARDING")


def _clock_finding(answer: Any, now: dt.datetime = NOW) -> Finding:
    return check_clock(PAPER, lambda one: AccountRest(one.trading_url, {PAPER_URL: answer}), lambda: now)  # type: ignore[arg-type,return-value]


def _clock(**changes: Any) -> dict[str, Any]:
    times = {
        "timestamp": "2026-11-20T10:00:00-05:00",
        "next_open": "2026-11-23T09:30:00-05:00",
        "next_close": "2026-11-20T16:00:00-05:00",
    }
    return {"is_open": True, **times, **changes}


def test_the_clock_reports_the_phase_and_that_clocks_agree() -> None:
    """The finding gives the end of the phase in New York time, and says that the clocks agree."""
    finding = _clock_finding(_clock())
    assert finding.level is Level.OK
    assert finding.text.startswith("the market is open until Fri 16:00 New York; this machine's clock agrees")


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s ahead of"), (-3, "3 s behind")])
def test_a_clock_that_is_off_is_noted(seconds: int, words: str) -> None:
    """A wrong clock is a note, because the page corrects ages for it."""
    finding = _clock_finding(_clock(), NOW + dt.timedelta(seconds=seconds))
    assert finding.level is Level.NOTE
    assert words in finding.text


@pytest.mark.parametrize("answer", [{}, AlpacaRestError("/v2/clock", "the server failed (503)", status=503)])
def test_a_malformed_clock_is_a_failure(answer) -> None:
    """An invalid answer about the clock, or none at all, is a failure."""
    assert _clock_finding(answer).level is Level.FAIL
