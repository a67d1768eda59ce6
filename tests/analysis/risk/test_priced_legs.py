"""Grids of legs: equal legs are priced once, and unchanged legs are not repriced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from options_helper.analysis.risk.pricing.model import Model, OptionInputs, PriceGrid
from options_helper.analysis.risk.what_if.holdings import KnownLeg
from options_helper.analysis.risk.what_if.priced_legs import NOTHING_PRICED, Moves, compute_pnl

MOVED = Moves((-0.1, 0.0, 0.1), (0.0, 7.0), 0.0)


class Counting:
    """The model, with a count of the prices that it computes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, grids: Sequence[PriceGrid]) -> list[list[float]]:
        """Return the prices of each grid."""
        self.count += sum(len(grid.spots) for grid in grids)
        return Model().price_all(grids)


def _leg(strike: float, scale: float = 100.0, *, years: float = 0.25, spot: float = 100.0) -> KnownLeg:
    return KnownLeg(OptionInputs(True, strike, spot, years, 0.04, 0.01, False), 0.3, scale, spot)


def test_equal_legs_are_priced_once() -> None:
    """Legs in one contract are priced once, for their sum, and shares need no price."""
    counting = Counting()
    shares = KnownLeg(None, 0.0, 50.0, 100.0)
    legs = [(_leg(90.0), 1.0), (_leg(90.0, -300.0), 1.0), (shares, 1.0)]
    pnl, _ = compute_pnl(counting, legs, MOVED, NOTHING_PRICED)
    assert counting.count == 1 + 3 * 2
    alone, _ = compute_pnl(Model().price_all, [(_leg(90.0, -200.0), 1.0)], MOVED, NOTHING_PRICED)
    np.testing.assert_allclose(pnl, alone + 50.0 * np.array([[-10.0], [0.0], [10.0]]), atol=1e-9)


def test_only_changed_legs_are_priced_again() -> None:
    """A leg's prices are kept for a few seconds unless its spot moves; a new day adds only its own prices."""
    counting = Counting()
    legs = [(_leg(90.0), 1.0), (_leg(95.0), 1.0)]
    _, kept = compute_pnl(counting, legs, MOVED, NOTHING_PRICED)
    assert counting.count == 2 * 7
    second = 1 / (365 * 86_400)
    later = [(_leg(90.0, years=0.25 - second), 1.0), (_leg(95.0, spot=100.5), 1.0)]
    pnl, kept = compute_pnl(counting, later, MOVED, kept)
    assert counting.count == 3 * 7
    exact, _ = compute_pnl(Model().price_all, later, MOVED, NOTHING_PRICED)
    np.testing.assert_allclose(pnl, exact, atol=0.01)
    _, kept = compute_pnl(counting, later, MOVED._replace(days=(0.0, 7.0, 30.0)), kept)
    assert counting.count == 3 * 7 + 2 * 3
    fresh, _ = compute_pnl(counting, later, MOVED._replace(iv_shift=0.05), kept)
    assert counting.count == 3 * 7 + 2 * 3 + 2 * 6
    assert not np.allclose(fresh, exact)


def test_another_beta_is_another_leg() -> None:
    """Legs in one contract with different betas are priced separately."""
    both, _ = compute_pnl(Model().price_all, [(_leg(90.0), 1.0), (_leg(90.0), 2.0)], MOVED, NOTHING_PRICED)
    parts = [
        compute_pnl(Model().price_all, [(_leg(90.0), beta)], MOVED, NOTHING_PRICED)[0] for beta in (1.0, 2.0)
    ]
    np.testing.assert_allclose(both, parts[0] + parts[1])
