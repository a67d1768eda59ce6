"""A run with its own streams against readers of a relay, in turns, at 5,000 messages a second."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from harness import HERE, Child, Figure, start_feed

RATE = 5000
CONTRACTS = (250, 1000)
READERS = (1, 5, 20)
_TARGETS = {"p50": "<= 15", "p99": "<= 40"}


def measure_relay(*, quick: bool) -> Iterator[Figure]:
    """Yield latency, rate and CPU of a direct run and of relayed ones."""
    seconds = 3 if quick else 10
    for contracts in CONTRACTS:
        direct = _measure_direct(contracts, seconds)
        yield from _figures(f"{contracts} contracts, direct", direct)
        for readers in READERS:
            relayed = _measure_relayed(contracts, readers, seconds)
            name = f"{contracts} contracts, {readers} readers"
            yield from _figures(name, relayed)
            for percentile, target in _TARGETS.items():
                added = relayed[percentile] - direct[percentile]
                yield Figure(f"{name}: added latency, {percentile}", added * 1e3, "ms", target)


def _figures(name: str, facts: dict[str, float]) -> Iterator[Figure]:
    for percentile in _TARGETS:
        yield Figure(f"{name}: sent to visible, {percentile}", facts[percentile] * 1e3, "ms")
    yield Figure(f"{name}: rows a second", facts["rate"], "/s")
    for part in ("reader", "further readers", "relay", "nats-server"):
        if part in facts:
            yield Figure(f"{name}: CPU of {part}", facts[part] * 100, "% of a core")


def _measure_direct(contracts: int, seconds: int) -> dict[str, float]:
    feed, port = start_feed(per_frame=10, rate=RATE)
    with feed, Child("product.py", "--port", port, "--symbols", contracts) as product:
        feed.receive(event="subscribed")
        product.receive(event="ready")
        feed.send("go")
        time.sleep(1)
        return _watch(product, seconds)


def _measure_relayed(contracts: int, readers: int, seconds: int) -> dict[str, float]:
    with ExitStack() as stack:
        feed, port = start_feed(per_frame=10, rate=RATE)
        stack.enter_context(feed)
        server, url = stack.enter_context(_nats_server())
        relay = stack.enter_context(_relay(port, url))
        words = ("product.py", "--relay", url, "--symbols", contracts)
        product = stack.enter_context(Child(*words))
        product.receive(event="ready")
        processes = {"relay": relay, "nats-server": server}
        if readers > 1:
            others = stack.enter_context(Child(*words, "--readers", readers - 1))
            others.receive(event="ready")
            processes["further readers"] = others.pid
        feed.receive(event="subscribed")
        feed.send("go")
        time.sleep(1)
        meters = {name: psutil.Process(pid) for name, pid in processes.items()}
        before = {name: _cpu(meter) for name, meter in meters.items()}
        began = time.monotonic()
        facts = _watch(product, seconds)
        took = time.monotonic() - began
        return facts | {name: (_cpu(meter) - before[name]) / took for name, meter in meters.items()}


def _watch(product: Child, seconds: int) -> dict[str, float]:
    answers: list[dict[str, Any]] = []
    product.send("facts")
    before = product.receive()["streams"]["options"]["messages"]
    began = time.monotonic()
    for _ in range(seconds):
        product.send("latency 1")
        answers.append(product.receive())
    product.send("cpu 3")
    cpu = product.receive()["cpu"]
    product.send("facts")
    received = product.receive()["streams"]["options"]["messages"] - before
    return {
        **{name: median(each[name] for each in answers) for name in _TARGETS},
        "rate": received / (time.monotonic() - began),
        "reader": cpu,
    }


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _nats_server() -> Iterator[tuple[int, str]]:
    program = shutil.which("nats-server", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
    if program is None:
        raise RuntimeError("this measurement needs nats-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder, "-l", f"{folder}/log"]
        with subprocess.Popen(words) as server:  # noqa: S603 - found above
            try:
                _wait_for_port(port)
                yield server.pid, f"nats://127.0.0.1:{port}"
            finally:
                server.kill()


def _wait_for_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("nats-server did not start")


@contextmanager
def _relay(feed_port: int, url: str) -> Iterator[int]:
    host = f"127.0.0.1:{feed_port}"
    keys = {
        "APCA_API_KEY_ID": "PKBENCHMARK",
        "APCA_API_SECRET_KEY": "benchmark",
        "APCA_API_BASE_URL": f"http://{host}",
        "APCA_API_DATA_URL": f"http://{host}",
        "APCA_API_STREAM_URL": f"ws://{host}",
        "OH_ALPACA_OPTIONS_FEED": "opra",
    }
    words = [sys.executable, "-m", "options_helper", "relay", "--nats", url]
    with subprocess.Popen(  # noqa: S603 - this package's own command
        words,
        env=os.environ | keys,
        cwd=Path(HERE).parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as relay:
        try:
            yield relay.pid
        finally:
            relay.terminate()
