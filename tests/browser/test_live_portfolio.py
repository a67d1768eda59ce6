"""The Live Portfolio page in a real browser, on real sockets, with a simulated Alpaca."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import running_portal

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

STATUS, FILLS, HEALTH = ".st-key-live-status", ".st-key-live-fills", ".st-key-live-health"
NOTES = ".st-key-live-notes"


def button(page: Page, name: str) -> Locator:
    """Return one of the three buttons."""
    return page.get_by_role("button", name=name, exact=True)


def press(page: Page, name: str) -> None:
    """Press a button once it can be pressed."""
    expect(button(page, name)).to_be_enabled()
    button(page, name).click()


def expect_status(page: Page, words: str | re.Pattern[str]) -> None:
    """Wait until the status line says this."""
    expect(page.locator(STATUS)).to_contain_text(words)


def start(page: Page) -> None:
    """Press Start, and wait until everything is live."""
    press(page, "Start")
    expect_status(page, re.compile(r"Options \d+ of \d+ · stocks \d+ of \d+ · fills listening"))


def mark_of(page: Page, position: str) -> Locator:
    """Return the mark of one position in the table."""
    return page.locator(f'tr[data-position-id="{position}"] td[data-col="mark"] .pt-value').first


def test_nothing_is_requested_before_start(browser: Browser, tmp_path: Path) -> None:
    """Before Start the page says DEMO and what is ready, and has sent Alpaca no request."""
    with running_portal(browser, tmp_path) as portal:
        page = portal.open()
        expect_status(page, re.compile(r"Not started. \d+ contracts and \d+ underlyings are ready."))
        expect(page.locator(".st-key-live-badges")).to_contain_text("DEMO: simulated prices")
        assert portal.simulator.requests == []
        assert sum(portal.simulator.connections_total.values()) == 0


def test_start_streams_and_stop_ends(portal: Portal) -> None:
    """Start runs within seconds, marks change and fills arrive; Stop frees every connection."""
    page = portal.open()
    expect(button(page, "Start")).to_be_enabled()
    expect(button(page, "Stop")).to_be_disabled()
    assert portal.connections == 0
    start(page)
    mark = mark_of(page, "aapl-call")
    before = mark.inner_text()
    expect(mark).not_to_have_text(before)
    portal.simulator.fill_now("AAPL", "buy", 3)
    expect(page.locator(f"{FILLS} li").filter(has_text="+3 @").first).to_be_visible()
    press(page, "Stop")
    expect_status(page, "Stopped")
    expect(page.locator(STATUS)).to_contain_text("Figures are frozen")
    portal.wait(lambda: portal.connections == 0, "the end of the connections", 5)
    assert page.get_by_test_id("stException").count() == 0
    assert portal.complaints == []
    assert set(portal.simulator.methods_seen) == {"GET"}


def test_the_days_curve_is_one_line(portal: Portal) -> None:
    """The day's points are joined in the small and the large chart, and fills are marked on the line."""
    page = portal.open()
    start(page)
    portal.simulator.fill_now("AAPL", "buy", 1)
    joined = re.compile(r"(L[^ML]+){2}")  # a moment without all prices leaves a gap as well
    lines = page.locator("[data-testid=stVegaLiteChart] .mark-line path")
    expect(lines).to_have_count(2)
    for line in lines.all():
        expect(line).to_have_attribute("d", joined)
    fills = page.locator("[data-testid=stVegaLiteChart] .mark-symbol path")
    expect(fills.first).to_be_attached()
    assert portal.complaints == []


def test_starting_twice_opens_three_connections(portal: Portal) -> None:
    """Two tabs share one set of streams: three connections, never six, and Start is disabled in both."""
    before = sum(portal.simulator.connections_total.values())
    first, second = portal.open(), portal.open()
    expect(button(second, "Start")).to_be_enabled()
    start(first)
    expect(button(second, "Start")).to_be_disabled()
    expect_status(second, "Live.")
    expect(mark_of(second, "aapl-call")).to_contain_text("$")
    assert sum(portal.simulator.connections_total.values()) - before == 3


def test_a_reload_keeps_the_connections(portal: Portal) -> None:
    """F5 makes a new session with the same set of streams."""
    page = portal.open()
    start(page)
    before = portal.simulator.connections_total
    page.reload()
    expect_status(page, "Live.")
    assert portal.simulator.connections_total == before
    assert portal.connections == 3


def test_stop_in_one_tab_is_shown_in_the_other(portal: Portal) -> None:
    """The other tab says that it was stopped from another tab, and when."""
    first, second = portal.open(), portal.open()
    start(first)
    expect_status(second, "Live.")
    press(first, "Stop")
    expect_status(second, re.compile(r"Stopped from another tab, \d\d:\d\d\."))
    expect(button(second, "Start")).to_be_enabled()


def test_another_page_keeps_the_streams(portal: Portal) -> None:
    """Going home and coming back keeps the connections and the settings."""
    page = portal.open()
    start(page)
    before = portal.simulator.connections_total
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebarNav").get_by_text("Home").click()
    expect(page.get_by_role("heading", name="Options Helper")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Live Portfolio").first.click()
    expect_status(page, "Live.")
    assert portal.simulator.connections_total == before


def test_closing_the_last_tab_frees_the_connections(portal: Portal) -> None:
    """After the last tab closes, the keep-alive ends the streams, and the next visitor sees why."""
    page = portal.open()
    start(page)
    portal.close_pages()
    portal.wait(lambda: portal.connections == 0, "the end of the connections")
    expect_status(portal.open(), re.compile(r"Stopped [\d:]+: no browser was connected"))


def test_a_refused_key_is_explained(portal: Portal) -> None:
    """A wrong key is tried once per stream; the page names the variables to set and offers Start again."""
    for stream in ("stocks", "options", "fills"):
        portal.simulator.faults.set(stream, refuse_key=True)
    before = sum(portal.simulator.connections_total.values())
    page = portal.open()
    press(page, "Start")
    expect_status(page, "Alpaca refused the key")
    expect(page.locator(STATUS)).to_contain_text("Set APCA_API_KEY_ID and APCA_API_SECRET_KEY")
    expect(button(page, "Start")).to_be_enabled()
    assert sum(portal.simulator.connections_total.values()) - before == 3
    portal.simulator.faults.clear()


def test_a_page_that_lost_its_timer_goes_on(portal: Portal) -> None:
    """Without Streamlit's timer, the browser notices the missing beat and the page continues."""
    page = portal.open("about:blank", bypass_csp=True)  # Playwright waits by evaluating text
    page.add_init_script(
        """window.pacers = []; const set = window.setInterval;
        window.setInterval = (f, ms, ...rest) => {
          const id = set(f, ms, ...rest); if (ms === 2000) window.pacers.push(id); return id; };"""
    )
    page.goto(portal.live_url)
    start(page)
    page.wait_for_function("window.pacers.length > 0")
    expect(page.locator(STATUS)).not_to_have_text(page.locator(STATUS).inner_text())
    page.evaluate("window.pacers.forEach(clearInterval); window.pacers = []")
    page.wait_for_function("window.pacers.length > 0")
    for _ in range(3):
        expect(page.locator(STATUS)).not_to_have_text(page.locator(STATUS).inner_text())


def expect_in(page: Page, place: str, words: str | re.Pattern[str]) -> None:
    """Wait until a place on the page shows this text."""
    expect(page.locator(place)).to_contain_text(words)


def choose_file(page: Page, name: str) -> None:
    """Name another portfolio file in the sidebar."""
    field = page.get_by_test_id("stSidebar").get_by_role("textbox", name="Portfolio file")
    field.fill(name)
    field.press("Enter")


def test_restart_uses_the_tab_it_was_pressed_in(portal: Portal) -> None:
    """A tab with another file names the missing positions; its Restart uses that file, as both tabs say."""
    whole = json.loads((portal.folder / "portfolio.json").read_text())
    first_position, *others = whole["positions"]
    (portal.folder / "small.json").write_text(json.dumps({**whole, "positions": [first_position]}))
    small, large = portal.open(), portal.open()
    choose_file(small, "small.json")
    expect_in(small, ".pt-bar", "1 position in 1 underlying")
    press(small, "Start")
    expect_in(small, STATUS, "Options 1 of 1 · stocks 1 of 1 · fills listening")
    expect_in(large, NOTES, re.compile(r"Started from another tab \d\d:\d\d with small\.json; \d+ of your"))
    expect_in(large, NOTES, others[0]["id"])
    expect_in(large, NOTES, "not subscribed. Press Restart to stream this portfolio.")
    assert len(portal.simulator.subscriptions("options")["quotes"]) == 1

    press(large, "Restart")
    expect_in(large, STATUS, re.compile(r"Options 14 of 14 · stocks 7 of 7 · fills listening"))
    expect(large.locator(NOTES)).not_to_be_visible()
    expect_in(
        small,
        ".st-key-live-health",
        re.compile(r"Restarted from another tab \d\d:\d\d with portfolio\.json\."),
    )
    expect(small.locator(NOTES)).not_to_be_visible()
    assert len(portal.simulator.subscriptions("options")["quotes"]) == 14
    assert portal.connections == 3
    assert [page.get_by_test_id("stException").count() for page in (small, large)] == [0, 0]


def test_a_reloaded_tab_is_not_another_one(portal: Portal) -> None:
    """After a reload, a tab's own actions are not reported as another tab's."""
    page = portal.open()
    press(page, "Start")
    expect_in(page, STATUS, "Live.")
    press(page, "Stop")
    expect_in(page, STATUS, re.compile(r"Stopped \d\d:\d\d:\d\d\."))
    page.reload()
    expect_in(page, STATUS, "Stopped")
    assert "another tab" not in page.locator(STATUS).inner_text()
