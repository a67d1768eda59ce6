"""A portfolio far over the free plan's limits has a price in every row, and the page says how."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

STATUS, TOTALS = ".st-key-live-status", ".st-key-live-totals"
UNDERLYINGS = [f"{first}{second}Q" for first in "ABCDEF" for second in "ABCDEFGHIJ"]
STRIKES = range(20, 30)


@pytest.fixture(scope="module")
def large_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield a server with 600 contracts on 60 underlyings, and a simulator that counts channels."""
    from options_helper.simulator.world import Plan
    from options_helper.times import new_york_date, utc_now
    from tests.browser.conftest import running_portal

    expiry = (new_york_date(utc_now()) + dt.timedelta(days=365)).isoformat()
    terms = {"option_type": "call", "expiry": expiry, "contracts": 1, "cost_basis": 1}
    positions = [
        {"id": f"{symbol}-{strike}", "symbol": symbol, "strike": strike, **terms}
        for symbol in UNDERLYINGS
        for strike in STRIKES
    ]
    folder = tmp_path_factory.mktemp("large")
    plan = Plan(count_stock_channels=True)
    with running_portal(browser, folder, order_interval_seconds=0, plan=plan) as portal:
        (folder / "portfolio.json").write_text(json.dumps({"positions": positions}))
        yield portal


def test_every_row_is_priced_and_the_limit_is_named(large_portal: Portal) -> None:
    """Within 30 s the portfolio has a value, the line shows the mix, and REST stays below its limit."""
    simulator, page = large_portal.simulator, large_portal.open()
    page.get_by_role("button", name="Start", exact=True).click()
    large_portal.wait(lambda: simulator.open_connections["options"], "the option stream")
    began, before = time.monotonic(), len(simulator.requests)
    value = page.locator(TOTALS).get_by_test_id("stMetricValue").first
    expect(value).to_have_text(re.compile(r"^\$[\d,]+"), timeout=30_000)
    expect(page.locator(TOTALS)).to_contain_text("230 stream, 430 polled every 15 s")
    expect(page.locator(STATUS)).to_contain_text(
        "Alpaca granted 30 channels: 30 underlyings stream quotes; 30 are polled."
    )
    assert "405" not in page.locator(STATUS).inner_text()
    assert simulator.subscriptions("stocks")["quotes"], "no empty stream after the refusal"
    minutes = max(1.0, (time.monotonic() - began) / 60)
    assert (len(simulator.requests) - before) / minutes < 200
