"""The part of the table's rows that depends on the portfolio alone: their order, ids, names and terms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from apps.streamlit.components.positions.table.row_words import name_of, name_of_leg, terms_of
from options_helper.analysis.holdings.portfolio_arrays import arrays_of
from options_helper.analysis.osi import stock_symbol
from options_helper.models import MultiLegPosition, Portfolio

Key = tuple[str, int | None]  # a position and a leg; 0 for a single position, None for a whole structure


class PortfolioRow(NamedTuple):
    """One row of the page.

    Attributes:
        place: Its index in the positions, structures and legs, one table after the other.
        key: Its key in the tables of risk.
        legs: The number of rows below it that are its legs.
        terms: Its terms, if it expires within a year and if later; None for a leg.
        has_days: False if the structure's own row already shows the days to expiry.
        fields: The values of some fields.
    """

    place: int
    key: Key
    legs: int
    terms: tuple[str, str] | None
    has_days: bool
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioRows:
    """The rows in the order of the page: by underlying, and a structure is followed by its legs.

    Attributes:
        rows: The rows.
        places, keys: Those of the rows.
        columns: The rows' fields; a structure has a better `name` in its table.
        ids: The ids of positions and structures.
        groups: The underlyings in alphabetical order.
    """

    rows: tuple[PortfolioRow, ...]
    places: tuple[int, ...]
    keys: tuple[Key, ...]
    columns: Mapping[str, list[str | None]]
    ids: list[str]
    groups: list[str]


_FIELDS = ("id", "kind", "group", "parent", "name", "named", "tags")


def rows_of(portfolio: Portfolio) -> PortfolioRows:
    """Return a portfolio's rows, built once."""
    own = arrays_of(portfolio).structures
    return own.memo.get("table rows", own.positions, lambda: _build(portfolio))


def _build(portfolio: Portfolio) -> PortfolioRows:
    by_place = sorted(_rows(portfolio), key=lambda row: str(row.fields["group"]))
    return PortfolioRows(
        rows=tuple(by_place),
        places=tuple(row.place for row in by_place),
        keys=tuple(row.key for row in by_place),
        columns={name: [row.fields.get(name) for row in by_place] for name in _FIELDS},
        ids=[str(row.fields["id"]) for row in by_place if row.fields["kind"] != "leg"],
        groups=sorted({str(row.fields["group"]) for row in by_place}),
    )


def _rows(portfolio: Portfolio) -> Iterator[PortfolioRow]:
    """Yield the rows of each position in the file's order."""
    arrays = arrays_of(portfolio)
    single, structure = 0, len(arrays.positions)
    leg = structure + len(arrays.structures)
    for position in portfolio.positions:
        structured = isinstance(position, MultiLegPosition)
        yield PortfolioRow(
            place=structure if structured else single,
            key=(position.id, None if structured else 0),
            legs=len(position.legs) if isinstance(position, MultiLegPosition) else 0,
            terms=(terms_of(position, days=None), terms_of(position, days=math.inf)),
            has_days=True,
            fields={
                "id": position.id,
                "kind": "structure" if structured else "position",
                "group": stock_symbol(position.symbol),
                "name": name_of(position, None),
                "named": position.name,
                "tags": " ".join(position.tag or ()) or None,
            },
        )
        if isinstance(position, MultiLegPosition):
            yield from _leg_rows(position, leg)
            structure, leg = structure + 1, leg + len(position.legs)
        else:
            single += 1


def _leg_rows(position: MultiLegPosition, first: int) -> Iterator[PortfolioRow]:
    with_expiry = len({leg.expiry for leg in position.option_legs}) > 1
    for number, leg in enumerate(position.legs):
        yield PortfolioRow(
            place=first + number,
            key=(position.id, number),
            legs=0,
            terms=None,
            has_days=with_expiry,
            fields={
                "id": f"{position.id}/{number}",
                "kind": "leg",
                "group": stock_symbol(position.symbol),
                "parent": position.id,
                "name": name_of_leg(leg, with_expiry=with_expiry),
            },
        )
