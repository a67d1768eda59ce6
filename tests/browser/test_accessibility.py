"""Nothing serious for axe-core, the accessibility checker, on either page, in dark and in light."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

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
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 1440), ("light", 390)])
def test_both_pages_are_accessible(portal: Portal, scheme: str, width: int) -> None:
    """The home page, and the live page with streams running and a position selected, wide and narrow."""
    size = {"width": width, "height": 900}
    # The page's security policy forbids any script but its own, and so the one that looks for findings.
    home = portal.open(portal.url, color_scheme=scheme, viewport=size, bypass_csp=True)
    expect(home.get_by_role("heading", name="Options Helper")).to_be_visible()
    expect(home.get_by_text("Found on this machine")).to_be_visible()
    assert serious_findings(home) == []
    page = portal.open(color_scheme=scheme, viewport=size, bypass_csp=True)
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled()
    start.click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    expect(page.locator(".st-key-live-fills li").first).to_be_visible()
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    expect(page.locator(".st-key-live-detail")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_findings(page) == []
