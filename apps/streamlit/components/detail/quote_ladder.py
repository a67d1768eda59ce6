"""The quotes behind a position, leg by leg, as one small HTML table."""

from __future__ import annotations

import datetime as dt

from apps.streamlit.components.detail.detail_words import (
    broker_words,
    origin_words,
    state_words,
    stopped_words,
)
from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.positions.table.records import Record
from apps.streamlit.components.positions.table.row_words import name_of, name_of_leg
from options_helper.analysis.text.figures import format_count, format_price, format_quantity
from options_helper.models import AnyPosition, MultiLegPosition

_TIMES = "\N{MULTIPLICATION SIGN}"
_SIZED = (("bid", "bid_size"), ("ask", "ask_size"))
_HEADS = ("Leg", "Bid", "Ask", "Mark", "Natural", "Last", "Broker", "Quote")


def ladder_html(
    position: AnyPosition, records: list[Record], *, now: dt.datetime, stopped_in: dt.tzinfo | None = None
) -> str:
    """Return the table of quotes, followed by a sentence if the broker's prices differ from the marks.

    Args:
        position: The position, which names the rows.
        records: A structure's legs in the file's order, or the one row of any other position.
        now: The time now, for the days of earlier times.
        stopped_in: The reader's time zone if the streams were stopped: quotes then show times, not ages.
    """
    names = _names(position)
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    rows = "".join(
        _ladder_row(name, record, now, stopped_in) for name, record in zip(names, records, strict=True)
    )
    note = broker_words(records)
    return (
        f'<div class="pd-ladder" tabindex="0" role="region" aria-label="Quotes">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        + (f'<p class="pd-notes">{in_html(note)}</p>' if note else "")
    )


def _names(position: AnyPosition) -> list[str]:
    if not isinstance(position, MultiLegPosition):
        return [name_of(position, None)]
    with_expiry = len({leg.expiry for leg in position.option_legs}) > 1
    return [name_of_leg(leg, with_expiry=with_expiry) for leg in position.legs]


def _ladder_row(name: str, record: Record, now: dt.datetime, stopped_in: dt.tzinfo | None) -> str:
    sized = [_sized(record[price], record[size]) for price, size in _SIZED]
    prices = [in_html(format_price(record[column])) for column in ("mark", "natural", "last", "broker_price")]
    age = record["quote_age_seconds"]
    words = state_words(record["state"], age)
    if stopped_in is not None and age is not None:
        words = stopped_words(record["state"], record["quote_time"], now, stopped_in) or words
    state = in_html(words)
    cells = "".join(f"<td>{cell}</td>" for cell in [*sized, *prices])
    cells += f'<td title="{in_html(origin_words(record))}">{state}</td>'
    quantity = format_quantity(record["quantity"])
    return f'<tr><th scope="row">{in_html(quantity)} {in_html(name)}</th>{cells}</tr>'


def _sized(price: float | None, size: float | None) -> str:
    """Return a price with its size in small type."""
    text = in_html(format_price(price))
    return f"{text} <small>{_TIMES}{format_count(size)}</small>" if price is not None and size else text
