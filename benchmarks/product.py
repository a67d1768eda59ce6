"""The product under load, in its own process; takes commands as lines on stdin, answers in JSON lines.

latency SECONDS     watch the snapshots, and report the age of each quote when it first appears
job SECONDS         repeat a pandas job in the main thread, and report each duration
fill ORDER          wait until an order update is in the snapshot, and report the time
cpu SECONDS         report the CPU time of this process while the main thread sleeps, and its memory
risk WHERE          solve 250 moved contracts a second, `here` in a thread or in a `process`; `off` ends it
facts               report the counts of the health record
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from receivers import make_recorder, start_product, start_readers, symbols_of
from risk import compute_again_and_again

from options_helper.analysis.risk.pricing.solver import Solver
from options_helper.session.risk.solver_process import shared_process

JOB_SECONDS = 0.020
CALIBRATION_SECONDS = 1.0


class Product:
    """A started manager and its measurements; each method carries out a command."""

    def __init__(self, manager: Any) -> None:  # noqa: ANN401 - the product is imported late
        self._manager = manager
        self._job = calibrated_job()
        self._risk_off = threading.Event()
        self._risk_thread: threading.Thread | None = None

    def latency(self, seconds: str) -> dict[str, object]:
        """Return percentiles of the quotes' ages in seconds, counted from when the feed sent them."""
        ages: list[float] = []
        seen = np.zeros(0, "i8")
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            time.sleep(0.001)
            stamps = self._manager.snapshot().option_quotes.rows["timestamp"]
            now = time.time_ns() // 1000
            if len(seen) == len(stamps):
                ages.extend((now - stamps[stamps != seen]) / 1e6)
            seen = stamps
        return {"p50": float(np.percentile(ages, 50)), "p99": float(np.percentile(ages, 99))}

    def job(self, seconds: str) -> dict[str, object]:
        """Return the job's durations in seconds of wall time."""
        took: list[float] = []
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            began = time.perf_counter()
            self._job()
            took.append(time.perf_counter() - began)
        return {"took": took}

    def fill(self, order: str) -> dict[str, object]:
        """Return the time at which the order update first appeared in a snapshot, None if it did not."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if any(row["order_id"] == f"order-{order}" for row in self._manager.snapshot().fills):
                return {"seen": time.monotonic()}
            time.sleep(0.002)
        return {"seen": None}

    def cpu(self, seconds: str) -> dict[str, object]:
        """Return the CPU seconds per second, and the resident memory in bytes."""
        began, cpu = time.monotonic(), time.process_time()
        time.sleep(float(seconds))
        spent = (time.process_time() - cpu) / (time.monotonic() - began)
        return {"cpu": spent, "memory": psutil.Process().memory_info().rss}

    def risk(self, where: str, seconds: str = "1") -> dict[str, object]:
        """Compute another portfolio's risk at this interval, in a `process` or `here`; stop that if `off`."""
        self._risk_off.set()
        if self._risk_thread is not None:
            self._risk_thread.join()
            self._risk_thread = None
        if where != "off":
            self._risk_off = threading.Event()
            solver = Solver(shared_process().solve_many if where == "process" else None)
            arguments = (solver, float(seconds), self._risk_off)
            self._risk_thread = threading.Thread(target=compute_again_and_again, args=arguments, daemon=True)
            self._risk_thread.start()
        return {"risk": where}

    def facts(self) -> dict[str, object]:
        """Return messages, rates and latencies by stream, and the number of dropped events."""
        snapshot = self._manager.snapshot()
        streams = {
            name: {"messages": health.messages, "rate": health.rate, "latency": health.latency_seconds}
            for name, health in snapshot.health.items()
        }
        return {"streams": streams, "dropped": snapshot.dropped_events}


def calibrated_job() -> Callable[[], None]:
    """Return a pandas job of about `JOB_SECONDS` that resembles a page's: group, join, sort, format."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.random((2000, 6)), columns=list("abcdef"))
    frame["key"] = rng.integers(0, 50, len(frame))

    def once() -> None:
        sums = frame.groupby("key")[["a", "b"]].sum()
        joined = frame.merge(sums, left_on="key", right_index=True, suffixes=("", "_sum")).sort_values("c")
        joined["text"] = joined["d"].map("{:.2f}".format)

    durations = []
    while sum(durations) < CALIBRATION_SECONDS:
        began = time.thread_time()
        once()
        durations.append(time.thread_time() - began)
    # The first runs warm the process up.
    times = max(1, round(JOB_SECONDS / float(np.median(durations[len(durations) // 2 :]))))

    def job() -> None:
        for _ in range(times):
            once()

    return job


def main() -> None:
    """Serve commands until stdin ends."""
    parser = argparse.ArgumentParser(description="The product, to be measured.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--relay", help="the NATS server of a relay to read from")
    parser.add_argument("--readers", type=int, default=1, help="readers of the relay in this process")
    parser.add_argument("--symbols", type=int, default=250)
    parser.add_argument("--stocks", action="store_true", help="add a stock stream with as many symbols")
    parser.add_argument("--fills", action="store_true", help="add the stream of order updates")
    parser.add_argument("--kind", default="product", help="as in receivers.py, or bystander: no streams")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        serve(options, Path(folder))


def serve(options: argparse.Namespace, folder: Path) -> None:
    """Start the product and carry out commands."""
    contracts = symbols_of(options.symbols)
    stocks = [f"S{number}" for number in range(options.symbols)] if options.stocks else []
    if options.kind == "bystander":
        managers = []
    elif options.relay:
        managers = start_readers(options.relay, contracts, options.readers)
    else:
        recorder = make_recorder(options.kind, folder)
        managers = [
            start_product(
                options.port, contracts=contracts, stocks=stocks, fills=options.fills, recorder=recorder
            )
        ]
    if not all(each.wait_until_live(120) for each in managers):
        raise RuntimeError(str([each.snapshot().errors_by_stream for each in managers]))
    product = Product(next(iter(managers), None))
    print(json.dumps({"event": "ready"}), flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        print(json.dumps(getattr(product, command)(*arguments)), flush=True)
    for manager in managers:
        manager.stop()


if __name__ == "__main__":
    main()
