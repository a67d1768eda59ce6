"""How many messages a second, from the socket to visible, and at what CPU time each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Self

from processes import Child, start_feed
from report import Figure, median_figure

SYMBOLS = 250
_RECEIVERS = {
    "L": ("client_websockets.py",),
    "S": ("client_sdk.py",),
    "P": ("client_sdk.py", "--parsed"),
    "product": ("client_product.py",),
}
_MESSAGES = {1: 300_000, 10: 1_500_000, 50: 2_500_000, 100: 2_500_000}
# The SDK alone is slower; a tenth of the messages is enough.
_SLOW = {"S": 0.1, "P": 0.05}
_TARGETS = {1: ">= 1.0", 10: ">= 1.5", 50: ">= 2.0", 100: ">= 2.0"}


def measure(*, quick: bool) -> Iterator[Figure]:
    """Throughput against the yardsticks, in turns, each in fresh processes."""
    rounds = 3 if quick else 5
    for per_frame, target in _TARGETS.items():
        rates: defaultdict[str, list[float]] = defaultdict(list)
        cpus: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            for kind in _RECEIVERS:
                messages = int(_MESSAGES[per_frame] * _SLOW.get(kind, 1) * (0.5 if quick else 1))
                rate, cpu = run_once(kind, per_frame, messages)
                rates[kind].append(rate)
                cpus[kind].append(cpu)
        at = f"at {per_frame} per frame"
        for kind in _RECEIVERS:
            yield median_figure(
                f"{kind}: throughput {at}", [rate / 1e3 for rate in rates[kind]], "thousand/s"
            )
        yield median_figure(f"product / L {at}", _ratios(rates["product"], rates["L"]), "x", target)
        yield median_figure(
            f"product / S {at}",
            _ratios(rates["product"], rates["S"]),
            "x",
            ">= 4.0" if per_frame == 10 else None,
        )
        yield Figure(f"L: CPU per message {at}", median(cpus["L"]) * 1e6, "µs")
        yield Figure(f"product: CPU per message {at}", median(cpus["product"]) * 1e6, "µs")
        yield median_figure(
            f"product / L, CPU per message {at}",
            _ratios(cpus["product"], cpus["L"]),
            "x",
            "<= 0.75" if per_frame == 10 else None,
        )


def measure_newest(*, quick: bool) -> Iterator[Figure]:
    """Five million quotes as fast as the socket takes: is the newest of each shown, and is any dropped."""
    messages = 1_000_000 if quick else 5_000_000
    for per_frame in (1, 10):
        with Burst("product", per_frame, messages) as burst:
            burst.run()
            facts = burst.client.hear()
        lost = messages // 4000 * 4000 + SYMBOLS + 1 - facts["messages"]
        yield Figure(f"messages not received of {messages:,}, {per_frame} per frame", lost, "", "<= 0")
        yield Figure(f"dropped_events after them, {per_frame} per frame", facts["dropped"], "", "<= 0")


def run_once(kind: str, per_frame: int, messages: int) -> tuple[float, float]:
    """Messages per second and CPU seconds per message of one receiver for one burst."""
    with Burst(kind, per_frame, messages) as burst:
        seconds, cpu = burst.run()
    return messages / seconds, cpu / messages


class Burst:
    """A feed and one receiver of its burst, both fresh."""

    def __init__(self, kind: str, per_frame: int, messages: int) -> None:
        self._feed, port = start_feed(per_frame=per_frame, messages=messages)
        self.client = Child(*_RECEIVERS[kind], "--port", port, "--symbols", SYMBOLS)

    def run(self) -> tuple[float, float]:
        """Seconds from the first byte sent to the end seen, and CPU seconds of the receiver."""
        self._feed.hear(event="subscribed")
        time.sleep(0.1)  # let the receiver come to rest
        self.client.tell("begin")
        time.sleep(0.05)
        self._feed.tell("go")
        began = self._feed.hear(event="began")["at"]
        end = self.client.hear()
        return end["finished"] - began, end["cpu"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.end()
        self._feed.end()


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]
