"""Checks of the account that the keys belong to, and of this machine's clock against Alpaca's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import closing

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.masking import mask
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import LIVE_URL, PAPER_URL, Account, AlpacaSettings
from options_helper.doctor.findings import Finding, Level
from options_helper.errors import AlpacaRestError
from options_helper.market import MarketPhase
from options_helper.times import NEW_YORK

BuildRest = Callable[[AlpacaSettings], AlpacaRest]

# The measured difference includes the request's round trip.
TOLERATED_SKEW_SECONDS = 2.0
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_ACTIVE = "ACTIVE"

_PHASES = {
    MarketPhase.OPEN: "open",
    MarketPhase.PRE: "before the session",
    MarketPhase.AFTER: "after the session",
    MarketPhase.OVERNIGHT: "in its overnight session",
    MarketPhase.CLOSED: "closed",
    MarketPhase.UNKNOWN: "in an unknown phase",
}


def check_account(settings: AlpacaSettings, build_rest: BuildRest) -> Finding:
    """Check that the trading host accepts the key; if not, try Alpaca's other host."""
    try:
        with closing(build_rest(settings)) as rest:
            account = rest.account()
    except AlpacaRestError as error:
        return Finding("Account", Level.FAIL, _other_host(error, settings, build_rest) or str(error))
    number, status = mask(str(account.get("account_number", ""))), str(account.get("status", "unknown"))
    words = f"{number} on the {settings.account} host, status {status}"
    return Finding("Account", Level.OK if status == _ACTIVE else Level.NOTE, words)


def _other_host(error: AlpacaRestError, settings: AlpacaSettings, build_rest: BuildRest) -> str:
    """Return how to change hosts if the key belongs to Alpaca's other host, else ""."""
    if error.status not in {_UNAUTHORIZED, _FORBIDDEN} or not settings.can_override_account:
        return ""
    other = Account.LIVE if settings.account is Account.PAPER else Account.PAPER
    try:
        with closing(build_rest(settings.with_account(other))) as rest:
            rest.account()
    except AlpacaRestError:
        return ""
    url = LIVE_URL if other is Account.LIVE else PAPER_URL
    return (
        f"the key belongs to the {other} host, but the settings name the {settings.account} one. "
        f"Set APCA_API_BASE_URL={url}, or choose {other.capitalize()} in the sidebar."
    )


def check_clock(settings: AlpacaSettings, build_rest: BuildRest, clock: Callable[[], dt.datetime]) -> Finding:
    """Report the market's phase, and the difference of this machine's clock from Alpaca's."""
    try:
        with closing(build_rest(settings)) as rest:
            answer = rest.clock()
            now = clock()
        calendar = AlpacaCalendar.from_alpaca(answer, ())
    except AlpacaRestError as error:
        return Finding("Clock", Level.FAIL, str(error))
    phase, until = calendar.phase_and_end(now)
    words = f"the market is {_PHASES[phase]}{_until(until)}"
    ahead = (now - calendar.read_at).total_seconds()
    if abs(ahead) <= TOLERATED_SKEW_SECONDS:
        return Finding("Clock", Level.OK, f"{words}; this machine's clock agrees with Alpaca's")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "Clock",
        Level.NOTE,
        f"{words}; this machine's clock is {abs(ahead):.0f} s {way} Alpaca's; the page corrects ages for it",
    )


def _until(at: dt.datetime | None) -> str:
    return f" until {at.astimezone(NEW_YORK):%a %H:%M} New York" if at else ""
