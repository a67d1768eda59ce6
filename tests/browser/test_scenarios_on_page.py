"""Scenarios of a large portfolio are computed without holding up the page."""

from __future__ import annotations

import datetime as dt
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

SPOTS = {"AAPL": 272, "MSFT": 480, "NVDA": 185, "TSLA": 420, "AMZN": 230}
STRIKES = 10  # per expiry and underlying
SCENARIOS = ".st-key-live-scenarios"
# Waits until marks change while the line takes the grid's place; false if the line disappears first.
CHANGED_WHILE_COMPUTING = """async () => {
  const marks = () => [...document.querySelectorAll('td[data-col=mark]')].map(td => td.textContent).join();
  const [before, scenarios] = [marks(), document.querySelector('.st-key-live-scenarios')];
  const isComputing = () => scenarios.innerText.includes('Computing 35 cells');
  const guard = performance.now() + 60000;
  while (isComputing() && marks() === before && performance.now() < guard)
    await new Promise(requestAnimationFrame);
  return isComputing() && marks() !== before;
}"""


def puts(expiries: int, strikes: int = STRIKES) -> list[dict[str, object]]:
    """Return single puts on five stocks, which the model prices as American."""
    first = dt.date.today() + dt.timedelta(days=60)  # noqa: DTZ011 - any day will do
    days = [first + dt.timedelta(days=(4 - first.weekday()) % 7 + 7 * number) for number in range(expiries)]
    terms = {"option_type": "put", "contracts": 1, "cost_basis": 1}
    return [
        {
            "id": f"{symbol}-{day:%m%d}-{number}",
            "symbol": symbol,
            "expiry": day.isoformat(),
            "strike": round(spot * (0.8 + 0.4 * number / strikes)),
            **terms,
        }
        for symbol, spot in SPOTS.items()
        for day in days
        for number in range(strikes)
    ]


@pytest.fixture(scope="module")
def large_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield a server with 100 puts."""
    from tests.browser.conftest import running_portal

    folder = tmp_path_factory.mktemp("large")
    with running_portal(browser, folder, order_interval_seconds=0) as portal:
        (folder / "portfolio.json").write_text(json.dumps({"positions": puts(2)}))
        yield portal


def test_scenarios_appear_while_prices_move_and_after_stop(large_portal: Portal) -> None:
    """Scenarios appear without holding up the page, and a new shift appears even after Stop."""
    page = large_portal.open()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-risk")).to_contain_text(re.compile(r"[1-9]\d* of 100 legs"))
    page.locator(f"{SCENARIOS} summary").click()
    scenarios = page.locator(SCENARIOS)
    expect(scenarios).to_contain_text("Worst in this grid")
    expect(scenarios).to_contain_text("P/L from now on")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Stopped")
    before = scenarios.locator(".oh-heat").inner_text()
    scenarios.get_by_role("slider", name="Volatility").press("ArrowRight")
    heat = scenarios.locator(".oh-heat")
    expect(heat).not_to_have_text(before, use_inner_text=True)
    expect(scenarios).to_contain_text("Worst in this grid")
    expect(scenarios).not_to_contain_text("Computing")


@contextmanager
def frozen_grids(portal: Portal) -> Iterator[None]:
    """Suspend the process that prices grids, which was the last to start."""
    psutil = pytest.importorskip("psutil")
    children = psutil.Process(portal.process.pid).children(recursive=True)
    solvers = [child for child in children if any("solver_process" in word for word in child.cmdline())]
    assert len(solvers) == 2, "one for quotes, one for grids"
    grids = max(solvers, key=lambda child: child.create_time())
    grids.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        grids.send_signal(signal.SIGCONT)


def test_prices_move_and_stop_works_while_a_grid_is_computed(large_portal: Portal) -> None:
    """While a grid takes several refreshes, marks change, older curves name their time, and Stop stops."""
    page = large_portal.open()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-risk")).to_contain_text(re.compile(r"[1-9]\d* of 100 legs"))
    page.locator(f"{SCENARIOS} summary").click()
    scenarios, status = page.locator(SCENARIOS), page.locator(".st-key-live-status")
    expect(scenarios).to_contain_text("Worst in this grid")
    with frozen_grids(large_portal):
        scenarios.get_by_role("slider", name="Volatility").press("ArrowRight")
        expect(scenarios).to_contain_text("Computing 35 cells of 100 legs")
        for _ in range(2):
            assert page.evaluate(CHANGED_WHILE_COMPUTING)
        expect(scenarios).to_contain_text(re.compile(r"today.* from prices of \d\d:\d\d:\d\d"))
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(status).to_contain_text("Stopped")
        expect(scenarios).to_contain_text("Computing 35 cells of 100 legs")
    expect(scenarios).to_contain_text("Worst in this grid")
