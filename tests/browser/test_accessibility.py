"""Nothing serious for axe-core, the accessibility checker, on either page, in dark and in light."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import resize

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("axe_playwright_python", reason="axe-core comes with axe-playwright-python")
expect = playwright.expect


def serious_findings(page: Page) -> list[str]:
    """Return the findings that axe-core calls serious or critical, with the first element concerned."""
    page.add_script_tag(content=(resources.files("axe_playwright_python") / "axe.min.js").read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


VIEWS = {
    "dark": {"color_scheme": "dark", "width": 1440},
    "light": {"color_scheme": "light", "width": 1440},
    "narrow": {"color_scheme": "light", "width": 390},
}


def look_at(page: Page, view: str) -> None:
    """Change the system's colours and the window; the page follows both."""
    resize(page, VIEWS[view]["width"], 900)
    page.emulate_media(color_scheme=VIEWS[view]["color_scheme"])
    expect(page.locator(".stApp")).to_have_css("color-scheme", VIEWS[view]["color_scheme"])
    assert page.evaluate("document.documentElement.scrollWidth") <= VIEWS[view]["width"]


# The page's security policy forbids any script but its own, and so the one that looks for findings.
def test_the_home_page_is_accessible(portal: Portal) -> None:
    """Every view of the home page, with what was found on this machine."""
    home = portal.open(portal.url, bypass_csp=True)
    expect(home.get_by_role("heading", name="Options Helper")).to_be_visible()
    expect(home.get_by_text("Found on this machine")).to_be_visible()
    for view in VIEWS:
        look_at(home, view)
        assert serious_findings(home) == [], view


def test_the_live_page_is_accessible(portal: Portal) -> None:
    """Every view of the live page, with streams running and a position selected."""
    page = portal.open(bypass_csp=True)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    expect(page.locator(".st-key-live-fills li").first).to_be_visible()
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    expect(page.locator(".st-key-live-detail")).to_be_visible()
    for view in VIEWS:
        look_at(page, view)
        assert serious_findings(page) == [], view
