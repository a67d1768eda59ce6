"""The streams under load: throughput, losses, latency, the main thread alongside, and their idle cost."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Self

from harness import Child, Figure, median_figure, start_feed

SYMBOLS = 250
_RECEIVERS = ("L", "S", "P", "product")
_MESSAGES = {1: 300_000, 10: 1_500_000, 50: 2_500_000, 100: 2_500_000}
# The SDK alone is slower; a tenth of the messages is enough.
_SLOW = {"S": 0.1, "P": 0.05}
_TARGETS = {1: ">= 1.0", 10: ">= 1.5", 50: ">= 2.0", 100: ">= 2.0"}
# Where risk is computed, and how often, in seconds: as often as a page shows it, at most each second.
_RISK_BESIDE = {
    "process 2": "with risk in a process, every two seconds",
    "process 1": "with risk in a process, every second",
    "here 1": "with risk in a thread, every second",
}


def measure_throughput(*, quick: bool) -> Iterator[Figure]:
    """Yield the throughput of all receivers, taken in turns, each in fresh processes."""
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


def measure_recording(*, quick: bool) -> Iterator[Figure]:
    """Yield the product's cost by itself, with the last minutes in memory, and with a file on disk."""
    kinds = ("L", "product", "ring", "recording")
    for per_frame, least in _TARGETS.items():
        rates: defaultdict[str, list[float]] = defaultdict(list)
        cpus: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(3 if quick else 5):
            for kind in kinds:
                rate, cpu = run_once(kind, per_frame, int(_MESSAGES[per_frame] * (0.5 if quick else 1)))
                rates[kind].append(rate)
                cpus[kind].append(cpu)
        at = f"at {per_frame} per frame"
        for kind in kinds[1:]:
            yield median_figure(f"{kind} / L {at}", _ratios(rates[kind], rates["L"]), "x", least)
            yield Figure(f"{kind}: CPU per message {at}", median(cpus[kind]) * 1e6, "µs")
            target = "<= 0.75" if per_frame == 10 else None
            yield median_figure(f"{kind} / L, CPU {at}", _ratios(cpus[kind], cpus["L"]), "x", target)
    for kind in kinds[1:]:
        answers, spent = _watch(kind, 5 if quick else 15)
        for name in ("p50", "p99"):
            ages = [each[name] * 1e3 for each in answers]
            yield median_figure(f"{kind}: sent to visible at 5,000/s, {name}", ages, "ms")
        yield Figure(f"{kind}: CPU at 5,000/s", spent["cpu"] * 100, "% of a core")
        yield Figure(f"{kind}: memory", spent["memory"] / 1e6, "MB")


def measure_newest(*, quick: bool) -> Iterator[Figure]:
    """Yield the losses among five million quotes sent as fast as the socket accepts them."""
    messages = 1_000_000 if quick else 5_000_000
    for per_frame in (1, 10):
        with Burst("product", per_frame, messages) as burst:
            burst.run()
            facts = burst.client.receive()
        lost = messages // 4000 * 4000 + SYMBOLS + 1 - facts["messages"]
        yield Figure(f"messages not received of {messages:,}, {per_frame} per frame", lost, "", "<= 0")
        yield Figure(f"dropped_events after them, {per_frame} per frame", facts["dropped"], "", "<= 0")


def run_once(kind: str, per_frame: int, messages: int) -> tuple[float, float]:
    """Return the messages per second and CPU seconds per message of one receiver for one burst."""
    with Burst(kind, per_frame, messages) as burst:
        seconds, cpu = burst.run()
    return messages / seconds, cpu / messages


class Burst:
    """A feed and one receiver of its burst, both fresh."""

    def __init__(self, kind: str, per_frame: int, messages: int) -> None:
        self._feed, port = start_feed(per_frame=per_frame, messages=messages)
        self.client = Child("receivers.py", kind, "--port", port, "--symbols", SYMBOLS)

    def run(self) -> tuple[float, float]:
        """Return the seconds from the first byte sent until the receiver saw the end, and its CPU seconds."""
        self._feed.receive(event="subscribed")
        time.sleep(0.1)  # let the receiver come to rest
        self.client.send("begin")
        time.sleep(0.05)
        self._feed.send("go")
        began = self._feed.receive(event="began")["at"]
        end = self.client.receive()
        return end["finished"] - began, end["cpu"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.end()
        self._feed.end()


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def measure_latency(*, quick: bool) -> Iterator[Figure]:
    """Yield the time from sent to visible in the snapshot, at 5,000 messages a second."""
    answers, spent = _watch("product", 12 if quick else 45)
    for name, target in (("p50", "<= 25"), ("p99", "<= 60")):
        yield median_figure(f"sent to visible, {name}", [each[name] * 1e3 for each in answers], "ms", target)
    yield Figure("CPU at 5,000/s, 10 per frame", spent["cpu"] * 100, "% of a core")


def _watch(kind: str, seconds: int) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Return each second's latencies at 5,000 messages a second, and then the CPU time and the memory."""
    feed, port = start_feed(per_frame=10, rate=5000)
    with feed, Child("product.py", "--port", port, "--kind", kind) as product:
        feed.receive(event="subscribed")
        product.receive(event="ready")
        feed.send("go")
        time.sleep(1)
        answers = []
        for _ in range(seconds):
            product.send("latency 1")
            answers.append(product.receive())
        product.send("cpu 3")
        return answers, product.receive()


def measure_main_thread(*, quick: bool) -> Iterator[Figure]:
    """Yield the time of a 20 ms pandas job in the main thread, alone and alongside 2 x 20,000 messages/s.

    Quiet and busy phases alternate, and every round counts, in wall time. A bystander, a process without
    streams, does the same job in turn: what slows it down is the machine, not the product.
    """
    feed, port = start_feed(per_frame=10, rate=20_000)
    with (
        feed,
        Child("product.py", "--port", port, "--stocks") as product,
        Child("product.py", "--kind", "bystander") as bystander,
    ):
        for _ in range(2):
            feed.receive(event="subscribed")
        workers = {"in the product": product, "in another process": bystander}
        for worker in workers.values():
            worker.receive(event="ready")
        took: dict[str, tuple[list[float], list[float]]] = {where: ([], []) for where in workers}
        for _ in range(15 if quick else 60):
            for where, worker in workers.items():
                quiet, busy = took[where]
                quiet += _jobs(worker)
                feed.send("go")
                time.sleep(0.2)
                busy += _jobs(worker)
                feed.send("pause")
                time.sleep(0.2)
        product.send("facts")
        facts = product.receive()
    yield Figure("the job by itself, p50", median(took["in the product"][0]) * 1e3, "ms")
    for where, (quiet, busy) in took.items():
        p50, p95 = ("<= 1.12", "<= 1.25") if where == "in the product" else (None, None)
        words = f"{where}, alongside 2 x 20,000/s"
        yield Figure(f"{words}, p50 to p50 by itself", median(busy) / median(quiet), "x", p50)
        yield Figure(f"{words}, p95 to p95 by itself", _p95(busy) / _p95(quiet), "x", p95)
    yield Figure("dropped_events meanwhile", facts["dropped"], "", "<= 0")


def measure_risk_beside(*, quick: bool) -> Iterator[Figure]:
    """Yield the time of the same job under the same load while the risk of 250 contracts is computed.

    The same job is measured beside the streams without risk, and in a bystander, which has neither.
    """
    feed, port = start_feed(per_frame=10, rate=20_000)
    with (
        feed,
        Child("product.py", "--port", port, "--stocks") as product,
        Child("product.py", "--kind", "bystander") as bystander,
    ):
        for _ in range(2):
            feed.receive(event="subscribed")
        for worker in (product, bystander):
            worker.receive(event="ready")
        phases = ("by itself", "without risk", *_RISK_BESIDE)
        took: dict[str, tuple[list[float], list[float]]] = {phase: ([], []) for phase in phases}
        for _ in range(6 if quick else 20):
            for phase, (here, elsewhere) in took.items():
                how = phase if phase in _RISK_BESIDE else "off"
                product.send(f"risk {how}")
                product.receive(risk=how.split()[0])
                if phase != "by itself":
                    feed.send("go")
                time.sleep(1.2)  # the process must start first
                here.extend(_jobs(product, seconds=4))  # at least two rounds of risk in each
                elsewhere.extend(_jobs(bystander, seconds=2))
                feed.send("pause")
        product.send("facts")
        facts = product.receive()
    yield from _risk_figures(took)
    yield Figure("dropped_events meanwhile", facts["dropped"], "", "<= 0")


def _risk_figures(took: dict[str, tuple[list[float], list[float]]]) -> Iterator[Figure]:
    alone = took.pop("by itself")
    for phase, durations in took.items():
        limits = ("<= 1.2", "<= 1.3") if phase.startswith("process") else (None, None)
        words = _RISK_BESIDE.get(phase, phase)
        places = (words, limits), (f"in another process, {words}", (None, None))
        for (where, (p50, p95)), beside, quiet in zip(places, durations, alone, strict=True):
            yield Figure(f"{where}, p50 to p50 by itself", median(beside) / median(quiet), "x", p50)
            yield Figure(f"{where}, p95 to p95 by itself", _p95(beside) / _p95(quiet), "x", p95)


def _p95(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def _jobs(product: Child, *, seconds: float = 0.5) -> list[float]:
    product.send(f"job {seconds}")
    took: list[float] = product.receive()["took"]
    return took


def measure_fills(*, quick: bool) -> Iterator[Figure]:
    """Yield the time until an order update, sent during a burst of 500,000 quotes, is in the snapshot."""
    took = []
    for per_frame in (1, 10) if quick else (1, 1, 1, 10, 10, 10):
        feed, port = start_feed(per_frame=per_frame, messages=500_000)
        with feed, Child("product.py", "--port", port, "--fills") as product:
            for _ in range(2):
                feed.receive(event="subscribed")
            product.receive(event="ready")
            product.send("fill 1")
            feed.send("go")
            time.sleep(0.1)
            feed.send("fill")
            sent = feed.receive(event="filled")["at"]
            took.append((product.receive()["seen"] - sent) * 1e3)
    yield median_figure("fill behind a burst of 500,000 quotes", took, "ms", "<= 200")
    yield Figure("the slowest of them", max(took), "ms", "<= 200")


def measure_idle(*, quick: bool) -> Iterator[Figure]:
    """Yield the CPU of three connected streams without data."""
    feed, port = start_feed(per_frame=10)
    with feed, Child("product.py", "--port", port, "--stocks", "--fills") as product:
        for _ in range(3):
            feed.receive(event="subscribed")
        product.receive(event="ready")
        time.sleep(1)
        product.send(f"cpu {5 if quick else 20}")
        cpu = product.receive()["cpu"]
    yield Figure("CPU of three silent streams", cpu * 100, "% of a core", "<= 1.5")
