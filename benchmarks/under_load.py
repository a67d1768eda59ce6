"""The product beside a paced or flat-out load: latency, the main thread, fills, an idle connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

from processes import Child, start_feed
from report import Figure, median_figure


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
    quiet: list[dict[str, Any]] = []
    busy: list[dict[str, Any]] = []
    with feed, Child("product.py", "--port", port, "--stocks") as product:
        for _ in range(2):
            feed.hear(event="subscribed")
        product.hear(event="ready")
        for _ in range(15 if quick else 60):
            quiet.append(_jobs(product))
            feed.tell("go")
            time.sleep(0.2)
            busy.append(_jobs(product))
            feed.tell("pause")
            time.sleep(0.2)
        product.tell("facts")
        facts = product.hear()
    alone, beside = _calm(quiet), _calm(busy)
    yield Figure("the job by itself, p50", median(alone) * 1e3, "ms")
    yield Figure("beside 2 x 20,000/s, p50 to p50 by itself", median(beside) / median(alone), "x", "<= 1.2")
    yield Figure("beside 2 x 20,000/s, p95 to p95 by itself", _p95(beside) / _p95(alone), "x", "<= 1.3")
    yield Figure("dropped_events meanwhile", facts["dropped"], "", "<= 0")


def _calm(slices: list[dict[str, Any]]) -> list[float]:
    """The durations of the third of the slices in which the product waited least for a core."""
    slices = sorted(slices, key=lambda one: float(one["queued"]))
    return [took for one in slices[: len(slices) // 3] for took in one["took"]]


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def _jobs(product: Child) -> dict[str, Any]:
    product.tell("job 0.5")
    return product.hear()


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
