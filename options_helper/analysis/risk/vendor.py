"""The vendor's Greeks in our units, for comparison with our own."""

from __future__ import annotations

from typing import NamedTuple

from options_helper.analysis.risk.live_risk import LiveRisk


class VendorGreeks(NamedTuple):
    """The vendor's figures for one leg's whole quantity, with the position's sign; None if not reported."""

    iv: float | None
    delta: float | None
    theta: float | None
    vega: float | None
    age_seconds: float | None


def find_vendor_greeks(risk: LiveRisk, number: int) -> VendorGreeks | None:
    """Return the vendor's Greeks for one leg, or None if there are none."""
    vendor = risk.at.greeks.get(risk.terms.symbols[number])
    if vendor is None or risk.terms.is_stock[number]:
        return None
    scale = float(risk.prices.scale[number])

    def whole(value: float | None) -> float | None:
        return None if value is None else value * scale + 0.0

    stamp = vendor.timestamp
    return VendorGreeks(
        vendor.implied_volatility,
        whole(vendor.delta),
        whole(vendor.theta),
        whole(vendor.vega),
        None if stamp is None else max(0.0, (risk.at.as_of - stamp).total_seconds()),
    )
