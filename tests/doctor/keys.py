"""The keys and the portfolio of the tests of doctor."""

from __future__ import annotations

import datetime as dt
from typing import Any

from options_helper.data.settings import PAPER_URL, Account, AlpacaSettings
from options_helper.doctor import Finding
from options_helper.errors import AlpacaRestError

KEY_ID, SECRET = "PKMARKEDKEYID0001", "marked-secret-0002"
NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
POSITION = {
    "id": "aapl-call",
    "symbol": "AAPL",
    "option_type": "call",
    "expiry": "2039-12-16",
    "strike": 250,
    "contracts": 1,
    "cost_basis": 1.5,
}


class AccountRest:
    """An HTTP client with one answer per trading host; an answer that is an error is raised."""

    def __init__(self, url: str, answers: dict[str, Any]) -> None:
        self._answer = answers[url]
        self.closed = False

    def account(self) -> dict[str, Any]:
        if isinstance(self._answer, AlpacaRestError):
            raise self._answer
        return self._answer

    clock = account

    def close(self) -> None:
        self.closed = True


def by_name(findings: list[Finding]) -> dict[str, list[Finding]]:
    """Return the findings by their names."""
    names = dict.fromkeys(finding.name for finding in findings)
    return {name: [finding for finding in findings if finding.name == name] for name in names}


PAPER = AlpacaSettings("k", "s", account=Account.PAPER, trading_url=PAPER_URL)
