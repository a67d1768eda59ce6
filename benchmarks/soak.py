"""Memory over an hour: `python benchmarks/soak.py [--minutes 60] [--rate 5000] [--tabs 2] [--log FILE]`.

The portal streams 250 contracts and their stocks from the feed, an order update arrives every ten seconds,
and browser tabs refresh every second. Once a minute a line is added to the log: the server's resident memory
and CPU, and the JavaScript heap of each tab. At the end, the growth of memory after the warm-up is printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from harness import start_feed
from page import POSITIONS
from portal import Portal, Tabs, feed_variables

WARM_UP_MINUTES = 10.0


def soak(options: argparse.Namespace) -> list[tuple[float, ...]]:
    """Return one row per minute: minutes, the server's megabytes and CPU percent, each tab's megabytes."""
    rows: list[tuple[float, ...]] = []
    feed, feed_port = start_feed(per_frame=10, rate=options.rate / 2)  # two data streams share it
    with (
        feed,
        tempfile.TemporaryDirectory() as folder,
        Portal(Path(folder), feed_variables(feed_port), POSITIONS) as portal,
        Tabs(portal.url, options.tabs) as browser,
        options.log.open("w") as log,
    ):
        tab = browser.tabs[0]
        tab.wait(5)
        for each in browser.tabs:
            each.refresh_each(1)
        tab.start()
        for _ in range(3):
            feed.receive(event="subscribed")
        feed.send("go")
        began, cpu, asked = time.monotonic(), portal.cpu_seconds(), time.monotonic()
        while (elapsed := (time.monotonic() - began) / 60) < options.minutes:
            for each in browser.tabs:
                each.wait(5)
            feed.send("fill")
            if len(rows) <= elapsed:
                spent, now = portal.cpu_seconds(), time.monotonic()
                heaps = [each.heap_megabytes() for each in browser.tabs]
                rows.append((elapsed, portal.rss_megabytes(), 100 * (spent - cpu) / (now - asked), *heaps))
                cpu, asked = spent, now
                print(*(f"{value:.1f}" for value in rows[-1]), file=log, flush=True)
    return rows


def slope_per_ten_minutes(rows: list[tuple[float, ...]], column: int) -> float:
    """Return the growth in megabytes per ten minutes by least squares, without the warm-up."""
    steady = [row for row in rows if row[0] >= min(WARM_UP_MINUTES, rows[-1][0] / 3)]
    line = statistics.linear_regression([row[0] for row in steady], [row[column] for row in steady])
    return 10 * line.slope


def main() -> None:
    """Run the soak test, then print the slopes."""
    parser = argparse.ArgumentParser(description="Watch memory under a steady load.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=5000, help="messages per second, both data streams")
    parser.add_argument("--tabs", type=int, default=2)
    parser.add_argument("--log", type=Path, default=Path("soak.log"))
    options = parser.parse_args()
    rows = soak(options)
    print(f"server: {slope_per_ten_minutes(rows, 1):+.2f} MB per 10 min, now {rows[-1][1]:.0f} MB")
    for number in range(options.tabs):
        slope = slope_per_ten_minutes(rows, 3 + number)
        print(f"tab {number + 1}: {slope:+.2f} MB per 10 min, now {rows[-1][3 + number]:.1f} MB")


if __name__ == "__main__":
    main()
