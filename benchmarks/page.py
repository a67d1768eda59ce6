"""What an open page costs while nothing comes: CPU of the server, bytes over the browser's websocket."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from processes import start_feed
from report import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure(*, quick: bool) -> Iterator[Figure]:
    """A portal with 250 contracts, started, on streams that are silent; one tab."""
    from portal import Portal, Tabs  # noqa: PLC0415 - the other measurements need no browser

    seconds = 20 if quick else 60
    feed, feed_port = start_feed(per_frame=10)
    with (
        feed,
        tempfile.TemporaryDirectory() as folder,
        Portal(Path(folder), feed_port, 250) as portal,
        Tabs(portal.url, 1) as browser,
    ):
        (tab,) = browser.tabs
        tab.wait(5)
        tab.start()
        for _ in range(3):
            feed.hear(event="subscribed")
        tab.wait(10)
        tab.received.clear()
        began = portal.cpu_seconds()
        tab.wait(seconds)
        cpu, received = portal.cpu_seconds() - began, sum(tab.received)
    yield Figure(
        "CPU of the server, page open and streams silent", 100 * cpu / seconds, "% of a core", "<= 1.5"
    )
    yield Figure("over the browser's websocket", received / seconds / 1e3, "kB per refresh", "<= 2")
