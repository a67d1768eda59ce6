"""The result of a measurement: figures with their targets, as markdown and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the result.

    Attributes:
        what: What was measured.
        value: The median of the runs, or the one figure there is.
        unit: "x" for a ratio.
        target: The bound, with its direction; None for a figure given for information.
        runs: The single runs.
    """

    what: str
    value: float
    unit: str
    target: str | None = None
    runs: Sequence[float] = field(default=())

    @property
    def is_reached(self) -> bool | None:
        """Return whether the target is reached; None without one."""
        if self.target is None:
            return None
        sign, bound = self.target.split()
        return self.value >= float(bound) if sign == ">=" else self.value <= float(bound)


def median_figure(what: str, runs: Iterable[float], unit: str, target: str | None = None) -> Figure:
    """A figure of several runs."""
    values = list(runs)
    return Figure(what, statistics.median(values), unit, target, values)


def to_markdown(figures: Iterable[Figure]) -> str:
    """A table, one line per figure."""
    lines = ["| what | figure | spread | target | reached |", "|---|---|---|---|---|"]
    for figure in figures:
        low_high = f"{_short(min(figure.runs))} to {_short(max(figure.runs))}" if figure.runs else ""
        reached = {True: "yes", False: "**no**", None: ""}[figure.is_reached]
        value = f"{_short(figure.value)} {figure.unit}"
        lines.append(f"| {figure.what} | {value} | {low_high} | {figure.target or ''} | {reached} |")
    return "\n".join(lines)


def to_json(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Plain values."""
    return [asdict(figure) | {"reached": figure.is_reached} for figure in figures]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
