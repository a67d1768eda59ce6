"""From the messages of one batch to the change of a table.

Messages off the wire are all of one kind and arrive by the thousand, so they are cleaned column by column, at
about a tenth of the cost. Anything else (raw mappings, the SDK's objects) goes through `quotes`, one by one.
The rules are the same: a number is finite and at least 0, a row has a symbol and a price.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from options_helper.data.streaming.connection.decoder import WireQuote, WireTrade
from options_helper.data.streaming.normalize.quotes import normalize_quote, normalize_trade
from options_helper.market import Quote, Trade
from options_helper.quote_tables import Columns
from options_helper.times import to_microseconds, to_microseconds_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LAG_SAMPLE = 50
_NUMBERS = {WireQuote: ("bid_price", "ask_price", "bid_size", "ask_size"), WireTrade: ("price", "size")}
_PRICES = {WireQuote: ("bid_price", "ask_price"), WireTrade: ("price",)}

RowType = TypeVar("RowType", Quote, Trade)


@dataclass(frozen=True, slots=True)
class MarketChange(Generic[RowType]):
    """The change that a batch makes to one table.

    Attributes:
        rows: The newest row of each symbol, for `QuoteTable.updated` or `TradeTable.updated`.
        known: The number of well-formed messages.
        stamps: Event times of some of the rows, microseconds since 1970.
    """

    rows: Sequence[RowType] | Columns = ()
    known: int = 0
    stamps: Sequence[int] = ()

    @property
    def conflated(self) -> int:
        """Messages superseded by a newer one of their symbol."""
        return self.known - len(self.rows)

    def lag_seconds(self, received_at: dt.datetime) -> float | None:
        """Return the median of receive time minus event time, None if no time is known."""
        if not self.stamps:
            return None
        return (to_microseconds(received_at) - statistics.median_low(self.stamps)) / 1e6


def quote_change(items: Sequence[Any], received_at: dt.datetime) -> MarketChange[Quote]:
    """Return the change that quotes of any dialect make, received at one time."""
    return _change(items, received_at, WireQuote, normalize_quote)


def trade_change(items: Sequence[Any], received_at: dt.datetime) -> MarketChange[Trade]:
    """Return the change that trades of any dialect make, received at one time."""
    return _change(items, received_at, WireTrade, normalize_trade)


def _change(
    items: Sequence[Any],
    received_at: dt.datetime,
    kind: type[WireQuote | WireTrade],
    normalize: Callable[[Any, dt.datetime], RowType | None],
) -> MarketChange[RowType]:
    if set(map(type, items)) == {kind}:
        return _change_of_columns(items, received_at, kind)
    rows = [row for item in items if (row := normalize(item, received_at)) is not None]
    newest = list({row.symbol: row for row in rows}.values())
    stamps = to_microseconds_each(row.timestamp for row in newest[:_LAG_SAMPLE])
    return MarketChange(newest, len(rows), [stamp for stamp in stamps if stamp])


def _change_of_columns(
    items: Sequence[Any], received_at: dt.datetime, kind: type[WireQuote | WireTrade]
) -> MarketChange[RowType]:
    numbers = {name: _amounts(items, name) for name in _NUMBERS[kind]}
    is_priced = ~np.logical_and.reduce([np.isnan(numbers[name]) for name in _PRICES[kind]])
    symbols = list(map(attrgetter("symbol"), items))
    usable = [place for place in np.flatnonzero(is_priced).tolist() if symbols[place]]
    newest = {symbols[place]: place for place in usable}
    places = np.fromiter(newest.values(), np.intp, len(newest))
    stamps = np.array(to_microseconds_each(map(attrgetter("timestamp"), items)), "i8")[places]
    values: dict[str, Any] = {name: column[places] for name, column in numbers.items()}
    values |= {"timestamp": stamps, "received_at": to_microseconds(received_at), "from_rest": False}
    sample = stamps[:_LAG_SAMPLE]
    return MarketChange(Columns(list(newest), values), len(usable), sample[sample > 0].tolist())


def _amounts(items: Sequence[Any], name: str) -> NDArray[np.float64]:
    """Return one column: finite numbers of at least 0, NaN for anything else."""
    column = np.array(list(map(attrgetter(name), items)), "f8")
    return np.where((column >= 0) & (column < np.inf), column, np.nan)
