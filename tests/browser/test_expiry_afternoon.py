"""The afternoon of an expiry, with a clock that jumps: no total changes without a word of what expired."""

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
TOTALS = ".st-key-live-totals"
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
P_L_OPEN = re.compile(r"P/L Open\s+(?P<value>\S+)\s+(?P<words>[^\n]*)")
SMALL = 60.0  # dollars; what quotes move in seconds, with underlyings that stand still


class Afternoon:
    """A portal whose clock, and whose simulated Alpaca's clock, the test sets."""

    def __init__(self, portal: Portal, date: str, clock: Any, path: Path) -> None:
        self.portal, self.date, self._clock, self._path = portal, date, clock, path
        self.page: Page = portal.open()

    def jump(self, at: str) -> None:
        """Set every clock to this New York time."""
        offset = seconds_to_add(f"{self.date}T{at}-05:00")
        self._path.write_text(str(offset))
        self._clock.move_to(real_time() + offset)

    def picture(self, name: str) -> None:
        """Keep a screenshot if a directory is given."""
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"{self.date}-{name}.png")

    def hold(self, *positions: dict[str, Any]) -> None:
        """Save the portfolio."""
        document = {"account": "none", "cash": 10_000, "positions": positions}
        (self.portal.folder / "portfolio.json").write_text(json.dumps(document))

    def shows(self, *words: str | re.Pattern[str]) -> None:
        """Wait until the totals say all of this."""
        for each in words:
            expect(self.page.locator(TOTALS)).to_contain_text(each)


def real_time() -> float:
    """Return the seconds of the machine's own clock."""
    if time_machine.escape_hatch.is_travelling():
        return float(time_machine.escape_hatch.time.time())
    return time.time()


def seconds_to_add(moment: str) -> float:
    """Return how far a moment is from the machine's own clock."""
    return dt.datetime.fromisoformat(moment).timestamp() - real_time()


@contextmanager
def afternoon(
    browser: Browser, folder: Path, date: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Afternoon]:
    """Start a server at 15:10, or 12:10 on a half day, before underlyings that stand still."""
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
        for symbol, price in (("AAPL", 270.0), ("SPY", 662.0), ("SPX", 6620.0)):
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
CLOSES = {"2026-11-20": ("15:59:57", "16:14:57"), "2026-11-27": ("12:59:57", "13:14:57")}


@pytest.mark.parametrize("date", FIRST)
def test_no_total_jumps_without_a_word(
    browser: Browser, tmp_path: Path, date: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spread expires at the close, a fund's contract 15 minutes later; both stay in the totals, named."""
    close, late_close = CLOSES[date]
    with afternoon(browser, tmp_path, date, monkeypatch) as day:
        day.hold(spread(date), single("SPY", date, 650), single("MSFT", "2027-06-18", 500, cost_basis=30.0))
        day.page.get_by_role("button", name="Start", exact=True).click()
        day.shows("4 of 4 live")
        day.page.evaluate(WATCH)
        day.picture("1-before")
        day.jump(close)
        day.shows("including 2 expired, provisional")
        day.picture("2-after-the-close")
        day.jump(late_close)
        day.shows("including 3 expired, provisional")
        day.picture("3-after-the-late-close")
        expect(day.page.locator('tr[data-position-id="spread"]').first).to_contain_text("expired")
        expect_words_beside_jumps(day.page.evaluate("window.seen"))
        assert day.page.get_by_test_id("stException").count() == 0
        day.hold(spread(date), single("SPX", date, 6600))
        day.shows("1 expired, settlement not known")
        assert "\N{EM DASH}" in day.page.locator(TOTALS).inner_text()
        day.picture("4-am-settled")


def expect_words_beside_jumps(seen: list[str]) -> None:
    """Between two texts of the totals, P/L Open moves little, or its words say something else."""
    found = [match.groupdict() for match in map(P_L_OPEN.search, seen) if match]
    assert len(found) >= 2
    for before, after in itertools.pairwise(found):
        values = [dollars(one["value"]) for one in (before, after)]
        is_small = None not in values and abs(values[0] - values[1]) <= SMALL
        assert is_small or kind(before["words"]) != kind(after["words"]), (before, after)


def dollars(text: str) -> float | None:
    """Return a figure of the tiles; None for a dash."""
    digits = re.sub(r"[^\d.]", "", text)
    return (-1 if text.startswith("\N{MINUS SIGN}") else 1) * float(digits) if digits else None


def kind(words: str) -> str:
    """Return what stands beneath a figure without its percentage."""
    return re.sub(r"[+\N{MINUS SIGN}]?[\d.]+%", "", words)
