"""With every panel open, the page fits its window: at 200 % zoom, on a phone, and in both themes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.charts.palette import DARK, LIGHT
from tests.browser.conftest import SETTLED, resize, running_portal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
# A window of 1440 x 900 at 200 % and a phone; the narrowest two columns, and a wide page.
SIZES = {"zoomed": (720, 450), "phone": (390, 844), "two-columns": (840, 600), "wide": (1440, 900)}
EXPANDERS = ("Sums by underlying", "Portfolio value minus equity", "The file with", "All figures")
LADDER_FITS = {"zoomed", "wide"}  # elsewhere the quotes scroll within their own region
# Elements that reach beyond the page's right edge and that no scroller of their own holds.
TOO_WIDE = """main => {
  const edge = main.getBoundingClientRect().left + main.clientWidth + 0.5;
  const scrolls = node => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
  const held = node => {
    for (let up = node.parentElement; up && up !== main; up = up.parentElement) if (scrolls(up)) return true;
    return false;
  };
  const reaches = box => box.width > 0 && box.right > edge;
  return [...main.querySelectorAll('*')]
    .filter(node => reaches(node.getBoundingClientRect()) && !held(node))
    .map(node => `${node.tagName}.${node.className} ${(node.innerText || '').slice(0, 60)}`);
}"""
# Text of the panels that is cut off by its own box.
CUT_OFF = """main => [...main.querySelectorAll('.stHtml *')]
  .filter(node => ['hidden', 'clip'].includes(getComputedStyle(node).overflowX)
    && node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1)
  .map(node => `${node.tagName}.${node.className} ${node.innerText.slice(0, 60)}`)"""

# The focused element, if the header covers a part of it.
COVERED = """() => {
  const node = document.activeElement;
  const { bottom } = document.querySelector('.stAppHeader').getBoundingClientRect();
  if (!node.closest('[data-testid=stMain]')) return [];
  return node.getBoundingClientRect().top < bottom - 1 ? [node.outerHTML.slice(0, 120)] : [];
}"""
CHART_COLOURS = """() => {
  const painted = name => [...document.querySelectorAll(`.stVegaLiteChart svg [${name}^="#"]`)];
  const colours = name => painted(name).map(node => getComputedStyle(node)[name]);
  return [...new Set(['fill', 'stroke'].flatMap(colours))];
}"""


@pytest.fixture(scope="module")
def full_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open every panel of a page with an account that differs from the file, so that each has content."""
    folder = tmp_path_factory.mktemp("zoom")
    with running_portal(browser, folder, differs=True) as portal:
        page = portal.open()
        open_every_panel(page)
        yield page


def open_every_panel(page: Page) -> None:
    """Start, select a structure, and expand everything."""
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-account table").first).to_be_visible()
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    expect(page.locator(".st-key-live-detail")).to_be_visible()
    for title in EXPANDERS:
        page.locator("summary", has_text=title).first.click()
    expect(page.locator(".oh-figures")).to_be_visible()
    expect(page.get_by_role("table", name="Sums by underlying")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_every_open_panel_fits(full_page: Page, size: str) -> None:
    """With every panel open, nothing scrolls sideways, nothing crosses the edge, and no text is cut off."""
    (width, height), page = SIZES[size], full_page
    resize(page, width, height)
    main = page.get_by_test_id("stMain")
    if PICTURES:
        whole = main.evaluate("node => node.scrollHeight")
        page.set_viewport_size({"width": width, "height": whole})
        page.screenshot(path=Path(PICTURES) / f"zoom-{size}.png")
        page.set_viewport_size({"width": width, "height": height})
    assert main.evaluate(TOO_WIDE) == []
    assert main.evaluate(CUT_OFF) == []
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    if size in LADDER_FITS:
        ladders = page.locator(".pd-ladder")
        assert (
            ladders.evaluate_all("nodes => nodes.filter(node => node.scrollWidth > node.clientWidth).length")
            == 0
        )
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_alerts_and_fills_come_after_the_table(full_page: Page) -> None:
    """A phone shows totals, positions, alerts and fills before the long detail and account."""
    resize(full_page, *SIZES["phone"])
    parts = ("totals", "positions", "alerts", "fills", "health", "detail", "account")
    boxes = [full_page.locator(f".st-key-live-{part}").bounding_box() for part in parts]
    tops = [box["y"] for box in boxes if box is not None]
    assert len(tops) == len(parts)
    assert tops == sorted(tops)


def test_the_table_begins_high_on_the_page(full_page: Page) -> None:
    """In a window 900 pixels high, the parts above the table leave nearly two thirds of it to the table."""
    resize(full_page, 1440, 900)
    full_page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    assert (
        full_page.locator(".st-key-live-positions").evaluate("node => node.getBoundingClientRect().top")
        <= 330
    )


def test_the_usual_status_takes_one_line_beside_a_half_screen(full_page: Page) -> None:
    """At 720 pixels, the last word of the status line does not wrap."""
    resize(full_page, 720, 450)
    status = full_page.locator(".st-key-live-status p")
    expect(status).to_contain_text("Updated")
    assert status.evaluate(
        "p => p.getBoundingClientRect().height < 1.9 * parseFloat(getComputedStyle(p).lineHeight)"
    )


def test_the_focused_element_is_below_the_header(full_page: Page) -> None:
    """Whatever Shift and Tab focus on the way back to the top is scrolled to below the header."""
    page = full_page
    resize(page, 1440, 900)
    page.locator("summary", has_text="What the totals mean").focus()
    hidden = []
    for _ in range(25):
        page.keyboard.press("Shift+Tab")
        hidden += page.evaluate(COVERED)
    assert hidden == []


def test_charts_follow_the_theme_at_once(full_page: Page) -> None:
    """Even after Stop, when nothing is drawn again, every colour becomes that of the theme."""
    page = full_page
    resize(page, 1440, 900)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Stopped")
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    page.wait_for_function(SETTLED)
    for scheme, colours in (("dark", DARK), ("light", LIGHT)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(SETTLED)
        shown = set(page.evaluate(CHART_COLOURS))
        assert shown <= {rgb(colour) for colour in dataclasses.astuple(colours)}
        assert len(shown) >= 4


def rgb(colour: str) -> str:
    """Return a colour as a browser computes it."""
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgb({red}, {green}, {blue})"
