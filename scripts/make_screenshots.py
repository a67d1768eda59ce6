"""Take the documentation's screenshots from the demo.

    ./.venv/bin/python scripts/make_screenshots.py

It writes to docs/images: the page in dark, light and narrow form, before Start, and the home page.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from demo_server import chromium, running_demo, start_streams
from PIL import Image  # comes with Streamlit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
GROW_MS = 45_000  # until marks have moved, fills have arrived and the curves have a shape
DRAWN = """() => document.querySelectorAll('[data-testid="stSkeleton"]').length === 0
    && document.querySelector('.st-key-live-positions') !== null"""


def main() -> None:
    """Take all screenshots from one demo."""
    program = Path(sys.executable).with_name("options-helper")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo([str(program), "ui", "--demo", "--no-browser"], Path(folder)) as url,
        chromium() as browser,
    ):
        IMAGES.mkdir(parents=True, exist_ok=True)
        _take_before_start(browser, url)
        page = _open(browser, "light", WIDE)
        start_streams(page, url)
        page.wait_for_timeout(GROW_MS)
        _save_live(page, "live-portfolio-light")
        page.context.close()
        for name, scheme, size in (
            ("live-portfolio", "dark", WIDE),
            ("live-portfolio-narrow", "dark", NARROW),
        ):
            page = _open(browser, scheme, size)
            page.goto(f"{url}/Live_Portfolio")
            _save_live(page, name)
            page.context.close()


def _take_before_start(browser: Browser, url: str) -> None:
    page = _open(browser, "dark", WIDE)
    page.goto(url)
    page.get_by_text("Found on this machine").wait_for(timeout=60_000)
    page.wait_for_timeout(1_000)
    _save(page, "home")
    page.goto(f"{url}/Live_Portfolio")
    page.locator(".st-key-live-status").get_by_text("Not started", exact=False).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)
    _save(page, "before-start")
    page.context.close()


def _open(browser: Browser, scheme: str, size: dict[str, int]) -> Page:
    context = browser.new_context(viewport=size, color_scheme=scheme, timezone_id="America/New_York")
    return context.new_page()


def _collapse_sidebar(page: Page) -> None:
    button = page.locator('[data-testid="stSidebarCollapseButton"] button')
    if button.count() and page.locator('[data-testid="stSidebar"][aria-expanded="true"]').count():
        page.locator('[data-testid="stSidebar"]').hover()
        button.first.click()
        page.wait_for_timeout(500)


def _save_live(page: Page, name: str) -> None:
    """Save a streaming page, once it is drawn completely."""
    page.locator(".st-key-live-status").get_by_text("Live.", exact=False).first.wait_for(timeout=60_000)
    _collapse_sidebar(page)
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(4_000)
    page.wait_for_function(DRAWN, timeout=60_000)
    _save(page, name)


def _save(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"   {path.relative_to(IMAGES.parent.parent)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
