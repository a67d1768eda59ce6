"""The afternoon of an expiry, with a clock that jumps: no total changes without naming what expired."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
time_machine = pytest.importorskip("time_machine", reason="time-machine is not installed")
expect = playwright.expect

PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
TOTALS, STATUS = ".st-key-live-totals", ".st-key-live-status"
# Python runs this first in the server's process: its clock follows a file with the seconds to add.
FOLLOW_CLOCK = """
import os, threading, time
from pathlib import Path
import time_machine

path, real = Path(os.environ["AFTERNOON_CLOCK"]), time_machine.escape_hatch.time.time
text = path.read_text()
clock = time_machine.travel(time.time() + float(text), tick=True).start()

def follow():
    global text
    while True:
        now = path.read_text()
        if now and now != text:
            text = now
            clock.move_to(real() + float(now))
        pause.wait(0.05)

pause = threading.Event()
threading.Thread(target=follow, daemon=True).start()
"""
# Keeps each different text of the totals.
WATCH = """() => {
  window.seen = [];
  setInterval(() => {
    const text = document.querySelector('.st-key-live-totals')?.innerText ?? '';
    if (text && text !== window.seen.at(-1)) window.seen.push(text);
  }, 50);
}"""
# Counts the elements whose text is cut off.
CUT_OFF = "all => all.filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1).length"
FIGURES = [
    re.compile(rf"{label}\s+(?P<value>\S+)\s+(?P<words>[^\n]*)")
    for label in ("Portfolio value", "P/L Open", "P/L Day")
]
SMALL = 60.0  # dollars; what quotes move in seconds, with underlyings that stand still


class Afternoon:
    """A portal and a simulated Alpaca with clocks that the test sets."""

    def __init__(self, portal: Portal, date: str, clock: Any, path: Path) -> None:
        self.portal, self.date, self._clock, self._path = portal, date, clock, path
        self.page: Page = portal.open(timezone_id="America/New_York")

    def jump(self, at: str) -> None:
        """Set every clock to this New York time."""
        offset = seconds_to_add(f"{self.date}T{at}-05:00")
        self._path.write_text(str(offset))
        self._clock.move_to(real_time() + offset)

    def picture(self, name: str) -> None:
        """Save a screenshot if a directory is given."""
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"{self.date}-{name}.png")

    def hold(self, *positions: dict[str, Any]) -> None:
        """Save the portfolio file."""
        document = {"account": "none", "cash": 10_000, "positions": positions}
        (self.portal.folder / "portfolio.json").write_text(json.dumps(document))

    def shows(self, words: str | re.Pattern[str], where: str = TOTALS) -> None:
        """Wait until the totals, or another part of the page, show this text."""
        expect(self.page.locator(where)).to_contain_text(words)


def real_time() -> float:
    """Return the seconds of the machine's own clock."""
    if time_machine.escape_hatch.is_travelling():
        return float(time_machine.escape_hatch.time.time())
    return time.time()


def seconds_to_add(moment: str) -> float:
    """Return the seconds from the machine's own clock to a moment."""
    return dt.datetime.fromisoformat(moment).timestamp() - real_time()


@contextmanager
def afternoon(
    browser: Browser, folder: Path, date: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Afternoon]:
    """Start a server at 15:10, or 12:10 on a half day, with underlyings that do not move."""
    from tests.browser.conftest import running_portal

    (folder / "sitecustomize.py").write_text(FOLLOW_CLOCK)
    path, begin = folder / "clock.txt", f"{date}T{FIRST[date]}-05:00"
    path.write_text(str(seconds_to_add(begin)))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("AFTERNOON_CLOCK", str(path))
    with (
        time_machine.travel(dt.datetime.fromisoformat(begin), tick=True) as clock,
        running_portal(browser, folder, "--keep-alive=3", order_interval_seconds=0) as portal,
    ):
        for symbol, price in (("AAPL", 270.0), ("MSFT", 500.0), ("SPY", 662.0), ("SPX", 6620.0)):
            portal.simulator.pin_price(symbol, price)
        # The calendar library then knows the sessions, early closes included.
        for route in ("/v2/clock", "/v2/calendar"):
            portal.simulator.faults.rest(path=route, status=500)
        yield Afternoon(portal, date, clock, path)


def spread(date: str) -> dict[str, Any]:
    """Return a call spread that expires on this day and has lost most of its width."""
    leg = {"option_type": "call", "expiry": date, "contracts": 10}
    legs = [{"side": "short", "strike": 255, **leg}, {"side": "long", "strike": 262, **leg}]
    return {"id": "spread", "symbol": "AAPL", "net_debit": -230, "legs": legs}


def single(symbol: str, date: str, strike: float, **more: Any) -> dict[str, Any]:
    """Return a long call that expires on this day."""
    terms = {"id": symbol.lower(), "symbol": symbol, "option_type": "call", "expiry": date, "strike": strike}
    return {**terms, "contracts": 1, "cost_basis": 11.0, **more}


# A Friday with monthly expiries, and the half day after Thanksgiving.
FIRST = {"2026-11-20": "15:10:00", "2026-11-27": "12:10:00"}
LATE = "Options on SPY, QQQ and other late-closing products trade until"


@pytest.mark.parametrize("date", FIRST)
def test_no_total_jumps_without_an_explanation(
    browser: Browser, tmp_path: Path, date: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spread expires at the close, a fund's contract 15 minutes later; the totals keep and name both.

    On one page from 50 minutes before the close to 20 minutes after it.
    """
    begin = dt.datetime.fromisoformat(f"{date}T{FIRST[date]}")
    close, late_close = begin + dt.timedelta(minutes=50), begin + dt.timedelta(minutes=65)
    with afternoon(browser, tmp_path, date, monkeypatch) as day:
        day.hold(spread(date), single("SPY", date, 650), single("MSFT", "2027-06-17", 500, cost_basis=30.0))
        day.page.get_by_role("button", name="Start", exact=True).click()
        day.shows("4 of 4 live")
        day.page.evaluate(WATCH)
        day.picture("1-before")
        day.jump(a_moment_before(close))
        day.shows("including 2 expired, provisional")
        day.shows(f"{LATE} {late_close:%H:%M}", STATUS)
        day.picture("2-after-the-close")
        day.jump(a_moment_before(late_close))
        day.shows("including 3 expired, provisional")
        expect(day.page.locator(STATUS)).not_to_contain_text(LATE)
        end = close + dt.timedelta(minutes=20)
        day.jump(f"{end:%H:%M:%S}")
        day.shows(f"Last marks from {end:%H:%M}", STATUS)
        day.shows("including 3 expired, provisional")
        day.picture("3-after-the-late-close")
        expect(day.page.locator('tr[data-position-id="spread"]').first).to_contain_text("expired")
        expect_words_beside_jumps(day.page.evaluate("window.seen"))
        assert day.page.get_by_test_id("stException").count() == 0
        day.hold(spread(date), single("SPX", date, 6600))
        day.shows("excluding 1 expired, settlement unknown")
        assert "\N{EM DASH}" in day.page.locator(TOTALS).inner_text()
        day.picture("4-am-settled")
        words = day.page.locator(f"{TOTALS} [data-testid=stMetricDelta]")
        partial = words.filter(has_text="partial: 2 of 3 legs")
        expect(partial).to_have_count(3)  # every tile but the coverage
        expect(partial.last).to_contain_text("2 expired, provisional")
        assert words.locator(":scope, *").evaluate_all(CUT_OFF) == 0


def a_moment_before(moment: dt.datetime) -> str:
    """Return a time of day two seconds before a moment."""
    return f"{moment - dt.timedelta(seconds=2):%H:%M:%S}"


def expect_words_beside_jumps(seen: list[str]) -> None:
    """Check that between two texts of the totals, no figure jumps unless the words below it change."""
    for figure in FIGURES:
        found = [match.groupdict() for match in map(figure.search, seen) if match]
        assert len(found) >= 2
        for before, after in itertools.pairwise(found):
            values = [dollars(one["value"]) for one in (before, after)]
            is_small = values == [None, None] or (None not in values and abs(values[0] - values[1]) <= SMALL)
            assert is_small or kind(before["words"]) != kind(after["words"]), (before, after)


def dollars(text: str) -> float | None:
    """Return a figure of the tiles; None for a dash."""
    digits = re.sub(r"[^\d.]", "", text)
    return (-1 if text.startswith("\N{MINUS SIGN}") else 1) * float(digits) if digits else None


def kind(words: str) -> str:
    """Return the words below a figure, without its percentage."""
    return re.sub(r"[+\N{MINUS SIGN}]?[\d.]+%", "", words)
