"""The type of a column's description, and the names of the tables; `columns.py` lists the columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Table(StrEnum):
    """The four tables of positions, the CSV file of the day's fills, and the tables of risk."""

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
    """The pandas dtype of a column; `NUMBER` and `FLAG` have no null."""

    TEXT = "str"
    COUNT = "Int64"
    NUMBER = "int64"
    FLOAT = "float64"
    CATEGORY = "category"
    TIME = "datetime64[us, UTC]"
    OBJECT = "object"
    FLAG = "bool"


class Format(StrEnum):
    """The format of a figure in the browser; the widget has one function for each."""

    PRICE = "price"
    PNL = "pnl"
    PERCENT = "percent"
    SIGNED_PERCENT = "signed_percent"
    QUANTITY = "quantity"
    DECIMAL = "decimal"


@dataclass(frozen=True, slots=True)
class Column:
    """The description of one column.

    Attributes:
        name: The name in the DataFrames.
        dtype: The dtype in the DataFrames.
        tables: The tables that contain the column.
        help: The meaning, for the docs and for the tooltip of a shown column.
        unit: The unit, such as dollars, a fraction or seconds.
        field: The name in the browser's table and the CSV files, or "" if it is in neither. Columns of
            different tables may share a field (`pnl_abs` and `net_pnl_abs`); the first one describes it.
        label: The heading in the browser's table.
        format, decimals: The format in the browser's table.
        shown_in: The tables with rows that show the column; None for all of `tables`.
        optional: True if the browser's table shows the column only on request.
        toned: True if figures are coloured by sign.
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
        """Return whether the rows of a table show the column."""
        return bool(self.field) and table in (self.tables if self.shown_in is None else self.shown_in)
