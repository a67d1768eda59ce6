"""The page's report on its own prices: quiet in grey, a dead feed in red, a closed market without alarm."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

THRESHOLD, REFRESH, SLOW_MACHINE = 12, 2, 4  # seconds
ERROR, INFO = '[data-testid="stAlertContentError"]', '[data-testid="stAlertContentInfo"]'
ROWS = 'tr[data-kind="position"], tr[data-kind="structure"]'
NOT_STALE = ", ".join(f"{kind.strip()}:not([data-state=stale])" for kind in ROWS.split(","))


def begin(portal: Portal, threshold_seconds: int) -> Page:
    """Open the page, lower the threshold, start, and wait for the first marks."""
    page = portal.open()
    threshold = page.get_by_role("spinbutton", name="Stale after (s)")
    expect(threshold).to_be_visible()
    threshold.fill(str(threshold_seconds))
    threshold.press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator('td[data-col="mark"]').filter(has_text="$").first).to_be_visible()
    return page


def test_a_feed_that_dies_turns_every_row_stale_in_time(portal: Portal) -> None:
    """Quiet contracts are grey; after a feed dies, every row is stale in time, and the line is red."""
    page = begin(portal, THRESHOLD)
    grey = page.locator(".st-key-live-status-quiet")
    expect(grey).to_contain_text(re.compile(r"Live\. .*\d+ of \d+ (is|are) quiet"))
    expect(page.locator(ROWS).filter(has_text="quiet").first).to_be_visible()
    quiet = page.locator('tr[data-state="quiet"] td[data-col="quote"]').first
    expect(quiet).to_have_attribute("title", re.compile("older than the threshold"))
    for stream in ("stocks", "options"):
        portal.simulator.faults.set(stream, vanished=True)
    seconds = THRESHOLD + REFRESH + SLOW_MACHINE
    expect(page.locator(NOT_STALE)).to_have_count(0, timeout=seconds * 1000)
    expect(page.locator(f".st-key-live-status {ERROR}")).to_contain_text(
        re.compile(r"\d+ of \d+ quotes are stale")
    )
    expect(page.locator(".st-key-live-totals")).to_contain_text(re.compile(r"\d+ stale"))
    portal.simulator.faults.clear()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")


def test_outside_hours_the_last_marks_stay_without_alarm(browser: Browser, tmp_path: Path) -> None:
    """In a closed market with silent streams, REST gives every row its last mark, and nothing is stale."""
    from tests.browser.conftest import running_portal

    silent = {"tick_seconds": 0, "order_interval_seconds": 0}
    with running_portal(browser, tmp_path, "--keep-alive=3", **silent) as portal:
        portal.simulator.faults.rest(path="/v2/clock", status=200, body=closed_clock())
        page = begin(portal, 1)  # every price is older than that
        status = page.locator(f".st-key-live-status {INFO}")
        expect(status).to_contain_text(re.compile("(Market|Regular session) closed until .* Last marks from"))
        expect(page.locator(f"{ROWS.replace(',', '[data-state=closed],')}[data-state=closed]")).to_have_count(
            page.locator(ROWS).count()
        )
        expect(page.locator(".st-key-live-totals")).to_contain_text("closed")
        assert page.locator(f"{ROWS.replace(',', '[data-state=stale],')}[data-state=stale]").count() == 0
        expect(status).to_be_visible()
        for mark in page.locator(ROWS).locator('td[data-col="mark"]').all_inner_texts():
            assert "$" in mark


def closed_clock() -> str:
    """Return Alpaca's clock answer for a market that is closed until the day after tomorrow."""
    now = dt.datetime.now(ZoneInfo("America/New_York"))
    opening = (now + dt.timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
    return json.dumps(
        {
            "timestamp": now.isoformat(),
            "is_open": False,
            "next_open": opening.isoformat(),
            "next_close": opening.replace(hour=16, minute=0).isoformat(),
        }
    )
