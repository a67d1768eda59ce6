"""Sums of the legs' risk per position, underlying, expiry and tag, each with its coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import ColumnValues, texts
from options_helper.analysis.arrays.types import Numbers

GREEKS = ("delta", "gamma", "theta", "vega", "rho")
SUMMED = (*GREEKS, "dollar_delta", "dollar_gamma", "beta_delta")


def sum_by(groups: Numbers, size: int, columns: Mapping[str, ColumnValues]) -> dict[str, ColumnValues]:
    """Return the sum over each group's known legs, NaN without any, and the number of legs it covers."""
    known = ~np.isnan(columns["delta"])
    weighted = ~np.isnan(columns["beta_delta"])
    # A known leg without a price makes the group's dollar sums unknown; beta has its own coverage.
    flags = {name: weighted if name == "beta_delta" else known for name in SUMMED}
    counts = {
        name: np.bincount(groups, chosen, size).astype(np.int64)
        for name, chosen in (
            ("covered_legs", known),
            ("beta_covered_legs", weighted),
            ("modelled_legs", columns["modelled"]),
            ("stale_legs", known & columns["stale"]),
        )
    }
    sums: dict[str, ColumnValues] = {
        name: np.where(
            np.bincount(groups, chosen, size) > 0,
            np.bincount(groups, np.where(chosen, columns[name], 0.0), size),
            np.nan,
        )
        for name, chosen in flags.items()
    }
    return {**sums, **counts, "legs": np.bincount(groups, minlength=size).astype(np.int64)}


def sum_all(columns: Mapping[str, ColumnValues]) -> pd.Series:
    """Return the sums over all legs, with the same names."""
    sums = sum_by(np.zeros(len(columns["delta"]), np.int64), 1, columns)
    return pd.Series({name: column[0].item() for name, column in sums.items()}, dtype=object)


def first_reasons(
    groups: Numbers, size: int, reasons: Sequence[str | None], known: Sequence[bool]
) -> ColumnValues:
    """Return the reason of each group's first unknown leg; null if all of its legs are known."""
    found: list[str | None] = [None] * size
    for group, reason, is_known in zip(groups.tolist(), reasons, known, strict=True):
        if not is_known and found[group] is None:
            found[group] = reason
    return texts(found)
