"""Risk by our own model: implied volatility, Greeks, sums with their coverage, payoffs and scenarios.

snapshot ─▶ inputs ─▶ solve (model, implied) ─▶ live_risk ─▶ the page
             (spot, time, dividends, reasons)      └───────▶ payoff, scenarios
"""

from options_helper.analysis.risk.live_risk import LiveRisk, compute_live_risk

__all__ = ["LiveRisk", "compute_live_risk"]
