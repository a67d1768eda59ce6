"""Converts the messages of one batch into a change to a table.

Messages arrive by the thousand, so they are cleaned column by column. Afterwards every number is finite and
at least 0, and every row has a symbol and a price.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_helper.data.streaming.normalize.wire import Wire, WireQuote, WireTrade, to_wire
from options_helper.data.values import LARGEST_AMOUNT
from options_helper.quote_tables import FAR_AHEAD, Columns
from options_helper.times import EARLIEST, LATEST, to_microseconds, to_microseconds_each

_LAG_SAMPLE = 50
_FAR_AHEAD = FAR_AHEAD // dt.timedelta(microseconds=1)
_EARLIEST, _LATEST = to_microseconds(EARLIEST), to_microseconds(LATEST)
_NUMBERS = {WireQuote: ("bid_price", "ask_price", "bid_size", "ask_size"), WireTrade: ("price", "size")}
_PRICES = {WireQuote: ("bid_price", "ask_price"), WireTrade: ("price",)}


@dataclass(frozen=True, slots=True)
class MarketChange:
    """The change that a batch makes to one table.

    Attributes:
        rows: The newest row of each symbol, for `QuoteTable.updated` or `TradeTable.updated`.
        known: The number of well-formed messages.
        stamps: Event times of some of the rows, microseconds since 1970.
    """

    rows: Columns = field(default_factory=lambda: Columns((), {}))
    known: int = 0
    stamps: Sequence[int] = ()

    @property
    def conflated(self) -> int:
        """The number of messages superseded by a newer one of their symbol."""
        return self.known - len(self.rows)

    def lag_seconds(self, received_at: dt.datetime) -> float | None:
        """Return the median delay from event to receipt, or None if no event's time is known."""
        if not self.stamps:
            return None
        return (to_microseconds(received_at) - statistics.median_low(self.stamps)) / 1e6


def quote_change(
    items: Sequence[object], received_at: dt.datetime, *, from_rest: bool = False
) -> MarketChange:
    """Return the change made by quotes of any dialect that were received at the same time."""
    return _change(items, WireQuote, received_at, from_rest=from_rest)


def trade_change(
    items: Sequence[object], received_at: dt.datetime, *, from_rest: bool = False
) -> MarketChange:
    """Return the change made by trades of any dialect that were received at the same time."""
    return _change(items, WireTrade, received_at, from_rest=from_rest)


def _change(
    items: Sequence[object], kind: type[Wire], received_at: dt.datetime, *, from_rest: bool
) -> MarketChange:
    if not items:
        return MarketChange()
    rows = items
    if set(map(type, items)) != {kind}:  # not in the decoder's form
        rows = [row for item in items if (row := to_wire(item, kind)) is not None]
    numbers = {name: _amounts(rows, name) for name in _NUMBERS[kind]}
    is_priced = ~np.logical_and.reduce([np.isnan(numbers[name]) for name in _PRICES[kind]])
    stamps = np.array(to_microseconds_each(map(attrgetter("timestamp"), rows)), "i8")
    is_timed = (stamps == 0) | ((stamps >= _EARLIEST) & (stamps < _LATEST))
    symbols = list(map(attrgetter("symbol"), rows))
    usable = [place for place in np.flatnonzero(is_priced & is_timed).tolist() if symbols[place]]
    newest = {symbols[place]: place for place in usable}
    if len(newest) < len(usable):  # an earlier message may be the newer one
        newest = _newest(usable, symbols, stamps.tolist())
    places = np.fromiter(newest.values(), np.intp, len(newest))
    stamps = stamps[places]
    values = {name: column[places] for name, column in numbers.items()}
    times: dict[str, ArrayLike] = {"timestamp": stamps, "from_rest": from_rest}
    times["received_at"] = to_microseconds(received_at)
    sample = stamps[:_LAG_SAMPLE]
    return MarketChange(Columns(list(newest), {**values, **times}), len(usable), sample[sample > 0].tolist())


def _newest(usable: Sequence[int], symbols: Sequence[str], stamps: Sequence[int]) -> dict[str, int]:
    """Return the place of each symbol's newest message; a time far in the future never hides later ones."""
    newest: dict[str, int] = {}
    for place in usable:
        at, last = stamps[place], stamps[newest.get(symbols[place], place)]
        if not 0 < at < last <= at + _FAR_AHEAD:
            newest[symbols[place]] = place
    return newest


def _amounts(items: Sequence[object], name: str) -> NDArray[np.float64]:
    """Return one column: numbers from 0 to `LARGEST_AMOUNT`, NaN for anything else."""
    column = np.array(list(map(attrgetter(name), items)), "f8")
    return np.where((column >= 0) & (column <= LARGEST_AMOUNT), column, np.nan)
