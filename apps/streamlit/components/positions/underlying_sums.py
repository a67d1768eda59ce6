"""Sums by underlying, each with its coverage; an incomplete sum is "—"."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import streamlit as st

from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.positions.table.records import Record, TableColumns, plain_records
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.text.figures import MISSING, format_dollars, format_pnl
from options_helper.analysis.text.wording import coverage

OPENED_SUMS = "live-underlying-sums"  # the expander's key

_SUMS: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("P/L Open", "open_pnl", format_pnl),
    ("P/L Day", "day_pnl", format_pnl),
    ("Cost", "cost", format_dollars),
    ("Market value", "market_value", format_dollars),
    ("Premium paid", "premium_at_risk", format_dollars),
)


def render_underlying_sums(view: TablesView) -> None:
    """Draw the table of sums in an expander, and send it only while that is open."""
    opened = st.expander("Sums by underlying", key=OPENED_SUMS, on_change="rerun")
    if opened.open:
        opened.html(_sums_of(view))


@lru_cache(maxsize=2)  # all tabs show the same
def _sums_of(view: TablesView) -> str:
    return sums_html(view.columns[Table.UNDERLYINGS])


def sums_html(underlyings: TableColumns) -> str:
    """Return an HTML table with one line per underlying that has unexpired legs."""
    heads = "".join(f'<th scope="col">{head}</th>' for head, _, _ in _SUMS)
    rows = "".join(_row(record) for record in plain_records(underlyings) if record["legs"])
    return (
        '<table class="oh-sums" aria-label="Sums by underlying">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        '<p class="oh-quiet">Excludes lots closed today: they are no longer in the file.</p>'
    )


def _row(record: Record) -> str:
    cells = "".join(f"<td>{_cell(record, name, write)}</td>" for _, name, write in _SUMS)
    return f'<tr><th scope="row">{in_html(record["underlying"])}</th>{cells}</tr>'


def _cell(record: Record, name: str, write: Callable[[float | None], str]) -> str:
    """Return the sum, or "—" with the known part below if it is incomplete."""
    if record[name] is not None:
        return write(record[name])
    covered, legs = record[f"{name}_covered"], record["legs"]
    part = f": {write(record[f'{name}_partial'])}" if covered else ""
    return f"{MISSING}<small>{coverage(covered, legs)}{part}</small>"
