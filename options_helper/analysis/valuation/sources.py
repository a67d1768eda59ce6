"""The source of each instrument's price: a feed's stream, a single REST response, or polling."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from options_helper.analysis.arrays.typed_columns import category_type
from options_helper.analysis.arrays.types import Codes, Flags
from options_helper.analysis.text.figures import format_span
from options_helper.analysis.valuation.latest_prices import LatestPrices
from options_helper.analysis.valuation.quote_state import RowFacts
from options_helper.market import LiveSnapshot

_SOURCES = ("OPRA", "indicative", "IEX", "SIP", "delayed SIP", "Boats", "overnight", "REST snapshot", "demo")
_CODE = {name.lower().replace(" ", "_"): np.int8(number) for number, name in enumerate(_SOURCES)}
_POLLED = np.int8(len(_SOURCES))
_UNKNOWN = np.int8(-1)


def find_sources(
    is_stock: Flags, ticks: LatestPrices, facts: RowFacts, by_last: Flags, live: LiveSnapshot
) -> Codes:
    """Return the sources of the marks as indices into the words of `source_type`; -1 if there is none."""
    from_rest = np.where(by_last, ticks.trade_from_rest, ticks.quote_from_rest)
    sources = np.where(from_rest, _CODE["rest_snapshot"], _feeds(is_stock, live))
    if live.demo:
        sources = np.full(len(is_stock), _CODE["demo"])
    return np.where(facts.has_price, np.where(facts.polled, _POLLED, sources), _UNKNOWN)


def _feeds(is_stock: Flags, live: LiveSnapshot) -> Codes:
    stocks, options = (
        _CODE.get((feed or "").lower(), _UNKNOWN) for feed in (live.stock_feed, live.options_feed)
    )
    return np.where(is_stock, stocks, options)


def source_type(live: LiveSnapshot) -> pd.CategoricalDtype:
    """Return the dtype of sources in words; the last word is for polled prices: `REST, every 15 s`."""
    return _source_type(max((record.poll_seconds for record in live.health.values()), default=0.0))


@lru_cache(maxsize=8)
def _source_type(poll_seconds: float) -> pd.CategoricalDtype:
    return category_type((*_SOURCES, f"REST, every {format_span(poll_seconds)}"))
