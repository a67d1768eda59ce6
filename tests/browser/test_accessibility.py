"""The accessibility of the pages and of risk: by keyboard, by screen reader, and checked by axe-core."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import SETTLED, resize

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
    """Every view of the home page is accessible, whatever was found on this machine."""
    home = portal.open(portal.url, bypass_csp=True)
    expect(home.get_by_role("heading", name="Options Helper")).to_be_visible()
    expect(home.get_by_text("Found on this machine")).to_be_visible()
    for view in VIEWS:
        look_at(home, view)
        assert serious_findings(home) == [], view


def test_the_live_page_is_accessible(portal: Portal) -> None:
    """Every view of the live page is accessible, with streams running and a position selected."""
    page = portal.open(bypass_csp=True)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    expect(page.locator(".st-key-live-fills li").first).to_be_visible()
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    expect(page.locator(".st-key-live-detail")).to_be_visible()
    for view in VIEWS:
        look_at(page, view)
        assert serious_findings(page) == [], view


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
    page.wait_for_function(SETTLED)  # the sums push the next heading down while they open
    page.locator(".st-key-live-scenarios summary").click()
    scenarios = page.locator(".st-key-live-scenarios")
    expect(scenarios).to_contain_text("Worst in this grid")
    expect(scenarios).to_contain_text("by the move of SPY")
    leave_out = scenarios.get_by_role("combobox", name=re.compile("Leave out"))
    leave_out.scroll_into_view_if_needed()  # a scroll after the click would close its list
    page.wait_for_function(SETTLED)  # what appears above would move it from under the click
    leave_out.click()
    page.get_by_role("option", name="aapl-iron-condor").click()
    page.keyboard.press("Escape")
    expect(scenarios).to_contain_text("1 of 9 positions left out")
    for view in VIEWS:
        look_at(page, view)
        assert serious_findings(page) == [], view


FOCUS = """() => {
  const node = document.activeElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
  const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
  const cuts = each => {
    if (getComputedStyle(each).overflowX === 'visible') return false;
    const outer = each.getBoundingClientRect();
    const left = outer.left + each.clientLeft, top = outer.top + each.clientTop;
    const across = each.scrollWidth <= each.clientWidth && (box.left - ring < left - 1
      || box.right + ring > left + each.clientWidth + 1);
    const down = each.scrollHeight <= each.clientHeight && (box.top - ring < top - 1
      || box.bottom + ring > top + each.clientHeight + 1);
    return across || down;
  };
  const around = [], main = node.closest('[data-testid=stMain]');
  for (let up = node.parentElement; up && up !== main; up = up.parentElement) around.push(up);
  return {
    cut: around.some(cuts),
    row: Boolean(node.closest('tbody tr.pt-row')), body: node === document.body,
    where: `${node.tagName} ${node.getAttribute('aria-label') ?? node.innerText?.slice(0, 30)}`,
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      && style.visibility === 'visible' && box.width > 0 && box.right > 0,
  };
}"""
LISTEN = """() => {
  window.spoken = [];
  const regions = document.querySelectorAll('[role=status], [role=alert], [aria-live]');
  const note = changes => window.spoken.push(...changes.map(one => one.target.textContent));
  for (const each of regions)
    new MutationObserver(note).observe(each, {childList: true, characterData: true, subtree: true});
  return regions.length;
}"""
HEADINGS = [
    "Live Portfolio",
    "Status",
    "Totals",
    "Risk",
    "Day",
    "Positions",
    "Account",
    "Fills",
    "Alerts",
    "Streams",
]
MOST_TABS = 8


def test_keyboard_and_screen_reader_find_their_way(portal: Portal) -> None:
    """A few presses of Tab lead to the table, regions have headings, and only new states are spoken."""
    page = portal.open(reduced_motion="reduce")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    expect(page.locator(".st-key-live-day-of")).to_be_visible()  # the last control between head and table
    page.evaluate("document.activeElement.blur(); getSelection().collapse(document.body, 0)")
    steps = []
    while not steps or not (steps[-1]["row"] or steps[-1]["body"]):
        page.keyboard.press("Tab")
        steps.append(page.evaluate(FOCUS))
    places = [step["where"] for step in steps]
    assert steps[-1]["row"], places
    assert len(steps) <= MOST_TABS, places
    while not steps[-1]["body"]:
        page.keyboard.press("Tab")
        steps.append(page.evaluate(FOCUS))
    assert [step["where"] for step in steps[:-1] if not step["seen"]] == []
    assert [step["where"] for step in steps[:-1] if step["cut"]] == []
    heard = page.get_by_role("heading").all_inner_texts()
    assert [name for name in HEADINGS if not any(each.startswith(name) for each in heard)] == []
    assert page.evaluate("getComputedStyle(document.querySelector('summary')).transitionDuration") == "0s"
    listen_to_refreshes(page)


def listen_to_refreshes(page: Page) -> None:
    """Check that several refreshes speak nothing, and that Stop speaks once."""
    line = page.locator(".st-key-live-status")
    assert page.evaluate(LISTEN) > 0
    for _ in range(2):
        expect(line).not_to_have_text(line.inner_text())
    assert heard_states(page) == set()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#oh-spoken")).to_contain_text("Stopped")
    assert heard_states(page) == {"Stopped"}


def heard_states(page: Page) -> set[str]:
    """Return the first words of each spoken text, except the report that a slow server does not answer."""
    return {words.split()[0] for words in page.evaluate("window.spoken")} - {"No"}
