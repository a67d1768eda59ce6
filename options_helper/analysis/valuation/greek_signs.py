"""The Greeks' signs: every column is signed by position.

The vendor's Greeks are those of one contract held long. A short position has the opposite signs: a short put
has a positive delta, because it gains when the underlying rises, and a positive theta, because it gains as
time passes. A column therefore means the same in every row.

| column | of | signed by |
| --- | --- | --- |
| `delta, gamma, theta, vega` of positions and legs | one share of one contract | long or short |
| `delta, gamma, theta, vega` of structures | one share of one unit | the sides of its legs |
| `net_delta, net_gamma, net_theta, net_vega` | the whole structure | the sides of its legs |

Implied volatility has no side and is never negative.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from options_helper.analysis.arrays.types import Floats

GREEK_NAMES = ("delta", "gamma", "theta", "vega")


def sign_by_position(greeks: Mapping[str, Floats], quantity: Floats) -> dict[str, Floats]:
    """Return a long contract's Greeks with the opposite sign in rows of a negative quantity."""
    # Multiplying by -1 would make a zero negative.
    return {name: np.where(quantity < 0, 0.0 - greeks[name], greeks[name]) for name in GREEK_NAMES}
