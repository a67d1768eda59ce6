"""A list of rows with a time, a name, an amount and a quiet second line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.streamlit.components.plain_text import in_html

_BETWEEN = " · "
SHOWN = 200  # nobody reads a longer list, and drawing it is slow


@dataclass(frozen=True, slots=True)
class Row:
    """One row, as plain text."""

    time: str
    what: str
    amount: str
    details: str
    hover: str = ""
    classes: str = ""


def list_rows(label: str, rows: Iterable[Row]) -> str:
    """Return the rows as an HTML list that the keyboard can scroll; all text is escaped."""
    items = "".join(map(_item, rows))
    return f'<ol class="oh-rows" tabindex="0" aria-label="{in_html(label)}">{items}</ol>'


def _item(row: Row) -> str:
    return (
        f'<li class="{row.classes}"><span class="oh-time">{in_html(row.time)}</span>'
        f'<span class="oh-what" title="{in_html(row.hover or row.what)}">{in_html(row.what)}</span>'
        f'<span class="oh-amount">{in_html(row.amount)}</span>'
        f'<span class="oh-details">{_details(row)}</span></li>'
    )


def _details(row: Row) -> str:
    """Return the parts of the second line, each unbroken if it fits on one line."""
    return _BETWEEN.join(f"<i>{in_html(part)}</i>" for part in row.details.split(_BETWEEN) if part)


def quiet(words: str) -> str:
    """Return the words as a muted line of HTML, or "" if there are none."""
    return f'<p class="oh-quiet">{in_html(words)}</p>' if words else ""
