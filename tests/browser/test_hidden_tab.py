"""The redraw guard in a real browser with a controlled clock, which reports late beats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("streamlit", reason="the portal needs streamlit")

SCRIPTS = Path(__file__).resolve().parents[2] / "options_helper" / "browser"
SITE = "http://scripts.test/"
PATIENCE = 8_000
MOUNT = """async () => {
    const { default: redraw } = await import("/redraw.js");
    const parentElement = document.body;
    window.reports = [];
    const setTriggerValue = (name) => window.reports.push(name);
    const data = { number: 1, now: 1 };
    window.beat = (patience) => redraw({ data: { ...data, patience }, setTriggerValue, parentElement });
}"""
SEEN = """(seen) => {
    Object.defineProperty(document, 'hidden', { value: !seen, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page with the guard's script before its first beat; its clock is frozen."""
    page = browser.new_page()
    page.clock.install(time=0)
    page.route(f"{SITE}**", _answer)
    page.goto(SITE)
    page.clock.pause_at(3_600_000)
    page.evaluate(MOUNT)
    yield page
    page.close()


def _answer(route: Route) -> None:
    name = route.request.url.removeprefix(SITE)
    if name.endswith(".js"):
        route.fulfill(path=SCRIPTS / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


def _beat(page: Page) -> None:
    page.evaluate("(patience) => { window.leave = window.beat(patience); }", PATIENCE)


def _reports_after(page: Page, milliseconds: int) -> list[str]:
    """Return what the page has reported to the server once this time has passed."""
    page.clock.run_for(milliseconds)
    reports: list[str] = page.evaluate("window.reports.splice(0)")
    return reports


def test_a_missing_beat_is_reported(page: Page) -> None:
    """A late beat is reported repeatedly, each time after the same wait."""
    _beat(page)
    assert _reports_after(page, PATIENCE - 1) == []
    _beat(page)
    assert _reports_after(page, PATIENCE - 1) == []
    assert _reports_after(page, 1) == ["late"]
    assert _reports_after(page, PATIENCE) == ["late"]


def test_a_hidden_tab_has_more_patience(page: Page) -> None:
    """A hidden tab waits longer, because its timers are limited; once visible, it waits as usual."""
    _beat(page)
    page.clock.run_for(PATIENCE - 1)
    page.evaluate(SEEN, False)
    for _ in range(5):
        assert _reports_after(page, 60_000) == []
        _beat(page)
    assert _reports_after(page, 179_999) == []
    assert _reports_after(page, 1) == ["late"]
    page.evaluate(SEEN, True)
    assert _reports_after(page, PATIENCE - 1) == []
    assert _reports_after(page, 1) == ["late"]


def test_a_removed_redraw_stops_waiting(page: Page) -> None:
    """A removed redraw reports nothing later, and a finished beat does not end the next wait."""
    page.evaluate("(patience) => { window.first = window.beat(patience); }", PATIENCE)
    _beat(page)
    page.evaluate("window.first()")
    assert _reports_after(page, PATIENCE) == ["late"]
    page.evaluate("window.leave()")
    page.evaluate(SEEN, False)
    page.evaluate(SEEN, True)
    assert _reports_after(page, 3 * PATIENCE) == []


def test_a_silent_server_is_reported(page: Page) -> None:
    """If the request for a late beat brings none either, the page says so until the next beat."""
    silent = "() => document.documentElement.dataset.ohSilent ?? null"
    _beat(page)
    page.clock.run_for(PATIENCE)
    assert page.evaluate(silent) is None
    page.clock.run_for(PATIENCE)
    assert page.evaluate(silent) is not None
    _beat(page)
    assert page.evaluate(silent) is None
