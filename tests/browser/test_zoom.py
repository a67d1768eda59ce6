"""With every panel open, the page fits a narrow window: at 200 % zoom, and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import resize, running_portal

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


@pytest.fixture(scope="module")
def full_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open every panel of a page with an account that differs from the file, so that each has content."""
    folder = tmp_path_factory.mktemp("zoom")
    with running_portal(browser, folder, differs=True) as portal:
        page = portal.open()
        open_every_panel(page)
        yield page


def open_every_panel(page: Page) -> None:
    """Start, select a structure, and unfold everything."""
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
