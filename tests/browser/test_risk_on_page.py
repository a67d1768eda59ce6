"""Risk on the page: the tile below the totals, the optional columns, curves and grids, all accessible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_accessibility import VIEWS, look_at, serious_findings

if TYPE_CHECKING:
    from conftest import Portal

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core comes with axe-playwright-python")
expect = playwright.expect

TILE = re.compile(r"Risk Δ \S+ sh β-Δ \S+ SPY .*Θ \S+/day V \S+/pt \d+ of \d+ legs")


def test_risk_is_on_the_page(portal: Portal) -> None:
    """The tile shows figures and coverage, a column the model's delta, and the grid its worst cell."""
    page = portal.open(bypass_csp=True)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    expect(page.locator(".st-key-live-risk")).to_contain_text(TILE)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name=re.compile("^Delta")).check()
    page.keyboard.press("Escape")
    expect(page.locator('th[data-col="delta"]')).to_be_visible()
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    detail = page.locator(".st-key-live-detail")
    expect(detail).to_contain_text("today: break-even")
    detail.get_by_role("tab", name="Greeks").click()
    expect(detail.get_by_role("region", name="Greeks")).to_contain_text("mark")
    page.locator(".st-key-live-risk-sums summary").click()
    expect(page.locator(".st-key-live-risk-sums .oh-sums").first).to_be_visible()
    page.locator(".st-key-live-scenarios summary").click()
    scenarios = page.locator(".st-key-live-scenarios")
    expect(scenarios).to_contain_text("Worst in this grid")
    expect(scenarios).to_contain_text("by the move of SPY")
    scenarios.get_by_role("combobox", name=re.compile("Leave out")).click()
    page.get_by_role("option", name=re.compile(" of aapl-iron-condor")).first.click()
    page.keyboard.press("Escape")
    expect(scenarios).to_contain_text("P/L from now on")
    for view in VIEWS:
        look_at(page, view)
        assert serious_findings(page) == [], view
