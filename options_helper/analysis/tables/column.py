"""The tables, and what is said of each column of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Table(StrEnum):
    """The four tables of positions, the day's fills as CSV, and risk by leg and its sums."""

    POSITIONS = "positions"
    STRUCTURES = "structures"
    LEGS = "legs"
    UNDERLYINGS = "underlyings"
    FILLS = "fills"
    RISK_LEGS = "risk_legs"
    RISK_POSITIONS = "risk_positions"
    RISK_UNDERLYINGS = "risk_underlyings"
    RISK_EXPIRIES = "risk_expiries"
    RISK_TAGS = "risk_tags"


class Dtype(StrEnum):
    """The pandas dtype of a column; each but FLAG has a null."""

    TEXT = "str"
    COUNT = "Int64"
    NUMBER = "int64"
    FLOAT = "float64"
    CATEGORY = "category"
    TIME = "datetime64[us, UTC]"
    OBJECT = "object"
    FLAG = "bool"


class Format(StrEnum):
    """How the browser writes a figure; the widget has one function for each."""

    PRICE = "price"
    PNL = "pnl"
    PERCENT = "percent"
    SIGNED_PERCENT = "signed_percent"
    QUANTITY = "quantity"
    DECIMAL = "decimal"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: The name in the DataFrames.
        dtype: The dtype there.
        tables: The tables that have it.
        help: Its meaning, for the docs and for the heading of a shown column.
        unit: Dollars, a fraction, seconds …
        field: Its name in the browser's table and the CSV files, or "" if it is in neither. Columns of
            different tables may share a field (`pnl_abs` and `net_pnl_abs`); the first one describes it.
        label: The heading in the browser's table.
        format, decimals: How the browser writes it.
        shown_in: The tables whose rows show it, if not all of them.
        optional: Whether the browser's table shows it only on request.
        toned: Whether the sign has a colour.
    """

    name: str
    dtype: Dtype
    tables: tuple[Table, ...]
    help: str
    unit: str = ""
    field: str = ""
    label: str = ""
    format: Format = Format.DECIMAL
    decimals: int = 2
    shown_in: tuple[Table, ...] | None = None
    optional: bool = False
    toned: bool = False

    def is_shown_in(self, table: Table) -> bool:
        """Return whether rows of this table show the column."""
        return bool(self.field) and table in (self.tables if self.shown_in is None else self.shown_in)
