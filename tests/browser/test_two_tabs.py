"""Two tabs share one set of streams: each shows the other's actions and its own missing positions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

STATUS, NOTES = ".st-key-live-status", ".st-key-live-notes"


def press(page: Page, name: str) -> None:
    """Press a button once it can be pressed."""
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_enabled()
    button.click()


def expect_in(page: Page, place: str, words: str | re.Pattern[str]) -> None:
    """Wait until a place on the page shows this text."""
    expect(page.locator(place)).to_contain_text(words)


def choose_file(page: Page, name: str) -> None:
    """Name another portfolio file in the sidebar."""
    field = page.get_by_test_id("stSidebar").get_by_role("textbox", name="Portfolio file")
    field.fill(name)
    field.press("Enter")


def test_restart_uses_the_tab_it_was_pressed_in(portal: Portal) -> None:
    """A tab with another file names its missing positions; its Restart uses that file, and both say so."""
    whole = json.loads((portal.folder / "portfolio.json").read_text())
    first_position, *others = whole["positions"]
    (portal.folder / "small.json").write_text(json.dumps({**whole, "positions": [first_position]}))
    small, large = portal.open(), portal.open()
    choose_file(small, "small.json")
    expect_in(small, STATUS, re.compile(r"Not started\. 1 contract and 1 underlying are ready\."))
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
