"""The newest quote and trade of each symbol, as columns.

Snapshots share a table without copying it. As mappings, the tables yield `Quote` and `Trade`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from options_helper.market import Quote, Trade
from options_helper.times import from_microseconds, to_microseconds

Row = TypeVar("Row", Quote, Trade)

_PRESENT = "present"
FAR_AHEAD = dt.timedelta(hours=1)  # a time that is further ahead than this is ignored
_FAR_AHEAD = FAR_AHEAD // dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a `QuoteTable` or `TradeTable` as columns, one row per symbol.

    Attributes:
        symbols: The rows' symbols, without duplicates.
        values: For each column of the table's dtype except `present`, an array as long as `symbols` or a
            scalar.
    """

    symbols: Sequence[str]
    values: Mapping[str, ArrayLike]

    def __len__(self) -> int:
        return len(self.symbols)


_OWN_FIELDS = {"received_at", "from_rest"}


def _read(row: object, name: str) -> Any:  # noqa: ANN401 - the field's type
    """Return a field of a row; `received_at` and `from_rest` are optional, and None if missing."""
    return getattr(row, name, None) if name in _OWN_FIELDS else getattr(row, name)


def _as_time(value: dt.datetime | str | None) -> dt.datetime | None:
    """Return an aware time; text must be ISO 8601, and a time without a zone is UTC."""
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=dt.UTC) if at is not None and at.tzinfo is None else at


def _is_older(row: Quote | Trade, kept: np.void) -> bool:
    """Return whether a row's event is older than the kept row's."""
    if not kept[_PRESENT]:
        return False
    stamp = to_microseconds(row.timestamp)
    if row.from_rest:
        # An event without a time has the time of its receipt.
        return bool(stamp <= (kept["timestamp"] or kept["received_at"]))
    credible = kept["timestamp"] <= (to_microseconds(row.received_at) or stamp) + _FAR_AHEAD
    return bool(0 < stamp < kept["timestamp"] and credible)


class _LatestTable(Mapping[str, Row], Generic[Row]):
    """The newest row of each symbol, as one read-only structured array.

    Attributes:
        index: The row number of each symbol; versions share it until a symbol is added.
        rows: The structured array; missing numbers are NaN and missing times 0; `present` marks used rows.
    """

    __slots__ = ("index", "rows")
    _numbers: tuple[str, ...] = ()
    _row_type: type[Row]

    def __init__(self, index: Mapping[str, int], rows: NDArray[np.void]) -> None:
        self.index = MappingProxyType(index) if isinstance(index, dict) else index
        self.rows = rows
        rows.flags.writeable = False

    @classmethod
    def dtype(cls) -> np.dtype[np.void]:
        """Return the dtype: numbers as float64, times as int64 microseconds, and two flags."""
        numbers: list[tuple[str, str]] = [(name, "f8") for name in cls._numbers]
        return np.dtype(
            [*numbers, ("timestamp", "i8"), ("received_at", "i8"), ("from_rest", "?"), (_PRESENT, "?")]
        )

    @classmethod
    def empty(cls, symbols: Iterable[str] = ()) -> Self:
        """Return a table with room for each symbol but without rows."""
        index = {symbol: number for number, symbol in enumerate(dict.fromkeys(symbols))}
        return cls(index, np.zeros(len(index), dtype=cls.dtype()))

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Return a table of these rows."""
        return cls.empty().updated(list(rows))

    @classmethod
    def from_mapping(cls, rows: Mapping[str, Row]) -> Self:
        """Return the mapping itself if it is already a table, else a table of its values."""
        if isinstance(rows, cls):
            return rows
        array = np.zeros(len(rows), dtype=cls.dtype())
        for number, row in enumerate(rows.values()):
            array[number] = cls._to_tuple(row)
        return cls({symbol: number for number, symbol in enumerate(rows)}, array)

    def updated(self, rows: Sequence[Row] | Columns) -> Self:
        """Return a new version with these rows.

        A streamed event never replaces a newer one, but it replaces one with the same time, because it is a
        correction. A row from REST replaces only older rows.
        """
        return self._with_columns(rows) if isinstance(rows, Columns) else self._with_rows(rows)

    def without(self, symbols: Iterable[str]) -> Self:
        """Return a new version without rows for these symbols."""
        index, array = self._room_for(())
        for symbol in symbols:
            if symbol in index:
                array[_PRESENT][index[symbol]] = False
        return type(self)(index, array)

    def _with_columns(self, rows: Columns) -> Self:
        if not rows:
            return self
        index, array = self._room_for(rows.symbols)
        numbers = np.array([index[symbol] for symbol in rows.symbols], np.intp)
        kept = array["timestamp"][numbers]
        stamps = np.broadcast_to(rows.values["timestamp"], numbers.shape)
        # Ignore a kept time far ahead of the new receipt, because it would hide everything that follows.
        credible = kept <= np.asarray(rows.values["received_at"]) + _FAR_AHEAD
        older = array[_PRESENT][numbers] & (stamps != 0) & (stamps < kept) & credible
        for name, values in rows.values.items():
            array[name][numbers] = np.where(older, array[name][numbers], values)
        array[_PRESENT][numbers] = True
        return type(self)(index, array)

    def _with_rows(self, rows: Sequence[Row]) -> Self:
        index, array = self._room_for(row.symbol for row in rows)
        for row in rows:
            number = index[row.symbol]
            if not _is_older(row, array[number]):
                array[number] = self._to_tuple(row)
        return type(self)(index, array)

    def _room_for(self, symbols: Iterable[str]) -> tuple[Mapping[str, int], NDArray[np.void]]:
        """Return an index that includes these symbols, and a copy of the array with a place for each."""
        unknown = [symbol for symbol in symbols if symbol not in self.index]
        index: Mapping[str, int] = self.index
        if unknown:
            longer = dict(index)
            for symbol in unknown:
                longer.setdefault(symbol, len(longer))
            index = longer
        array = np.zeros(len(index), dtype=self.rows.dtype)
        array[: len(self.rows)] = self.rows
        return index, array

    @classmethod
    def _to_tuple(cls, row: Row | Mapping[str, Any]) -> tuple[object, ...]:
        # A script's own snapshot may hold plain mappings.
        read = row.get if isinstance(row, Mapping) else partial(_read, row)
        values: list[float | None] = [read(name) for name in cls._numbers]
        return (
            *(float("nan") if value is None else value for value in values),
            to_microseconds(_as_time(read("timestamp"))),
            to_microseconds(read("received_at")),
            bool(read("from_rest")),
            True,
        )

    def __getitem__(self, symbol: str) -> Row:
        raw = self.rows[self.index[symbol]]
        if not raw[_PRESENT]:
            raise KeyError(symbol)
        values = {name: None if np.isnan(raw[name]) else float(raw[name]) for name in self._numbers}
        return self._row_type(
            symbol=symbol,
            **values,
            timestamp=from_microseconds(int(raw["timestamp"])),
            received_at=from_microseconds(int(raw["received_at"])),
            from_rest=bool(raw["from_rest"]),
        )

    def __iter__(self) -> Iterator[str]:
        present = self.rows[_PRESENT]
        return (symbol for symbol, number in self.index.items() if number < len(present) and present[number])

    def __len__(self) -> int:
        return int(self.rows[_PRESENT].sum())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} of {len(self.index)} symbols)"


class QuoteTable(_LatestTable[Quote]):
    """`Mapping[str, Quote]` over columns bid_price, ask_price, bid_size, ask_size, timestamp, received_at."""

    __slots__ = ()
    _numbers = ("bid_price", "ask_price", "bid_size", "ask_size")
    _row_type = Quote


class TradeTable(_LatestTable[Trade]):
    """`Mapping[str, Trade]` over columns price, size, timestamp, received_at."""

    __slots__ = ()
    _numbers = ("price", "size")
    _row_type = Trade
