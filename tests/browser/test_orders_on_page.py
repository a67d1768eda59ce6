"""Other events of an account on the page: an old bracket, a bust by leg, an assignment, an expiry."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.times import utc_now

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
FILLS, STRUCK = ".st-key-live-fills", re.compile(r"\boh-void\b")
TIMES = "\N{MULTIPLICATION SIGN}"
CALL, PUT = "AAPL391216C00250000", "AAPL391216P00250000"
COMPLETE = re.compile(r"Fills today \d+ · complete since \d\d:\d\d$")


@pytest.fixture(scope="module")
def account_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield a server with an account in which only the test trades."""
    from tests.browser.conftest import running_portal

    with running_portal(browser, tmp_path_factory.mktemp("account"), order_interval_seconds=0) as portal:
        yield portal


def picture(page: Page, name: str) -> None:
    """Save a screenshot of the panel if a folder is given."""
    if PICTURES:
        page.locator(FILLS).screenshot(path=Path(PICTURES) / f"orders-{name}.png")
        page.screenshot(path=Path(PICTURES) / f"page-{name}.png")


def test_an_accounts_other_events_are_shown(account_portal: Portal) -> None:
    """Each event appears once, in its own form: an open order, a struck-out fill, an assignment or expiry."""
    from options_helper.simulator.account.orders import LegRequest

    simulator, page = account_portal.simulator, account_portal.open()
    simulator.set_order_time(utc_now() - dt.timedelta(days=1))
    simulator.fill(simulator.place_bracket("SPY", qty=11, limit_price=700, stop_price=640), prices=660)
    simulator.set_order_time(None)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(f"{FILLS} .oh-panel-title")).to_have_text(COMPLETE)

    page.get_by_role("tab", name="Orders").click()
    orders = page.locator(f"{FILLS} ol[aria-label$=orders] li")
    expect(orders).to_have_count(3)
    expect(orders.nth(0)).to_contain_text(re.compile("SPY.*filled.*buy to open 11 market GTC"))
    expect(orders.nth(0).locator(".oh-time")).to_have_text(re.compile(r"^[A-Z][a-z]{2} \d\d:\d\d$"))
    expect(orders.nth(1)).to_contain_text(re.compile(r"SPY.*new.*sell to close 11 limit 700\.00 GTC"))
    expect(orders.nth(2)).to_contain_text(re.compile(r"SPY.*held.*sell to close 11 stop 640\.00 GTC"))
    picture(page, "1-bracket")

    spread = simulator.place_multileg_order([LegRequest(CALL, "buy"), LegRequest(PUT, "sell")], 2)
    simulator.bust(simulator.fill(spread, prices=[3.0, 2.0]))
    page.get_by_role("tab", name="Fills").click()
    fills = page.locator(f"{FILLS} ol[aria-label=Fills] li")
    expect(fills).to_have_count(3)
    expect(fills.nth(2)).to_have_class(STRUCK)
    expect(fills.nth(2)).to_contain_text("busted")
    expect(fills.nth(1)).not_to_have_class(STRUCK)
    picture(page, "2-bust-by-leg")

    simulator.settle("OPASN", PUT, 2)
    simulator.settle("OPEXP", "TSLA391216P00100000", 1)
    # Activities are requested each minute, and at each start.
    page.get_by_role("button", name="Restart", exact=True).click()
    facts = fills.filter(has_text="not a fill")
    expect(facts).to_have_count(2)
    expect(facts.filter(has_text=f"Assigned: 2 {TIMES} AAPL 250 put → +200 AAPL at 250.00")).to_have_count(1)
    expect(facts.filter(has_text=f"Expired: 1 {TIMES} TSLA 100 put")).to_have_count(1)
    picture(page, "3-assignment-and-expiry")
    assert page.get_by_test_id("stException").count() == 0
