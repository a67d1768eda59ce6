"""Shared parts of the measurements: figures, calls timed in turns, child processes controlled by lines."""

from __future__ import annotations

import datetime as dt
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
_STOCKS = 25


@dataclass(frozen=True)
class Figure:
    """One line of the result.

    Attributes:
        what: The name of the measured quantity.
        value: The median of the runs, or the only figure.
        unit: The unit, "x" for a ratio.
        target: The bound with its direction, such as "<= 5"; None for a figure without a target.
        runs: The figures of the single runs.
    """

    what: str
    value: float
    unit: str
    target: str | None = None
    runs: Sequence[float] = field(default=())

    @property
    def is_reached(self) -> bool | None:
        """True if the target is reached, None without a target."""
        if self.target is None:
            return None
        sign, bound = self.target.split()
        return self.value >= float(bound) if sign == ">=" else self.value <= float(bound)


def median_figure(what: str, runs: Iterable[float], unit: str, target: str | None = None) -> Figure:
    """Return the figure of several runs."""
    values = list(runs)
    return Figure(what, statistics.median(values), unit, target, values)


def to_markdown(figures: Iterable[Figure]) -> str:
    """Return a Markdown table with one line per figure."""
    lines = ["| what | figure | spread | target | reached |", "|---|---|---|---|---|"]
    for figure in figures:
        low_high = f"{_short(min(figure.runs))} to {_short(max(figure.runs))}" if figure.runs else ""
        reached = {True: "yes", False: "**no**", None: ""}[figure.is_reached]
        value = f"{_short(figure.value)} {figure.unit}"
        lines.append(f"| {figure.what} | {value} | {low_high} | {figure.target or ''} | {reached} |")
    return "\n".join(lines)


def to_json(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Return the figures as plain values."""
    return [asdict(figure) | {"reached": figure.is_reached} for figure in figures]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_turns(calls: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Return the milliseconds of each call, made A B C A B C …, so that a busy machine disturbs all alike.

    They are CPU time of the thread: the calls wait for nothing, and other processes do not count.
    """
    took: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    gc.collect()
    for _ in range(rounds):
        for call, times in zip(calls, took, strict=True):
            began = time.thread_time()
            call()
            times.append((time.thread_time() - began) * 1e3)
    return took


class Child:
    """A Python script of this directory, which runs until its `with` block ends."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        self._process = subprocess.Popen(  # noqa: S603 - our own scripts
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def receive(self, **wanted: object) -> dict[str, Any]:
        """Return the next JSON line that has these values; skip all others."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            if all(message.get(name) == value for name, value in wanted.items()):
                return message
        raise RuntimeError(f"{self._process.args!r} ended early")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def start_feed(*, per_frame: int, messages: int = 0, rate: float = 0.0) -> tuple[Child, int]:
    """Return a started feed and its port."""
    feed = Child("feed.py", "--per-frame", per_frame, "--messages", messages, "--rate", rate)
    return feed, int(feed.receive(event="listening")["port"])


def portfolio(positions: int) -> dict[str, object]:
    """Return a portfolio file of single options on a few stocks, with a vertical as every fifth position."""
    expiry = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=60)
    expiry += dt.timedelta(days=(4 - expiry.weekday()) % 7)
    terms = {"option_type": "put", "expiry": expiry.isoformat(), "contracts": 1}
    rows: list[dict[str, object]] = []
    for number in range(positions):
        name = {"id": f"p{number}", "symbol": f"ST{chr(65 + number % _STOCKS)}"}
        strike = 50.0 + number
        if number % 5:
            rows.append({**name, **terms, "strike": strike, "cost_basis": 1.25})
        else:
            sides = (("long", strike), ("short", strike - 0.5))
            legs = [{"side": side, "strike": at, **terms} for side, at in sides]
            rows.append({**name, "legs": legs, "net_debit": 40.0})
    return {"base_currency": "USD", "cash": 10_000.0, "positions": rows}
