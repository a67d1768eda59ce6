"""The cost of an open page without data: CPU of the server, bytes over the browser's websocket."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from processes import start_feed
from report import Figure


def measure(*, quick: bool) -> Iterator[Figure]:
    """Silent streams first, then the cost of each tab while 5,000 messages a second arrive."""
    seconds = 20 if quick else 60
    cpu, received = _run(tabs=1, rate=0, seconds=seconds)
    yield Figure("CPU of the server, page open, streams silent", 100 * cpu, "% of a core", "<= 1.5")
    yield Figure("over the browser's websocket", received / 1e3, "kB per refresh", "<= 2")
    one, live = _run(tabs=1, rate=5000, seconds=seconds)
    four, _ = _run(tabs=4, rate=5000, seconds=seconds)
    yield Figure("CPU of the server at 5,000/s, one tab", 100 * one, "% of a core")
    yield Figure("CPU of each further tab", 100 * (four - one) / 3, "% of a core")
    yield Figure("over the browser's websocket at 5,000/s", live / 1e3, "kB per refresh")


def _run(*, tabs: int, rate: float, seconds: float) -> tuple[float, float]:
    """CPU seconds per second and bytes per refresh, of a portal with 250 contracts that was started."""
    from portal import Portal, Tabs  # noqa: PLC0415 - the other measurements need no browser

    feed, feed_port = start_feed(per_frame=10, rate=rate / 2)  # two data streams share it
    with (
        feed,
        tempfile.TemporaryDirectory() as folder,
        Portal(Path(folder), feed_port, 250) as portal,
        Tabs(portal.url, tabs) as browser,
    ):
        first = browser.tabs[0]
        first.wait(5)
        first.start()
        for _ in range(3):
            feed.hear(event="subscribed")
        if rate:
            feed.tell("go")
        first.wait(10)
        first.bytes_per_run()
        began = portal.cpu_seconds()
        first.wait(seconds)
        return (portal.cpu_seconds() - began) / seconds, median(first.bytes_per_run())
