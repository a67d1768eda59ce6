"""The page in a browser: its cost without data, and the time until it shows something."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness import Figure, median_figure, start_feed
from playwright.sync_api import BrowserContext, Page, sync_playwright
from portal import (
    Portal,
    Server,
    Tabs,
    feed_variables,
    free_port,
    largest_growth,
    launch_chromium,
    simulated_page,
)

POSITIONS = 208  # with 250 contracts
_FEW = 10  # positions
_SETTLE_MS = 3000
_NOBODY = 9  # a port without a server, because nothing is requested from Alpaca before Start
_RATE = 5000  # messages a second
_REFRESH_SECONDS = 2
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_ROW = "tr[data-key]"


def measure_idle_page(*, quick: bool) -> Iterator[Figure]:
    """Yield the server's CPU, and the bytes over the browser's websocket, while the streams are silent."""
    cpu, received = _watch(20 if quick else 60, tabs=1, rate=0)
    yield Figure("CPU of the server, page open, streams silent", 100 * cpu, "% of a core", "<= 1.5")
    yield Figure("over the browser's websocket", received / 1e3, "kB per refresh", "<= 2")


def measure_further_tabs(*, quick: bool) -> Iterator[Figure]:
    """Yield the server's CPU with one tab and with more on the same portfolio, while prices keep moving."""
    seconds, further = (20 if quick else 60), 2
    one, _ = _watch(seconds, tabs=1, rate=_RATE)
    more, _ = _watch(seconds, tabs=1 + further, rate=_RATE)
    yield Figure(f"CPU of the server at {_RATE:,}/s, one tab, refresh 2 s", 100 * one, "% of a core")
    yield Figure("CPU of each further tab", 100 * (more - one) / further, "% of a core", "<= 2")


def _watch(seconds: float, *, tabs: int, rate: float) -> tuple[float, float]:
    """Return CPU seconds per second and bytes per refresh of a started portal with 250 contracts.

    Args:
        seconds: The length of the measurement.
        tabs: The number of browser tabs; bytes are those of the tab that got most.
        rate: Messages per second on both data streams together, 0 for silence.
    """
    feed, feed_port = start_feed(per_frame=10, rate=rate / 2 or 1)
    with (
        feed,
        tempfile.TemporaryDirectory() as folder,
        Portal(Path(folder), feed_variables(feed_port), POSITIONS) as portal,
        Tabs(portal.url, tabs) as browser,
    ):
        first = browser.tabs[0]
        first.wait(5)
        first.start()
        for _ in range(3):
            feed.receive(event="subscribed")
        if rate:
            feed.send("go")
        first.wait(10)
        began, sent = portal.cpu_seconds(), portal.sent_bytes()
        first.wait(seconds)
        received = largest_growth(sent, portal.sent_bytes())
        return (portal.cpu_seconds() - began) / seconds, received * _REFRESH_SECONDS / seconds


def measure_changed_page(*, quick: bool) -> Iterator[Figure]:
    """Yield the bytes of a whole refresh, if ten contracts or all of them get a new quote before each."""
    for changed in (10, None):
        yield from _measure_changes(15 if quick else 60, changed)


def _measure_changes(refreshes: int, changed: int | None) -> Iterator[Figure]:
    with simulated_page(POSITIONS) as (market, portal, first):
        contracts = sorted(market.subscriptions("options")["quotes"])
        changed = changed or len(contracts)
        first.wait(15)
        first.received()
        sent = portal.sent_bytes()
        for number in range(refreshes):
            for place in range(changed):
                bid = 1 + (7 * number + place) % 50 / 10
                market.push_quote(contracts[(changed * number + place) % len(contracts)], bid, bid + 0.05)
            first.wait(_REFRESH_SECONDS)
        wire = largest_growth(sent, portal.sent_bytes()) / refreshes
        received = first.received()
        whole, table = received.total() / refreshes, received["options-helper.positions_table"] / refreshes
        words = f"a refresh, {changed} of {len(contracts)} contracts changed"
        few = changed < len(contracts)
        yield Figure(f"{words}, over the websocket", wire / 1e3, "kB", "<= 6" if few else None)
        yield Figure("the same unpacked", whole / 1e3, "kB")
        yield Figure("the table's part of it", table / 1e3, "kB")


def measure_first_paint(*, quick: bool) -> Iterator[Figure]:
    """Yield the time to the first paint in a new browser, then in one that has cached Streamlit's scripts."""
    rounds = 5 if quick else 9
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as ours,
        tempfile.TemporaryDirectory() as bare,
        sync_playwright() as playwright,
        Portal(Path(ours), feed_variables(_NOBODY), _FEW) as portal,
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
    """Return the milliseconds from the navigation to the first content, and to this element."""
    page: Page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator(whole).first.wait_for()
    complete = page.evaluate("performance.now()")
    painted = page.evaluate(_PAINTED)
    page.wait_for_timeout(_SETTLE_MS)  # later work must not fall into the next visit
    page.close()
    return float(painted), float(complete)
