"""The risk panel's sentences: the portfolio's sums, the inputs and the missing legs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from options_helper.analysis.risk.live_risk import RISK_FREE_RATE, RISK_FREE_RATE_DATE, LiveRisk
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.text.figures import MISSING, format_percent, format_pnl, format_quantity
from options_helper.analysis.text.wording import count, coverage, format_day


def total_words(risk: LiveRisk) -> str:
    """Return the sums and their coverage in one line.

    For example `Δ +212 sh · β-Δ +96 SPY · Γ +3.1 · Θ +$84/day · V +$310/pt · 55 of 56 legs`.
    """
    total = total_of(risk)
    shares = sum(each.reason is Reason.SHARES for each in risk.solutions)
    if total["covered_legs"] <= shares < total["legs"]:  # of no option; those of shares are zero
        total |= dict.fromkeys(("gamma", "theta", "vega"), math.nan)
    return f"{greek_words(total, beta_words(risk))} · {coverage_words(total)}"


def beta_words(risk: LiveRisk) -> str:
    """Return the beta-weighted delta, such as `β-Δ +96 SPY`, with its coverage if fewer legs have a beta."""
    total, betas = total_of(risk), risk.at.betas
    if math.isnan(total["beta_delta"]) or betas is None:
        return f"β-Δ {MISSING}"
    shares = format_shares(total["beta_delta"]).removesuffix(" sh")
    covered = int(total["beta_covered_legs"])
    part = f" ({covered:,} of {int(total['legs']):,})" if covered < total["covered_legs"] else ""
    return f"β-Δ {shares} {betas.benchmark}{part}"


def _beta_inputs(risk: LiveRisk) -> str:
    """Return the source of the betas, with their window and date."""
    betas = risk.at.betas
    if betas is None:
        return f"beta {MISSING}, not fetched"
    return f"beta to {betas.benchmark} from {betas.returns} daily returns to {format_day(betas.until)}"


def greek_words(row: Mapping[str, float], beta: str) -> str:
    """Return the Greeks of a sum in one line, with `beta` after the delta."""
    return " · ".join(
        (
            f"Δ {format_shares(row['delta'])}",
            beta,
            f"Γ {format_gamma(row['gamma'])}",
            f"Θ {_per(row['theta'], 'day')}",
            f"V {_per(row['vega'], 'pt')}",
        )
    )


def coverage_words(row: Mapping[str, float]) -> str:
    """Return a sum's coverage, such as `55 of 56 legs` or `56 of 56 legs, 1 modelled, all stale`."""
    covered, legs, modelled, stale = (
        int(row[name]) for name in ("covered_legs", "legs", "modelled_legs", "stale_legs")
    )
    doubts = f", {modelled} modelled" if modelled else ""
    if stale:
        doubts += f", {'all' if stale == covered > 1 else stale} stale"
    return f"{coverage(covered, legs)}{doubts}"


def format_shares(delta: float) -> str:
    """Return a delta in whole shares, such as `+212 sh`, with one decimal below ten."""
    if math.isnan(delta):
        return MISSING
    return f"{format_quantity(round(delta, 0 if abs(delta) >= 10 else 1))} sh"  # noqa: PLR2004 - a display choice


def format_gamma(gamma: float) -> str:
    """Return a gamma with up to two decimals, such as `+3.12`."""
    return MISSING if math.isnan(gamma) else format_quantity(round(gamma, 2))


def _per(dollars: float, unit: str) -> str:
    return MISSING if math.isnan(dollars) else f"{format_pnl(dollars)}/{unit}"


def missing_words(risk: LiveRisk) -> str:
    """Return the number of missing legs per reason, such as `expired: 2 · no spot: 1`, or ""."""
    counts = Counter(
        each.reason
        for each in risk.solutions
        if each.reason not in {None, Reason.SHARES} and not each.is_modelled
    )
    return " · ".join(f"{reason}: {number:,}" for reason, number in counts.most_common())


def input_words(risk: LiveRisk) -> str:
    """Return the inputs of all contracts in one line: rate, dividends, beta and day count."""
    chosen = risk.rate != RISK_FREE_RATE
    source = "OH_RISK_FREE_RATE" if chosen else f"default from {format_day(RISK_FREE_RATE_DATE)}"
    known = risk.at.dividends
    dividends = "dividends unknown" if known is None else count(len(known), "declared dividend")
    rate = f"rate {format_percent(risk.rate, decimals=3)} ({source})"
    parts = ("QuantLib, American and European exercise", rate, dividends, _beta_inputs(risk))
    return " · ".join((*parts, "calendar time"))


def total_of(risk: LiveRisk) -> dict[str, float]:
    """Return the portfolio's sums, keyed by name."""
    return {str(name): value for name, value in risk.total.items()}
