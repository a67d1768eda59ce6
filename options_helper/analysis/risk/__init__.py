"""Risk from our own model: implied volatility, Greeks, sums with their coverage, payoffs and scenarios.

snapshot ─▶ legs ─▶ inputs ─▶ pricing ─▶ live_risk ─▶ sums, facts, words
└──────▶ what_if: payoff, scenarios
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from options_helper.analysis.risk.live_risk import LiveRisk, compute_live_risk

__all__ = ["LiveRisk", "compute_live_risk"]


def __getattr__(name: str) -> object:
    """Import and return a public name on first use, because a process that only solves needs no pandas."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from options_helper.analysis.risk import live_risk  # noqa: PLC0415

    return getattr(live_risk, name)
