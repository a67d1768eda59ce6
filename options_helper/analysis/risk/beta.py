"""Delta of the whole portfolio in shares of one fund, weighted by how much each stock moves with it."""

from __future__ import annotations

from typing import NamedTuple

from options_helper.analysis.risk.live_risk import LiveRisk
from options_helper.analysis.text.figures import MISSING
from options_helper.analysis.text.wording import format_day


class BetaDelta(NamedTuple):
    """A beta-weighted delta in shares of the benchmark, None without any beta, and the legs it covers."""

    shares: float | None
    covered_legs: int


def compute_beta_delta(risk: LiveRisk) -> BetaDelta:
    """Return the sum of the underlyings' dollar deltas times beta, over the benchmark's last close."""
    betas = risk.at.betas
    if betas is None:
        return BetaDelta(None, 0)
    dollars, covered = 0.0, 0
    columns = (risk.underlyings[name].tolist() for name in ("symbol", "dollar_delta", "covered_legs"))
    for symbol, delta, legs in zip(*columns, strict=True):
        beta = betas.values.get(symbol)
        if beta is not None and legs and delta == delta:  # noqa: PLR0124 - not NaN
            dollars += beta * delta
            covered += legs
    return BetaDelta(dollars / betas.price if covered else None, covered)


def beta_inputs_words(risk: LiveRisk) -> str:
    """Return where the betas come from, with their window and date."""
    betas = risk.at.betas
    if betas is None:
        return f"beta {MISSING}, not fetched"
    return f"beta to {betas.benchmark} from {betas.returns} daily returns to {format_day(betas.until)}"
