"""A raised alert is visible at every width: a bar below the status line, one click from its row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

# Stands in for the browser's sound and notification, and keeps what was asked of them.
CALLS = """() => {
  window.calls = [];
  window.Notification = class {
    static permission = 'default';
    static requestPermission() {
      window.calls.push(navigator.userActivation.isActive ? 'asked' : 'asked without a press');
      this.permission = 'granted';
      return Promise.resolve('granted');
    }
    constructor(title, {body}) { window.calls.push(`${title}: ${body}`); }
  };
  const create = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    window.calls.push('beep');
    return create.call(this);
  };
}"""
LOOKS = ((390, "dark"), (720, "light"), (1440, "light"), (1440, "dark"))


def test_a_raised_alert_is_a_bar_that_leads_to_its_row(portal: Portal, tmp_path: Path) -> None:
    """The bar is visible without scrolling, names the position as the table does, and ends with Ack."""
    position = json.loads((portal.folder / "portfolio.json").read_text())["positions"][-1]["id"]
    path = portal.folder / "alerts.json"
    rule = {"position": position, "metric": "dte", "comparison": "above", "threshold": -1}
    path.write_text(json.dumps({"alerts": [rule]}))
    try:
        page = portal.open("about:blank")
        page.add_init_script(f"({CALLS})()")
        page.goto(portal.live_url)
        bar = page.locator(".st-key-live-alert-bar")
        expect(bar).to_contain_text("Alert:")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            expect(bar).to_be_in_viewport(ratio=1)
            page.screenshot(path=tmp_path / f"bar-{width}-{scheme}.png", animations="disabled")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".st-key-live-alerts")).to_be_in_viewport(ratio=1)
        bar.get_by_role("button", name="Show row").click()
        row = page.locator('tr[data-kind][aria-selected="true"]')
        expect(row).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        bar.get_by_role("button", name="Ack").click()
        expect(bar).to_have_count(0)
        call_for_the_next_alert(page, path, {**rule, "id": "next"})
        assert portal.complaints == []
    finally:
        path.unlink()


def call_for_the_next_alert(page: Page, path: Path, rule: dict[str, object]) -> None:
    """Check that sound and notification are off and request nothing, and once on, announce new alerts."""
    assert page.evaluate("window.calls") == []
    for name in ("Sound", "Notification"):
        choice = page.get_by_role("checkbox", name=name)
        expect(choice).not_to_be_checked()
        choice.check()
    page.wait_for_function("() => window.calls.length === 2")
    assert page.evaluate("window.calls") == ["beep", "asked"]
    path.write_text(json.dumps({"alerts": [rule]}))
    page.wait_for_function("() => window.calls.length === 4")
    beep, words = page.evaluate("window.calls.slice(2)")
    assert beep == "beep"
    assert words.startswith("Options Helper: ")
    assert "DTE above" in words
