"""The newest quote and trade of each symbol as columns.

A snapshot of thousands of symbols costs nothing to hand over; read as mappings the tables give `Quote` and
`Trade`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from options_helper.market import Quote, Trade
from options_helper.times import from_microseconds, to_microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

Row = TypeVar("Row", Quote, Trade)

_PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a `QuoteTable` or `TradeTable` as columns, one row per symbol.

    Attributes:
        symbols: The rows' symbols, each once.
        values: By column of the table's dtype, `present` apart: an array of the symbols' length, or a scalar.
    """

    symbols: Sequence[str]
    values: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.symbols)


class _LatestTable(Mapping[str, Row], Generic[Row]):
    """The newest row of each symbol, as one structured array; immutable by convention.

    Attributes:
        index: Symbol to row number; the same object in every version of one run's table.
        rows: The structured array; numbers are NaN and times 0 where missing; `present` marks used rows.
    """

    __slots__ = ("index", "rows")
    _numbers: tuple[str, ...] = ()
    _row_type: type[Any]

    def __init__(self, index: dict[str, int], rows: NDArray[Any]) -> None:
        self.index = index
        self.rows = rows

    @classmethod
    def dtype(cls) -> np.dtype[Any]:
        """Numbers as float64, times as int64 microseconds, two flags."""
        numbers: list[tuple[str, str]] = [(name, "f8") for name in cls._numbers]
        return np.dtype(
            [*numbers, ("timestamp", "i8"), ("received_at", "i8"), ("from_rest", "?"), (_PRESENT, "?")]
        )

    @classmethod
    def empty(cls, symbols: Iterable[str] = ()) -> Self:
        """A table with a place for each symbol and no row present."""
        index = {symbol: number for number, symbol in enumerate(dict.fromkeys(symbols))}
        return cls(index, np.zeros(len(index), dtype=cls.dtype()))

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """A table of these rows."""
        return cls.empty().updated(list(rows))

    @classmethod
    def from_mapping(cls, rows: Mapping[str, Row]) -> Self:
        """The same table if it is one already, else one of the mapping's values under its keys."""
        if isinstance(rows, cls):
            return rows
        table = cls.empty(rows)
        for symbol, row in rows.items():
            table.rows[table.index[symbol]] = cls._to_tuple(row)
        return table

    def updated(self, rows: Sequence[Row] | Columns) -> Self:
        """A new version with these rows; an older REST row never replaces a newer one of the stream.

        `Columns` are the stream's own and replace what is there.
        """
        if isinstance(rows, Columns):
            table = self._copy_with(rows.symbols)
            numbers = np.array([table.index[symbol] for symbol in rows.symbols], np.intp)
            for name, values in rows.values.items():
                table.rows[name][numbers] = values
            table.rows[_PRESENT][numbers] = True
            return table
        table = self._copy_with(row.symbol for row in rows)
        for row in rows:
            number = table.index[row.symbol]
            kept = table.rows[number]
            # An event without a time of its own is no older than its receipt.
            older = to_microseconds(row.timestamp) <= (kept["timestamp"] or kept["received_at"])
            if not (row.from_rest and kept[_PRESENT] and older):
                table.rows[number] = self._to_tuple(row)
        return table

    def _copy_with(self, symbols: Iterable[str]) -> Self:
        """A copy that has a place for each of these symbols too."""
        unknown = [symbol for symbol in symbols if symbol not in self.index]
        index = self.index
        if unknown:
            index = dict(index)
            for symbol in unknown:
                index.setdefault(symbol, len(index))
        rows = np.zeros(len(index), dtype=self.rows.dtype)
        rows[: len(self.rows)] = self.rows
        return type(self)(index, rows)

    @classmethod
    def _to_tuple(cls, row: Row) -> tuple[Any, ...]:
        values: list[float | None] = [getattr(row, name) for name in cls._numbers]
        return (
            *(float("nan") if value is None else value for value in values),
            to_microseconds(row.timestamp),
            to_microseconds(getattr(row, "received_at", None)),
            getattr(row, "from_rest", False),
            True,
        )

    def __getitem__(self, symbol: str) -> Row:
        raw = self.rows[self.index[symbol]]
        if not raw[_PRESENT]:
            raise KeyError(symbol)
        values: dict[str, Any] = {
            name: None if np.isnan(raw[name]) else float(raw[name]) for name in self._numbers
        }
        row: Row = self._row_type(
            symbol=symbol,
            **values,
            timestamp=from_microseconds(int(raw["timestamp"])),
            received_at=from_microseconds(int(raw["received_at"])),
            from_rest=bool(raw["from_rest"]),
        )
        return row

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
