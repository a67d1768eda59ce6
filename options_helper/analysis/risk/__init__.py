"""Risk by our own model: implied volatility, Greeks, sums with their coverage, payoffs and scenarios.

snapshot ─▶ legs ─▶ inputs ─▶ pricing ─▶ live_risk ─▶ sums, facts, words
└──────▶ what_if: payoff, scenarios
"""

from options_helper.analysis.risk.live_risk import LiveRisk, compute_live_risk

__all__ = ["LiveRisk", "compute_live_risk"]
