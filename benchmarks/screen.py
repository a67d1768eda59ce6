"""From the socket to the screen: how late a quote appears, and what the page costs meanwhile."""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import count
from statistics import median, quantiles
from typing import Self

from harness import Figure
from portal import largest_growth, simulated_page

from options_helper.simulator.server import AlpacaSimulator

_POSITIONS = 208  # with 250 contracts
_PUSH_SECONDS = 0.25
_TARGETS = {
    2.0: {"median": "<= 1.2", "p95": "<= 2.1", "CPU": None, "bytes": None, "task": None},
    0.5: {"median": "<= 0.45", "p95": None, "CPU": "<= 15", "bytes": "<= 60", "task": "<= 50"},
}
# Records when a frame shows a new text of the watched mark, and the browser's long tasks.
_WATCH = """() => {
  window.shown = []; window.tasks = [];
  new PerformanceObserver(list => list.getEntries().forEach(task => window.tasks.push(task.duration)))
    .observe({entryTypes: ['longtask']});
  let last = '';
  const look = () => {
    const cell = document.querySelector('tr[data-position-id=p1] td[data-col=mark]');
    const text = cell ? cell.textContent : '';
    if (text !== last) window.shown.push([last = text, Date.now() / 1000]);
    requestAnimationFrame(look);
  };
  look();
}"""


def measure_screen(*, quick: bool) -> Iterator[Figure]:
    """Yield the time from a sent quote to the screen, and the page's cost, while all 250 contracts move."""
    for refresh in _TARGETS:
        yield from _measure(refresh, 20 if quick else 60)


def _measure(refresh: float, seconds: float) -> Iterator[Figure]:
    with simulated_page(_POSITIONS, refresh) as (market, portal, tab), _Quotes(market) as quotes:
        tab.wait(10)
        tab.evaluate(_WATCH)
        sent = portal.sent_bytes()
        began, cpu = time.monotonic(), portal.cpu_seconds()
        tab.wait(seconds)
        passed, cpu = time.monotonic() - began, portal.cpu_seconds() - cpu
        received = largest_growth(sent, portal.sent_bytes())
        shown, tasks = tab.evaluate("[window.shown, window.tasks]")
    late = _lateness(quotes.sent, shown)
    words, targets = f"refresh of {refresh:g} s", _TARGETS[refresh]
    yield Figure(f"{words}: socket to screen, median", median(late), "s", targets["median"])
    yield Figure(f"{words}: socket to screen, p95", quantiles(late, n=20)[-1], "s", targets["p95"])
    yield Figure(f"{words}: CPU of the server", 100 * cpu / passed, "% of a core", targets["CPU"])
    yield Figure(f"{words}: over the browser's websocket", received / passed / 1e3, "kB/s", targets["bytes"])
    yield Figure(
        f"{words}: the longest task above 50 ms in the browser, 0 if none",
        max(tasks, default=0.0),
        "ms",
        targets["task"],
    )


class _Quotes:
    """A thread that sends each contract a new quote every quarter of a second.

    Attributes:
        sent: The mark in cents and the time of each round, in order.
    """

    def __init__(self, market: AlpacaSimulator) -> None:
        self._market = market
        self._contracts = sorted(market.subscriptions("options")["quotes"])
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, name="quotes")
        self.sent: list[tuple[int, float]] = []

    def _send(self) -> None:
        for cents in count(100):
            self.sent.append((cents + 1, time.time()))
            for contract in self._contracts:
                self._market.push_quote(contract, cents / 100, (cents + 2) / 100)
            if self._ended.wait(_PUSH_SECONDS):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def _lateness(sent: list[tuple[int, float]], shown: list[tuple[str, float]]) -> list[float]:
    """Return for each quote the seconds until the screen showed it or a newer one."""
    seen = [
        (round(100 * float(found[0])), at) for text, at in shown if (found := re.search(r"\d+\.\d+", text))
    ]
    marks = [mark for mark, _ in seen]
    first = marks[0]
    within = [(mark, at) for mark, at in sent if first < mark <= marks[-1]]
    return [seen[bisect_left(marks, mark)][1] - at for mark, at in within]
