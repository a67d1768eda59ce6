"""How soon a browser shows something: the page beside a Streamlit app that is nothing but a title."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from report import Figure, median_figure

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

_CONTRACTS = 12
_SETTLE_MS = 3000
_NOBODY = 9  # before Start nothing is asked of Alpaca; behind this port is none
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_ROW = "tr[data-key]"


def measure(*, quick: bool) -> Iterator[Figure]:
    """A browser that has never been there, then one that has Streamlit's scripts in its cache."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the others need no browser
    from portal import Portal, Server, free_port, launch_chromium  # noqa: PLC0415 - the same

    rounds = 5 if quick else 9
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as ours,
        tempfile.TemporaryDirectory() as bare,
        sync_playwright() as playwright,
        Portal(Path(ours), _NOBODY, _CONTRACTS) as portal,
        Server(Path(bare), port, _title_only(Path(bare), port)) as empty,
    ):
        browser = launch_chromium(playwright)
        addresses = {"page": portal.url, "title only": f"http://127.0.0.1:{empty.port}"}
        for cache in ("cold", "warm"):
            paints: dict[str, list[float]] = {name: [] for name in addresses}
            whole: list[float] = []
            kept = browser.new_context()
            for number in range(rounds + 1):
                for name, url in addresses.items():
                    context = kept if cache == "warm" else browser.new_context()
                    painted, complete = _visit(context, url, _ROW if name == "page" else "h1")
                    if number:  # the first visit warms server and cache
                        paints[name].append(painted)
                        whole += [complete] if name == "page" else []
                    if context is not kept:
                        context.close()
            kept.close()
            yield median_figure(f"first contentful paint, {cache} cache", paints["page"], "ms", "<= 600")
            yield median_figure(f"the same of a title only, {cache} cache", paints["title only"], "ms")
            yield median_figure(f"the first row of the table, {cache} cache", whole, "ms")
        browser.close()


def _title_only(folder: Path, port: int) -> list[str]:
    script = folder / "app.py"
    script.write_text('import streamlit as st\n\nst.title("Title")\n')
    quiet = ["--server.headless=true", "--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    return ["streamlit", "run", str(script), f"--server.port={port}", "--server.address=127.0.0.1", *quiet]


def _visit(context: BrowserContext, url: str, whole: str) -> tuple[float, float]:
    """Milliseconds from the navigation to the first content, and until this element is there."""
    page: Page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator(whole).first.wait_for()
    complete = page.evaluate("performance.now()")
    painted = page.evaluate(_PAINTED)
    page.wait_for_timeout(_SETTLE_MS)  # what comes after must not fall into the next visit
    page.close()
    return float(painted), float(complete)
