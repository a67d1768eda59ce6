"""The product beside a paced or flat-out load: latency, the main thread, fills, an idle connection."""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

from processes import Child, start_feed
from report import Figure, median_figure

if TYPE_CHECKING:
    from collections.abc import Iterator


def measure_latency(*, quick: bool) -> Iterator[Figure]:
    """From sent to visible in the snapshot, at 5,000 messages a second, second by second.

    The figures with a target are of the third of the seconds in which the product waited least for a core.
    """
    feed, port = start_feed(per_frame=10, rate=5000)
    with feed, Child("product.py", "--port", port) as product:
        feed.hear(event="subscribed")
        product.hear(event="ready")
        feed.tell("go")
        time.sleep(1)
        answers = []
        for _ in range(12 if quick else 45):
            product.tell("latency 1")
            answers.append(product.hear())
        product.tell("cpu 3")
        cpu = product.hear()["cpu"]
    calm = sorted(answers, key=lambda answer: answer["queued"])[: len(answers) // 3]
    for name, target in (("p50", "<= 25"), ("p99", "<= 60")):
        yield median_figure(f"sent to visible, {name}", [each[name] * 1e3 for each in calm], "ms", target)
        yield Figure(f"the same, all seconds, {name}", median(each[name] for each in answers) * 1e3, "ms")
    yield Figure("CPU at 5,000/s, 10 per frame", cpu * 100, "% of a core")


def measure_main_thread(*, quick: bool) -> Iterator[Figure]:
    """A pandas job of 20 ms in the main thread, quiet and beside 20,000 messages/s on each data stream."""
    feed, port = start_feed(per_frame=10, rate=20_000)
    quiet: list[float] = []
    busy: list[float] = []
    with feed, Child("product.py", "--port", port, "--stocks") as product:
        for _ in range(2):
            feed.hear(event="subscribed")
        product.hear(event="ready")
        for _ in range(8 if quick else 30):
            quiet += _jobs(product)
            feed.tell("go")
            time.sleep(0.2)
            busy += _jobs(product)
            feed.tell("pause")
            time.sleep(0.3)
        product.tell("facts")
        facts = product.hear()
    yield Figure("the job by itself, p50", median(quiet) * 1e3, "ms")
    yield Figure("beside 2 x 20,000/s, p50 to quiet p50", median(busy) / median(quiet), "x", "<= 1.2")
    yield Figure("beside 2 x 20,000/s, p95 to quiet p95", _p95(busy) / _p95(quiet), "x", "<= 1.3")
    yield Figure("beside 2 x 20,000/s, p95 to quiet p50", _p95(busy) / median(quiet), "x")
    yield Figure("dropped_events meanwhile", facts["dropped"], "", "<= 0")


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def _jobs(product: Child) -> list[float]:
    product.tell("job 1")
    took: list[float] = product.hear()["took"]
    return took


def measure_fills(*, quick: bool) -> Iterator[Figure]:
    """An order update sent in the middle of a burst of 500,000 quotes, until it is in the snapshot."""
    took = []
    for per_frame in (1, 10) if quick else (1, 1, 1, 10, 10, 10):
        feed, port = start_feed(per_frame=per_frame, messages=500_000)
        with feed, Child("product.py", "--port", port, "--fills") as product:
            for _ in range(2):
                feed.hear(event="subscribed")
            product.hear(event="ready")
            product.tell("fill 1")
            feed.tell("go")
            time.sleep(0.1)
            feed.tell("fill")
            sent = feed.hear(event="filled")["at"]
            took.append((product.hear()["seen"] - sent) * 1e3)
    yield median_figure("fill behind a burst of 500,000 quotes", took, "ms", "<= 200")
    yield Figure("the slowest of them", max(took), "ms", "<= 200")


def measure_idle(*, quick: bool) -> Iterator[Figure]:
    """Three connected streams on which nothing comes."""
    feed, port = start_feed(per_frame=10)
    with feed, Child("product.py", "--port", port, "--stocks", "--fills") as product:
        for _ in range(3):
            feed.hear(event="subscribed")
        product.hear(event="ready")
        time.sleep(1)
        product.tell(f"cpu {5 if quick else 20}")
        cpu = product.hear()["cpu"]
    yield Figure("CPU of three silent streams", cpu * 100, "% of a core", "<= 1.5")
