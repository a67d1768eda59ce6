"""A raised alert is seen: a bar under the status line, one click from its row, at every width."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

LOOKS = ((390, "dark"), (720, "light"), (1440, "light"), (1440, "dark"))


def test_a_raised_alert_is_a_bar_that_leads_to_its_row(portal: Portal, tmp_path: Path) -> None:
    """It is in sight without scrolling, names the position as the table does, and acknowledging ends it."""
    position = json.loads((portal.folder / "portfolio.json").read_text())["positions"][-1]["id"]
    path = portal.folder / "alerts.json"
    rule = {"position": position, "metric": "dte", "comparison": "above", "threshold": -1}
    path.write_text(json.dumps({"alerts": [rule]}))
    try:
        page = portal.open()
        bar = page.locator(".st-key-live-alert-bar")
        expect(bar).to_contain_text("Alert:")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            expect(bar).to_be_in_viewport(ratio=1)
            page.screenshot(path=tmp_path / f"bar-{width}-{scheme}.png", animations="disabled")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".st-key-live-alerts")).to_be_in_viewport(ratio=0.3)
        bar.get_by_role("button", name="Show row").click()
        row = page.locator('tr[data-kind][aria-selected="true"]')
        expect(row).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        bar.get_by_role("button", name="Ack").click()
        expect(bar).to_have_count(0)
        assert portal.complaints == []
    finally:
        path.unlink()
