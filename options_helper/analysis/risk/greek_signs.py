"""The signs of Greeks: every column has the position's sign.

The vendor's Greeks and our model's are those of one long contract. A short position has the opposite signs: a
short put has a positive delta, because it gains when the underlying rises, and a positive theta, because it
gains as time passes. A column therefore means the same in every row.

| column | quantity | sign |
| --- | --- | --- |
| `delta, gamma, theta, vega` of positions and legs | one share of one contract | the side of the position |
| `delta, gamma, theta, vega` of structures | one share of one unit | the sides of the legs |
| `net_delta, net_gamma, net_theta, net_vega` | the whole structure | the sides of the legs |
| our model's, in the tables of risk | the whole position, leg or group | the sides of the legs |

Implied volatility is the same for both sides and never negative.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from options_helper.analysis.arrays.types import Floats

GREEK_NAMES = ("delta", "gamma", "theta", "vega")


def sign_by_position(greeks: Mapping[str, Floats], quantity: Floats) -> dict[str, Floats]:
    """Return the Greeks of long contracts, with the opposite sign in rows with a negative quantity."""
    # Multiplying by -1 would turn zero into negative zero.
    return {name: np.where(quantity < 0, 0.0 - greeks[name], greeks[name]) for name in GREEK_NAMES}


def scale_by_position(greeks: Mapping[str, Floats], scale: Floats) -> dict[str, Floats]:
    """Return the Greeks of whole positions, given those of one long share and the signed number of shares."""
    # Adding 0.0 turns a negative zero into zero.
    return {name: figures * scale + 0.0 for name, figures in greeks.items()}
