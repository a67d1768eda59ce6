"""The fills as a CSV file: one line per shown row, with the same words."""

from __future__ import annotations

import datetime as dt

from apps.streamlit.components.fills.fill_rows import note_words
from options_helper.analysis.fills.option_events import OptionEvent
from options_helper.analysis.fills.order_facts import ReportedBy
from options_helper.analysis.fills.records import Execution
from options_helper.analysis.fills.words import execution_name, execution_price
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.columns import names_of
from options_helper.analysis.text.csv_cells import plain_number, safe_text, write_csv
from options_helper.analysis.text.order_words import contract_words, event_words, side_words
from options_helper.session.views import FillsView


def fills_csv(view: FillsView, zone: dt.tzinfo) -> str:
    """Return the day's option events and fills as CSV, with times in the reader's zone.

    The columns are those of `Table.FILLS` in the schema; a spreadsheet executes none of the cells.
    """
    events = (_event_row(one) for one in view.day.events)
    fills = (_fill_row(one, view) for one in view.day.executions)
    rows = ({name: _cell(value, zone) for name, value in row.items()} for row in (*events, *fills))
    return write_csv(names_of(Table.FILLS), rows)


def fills_csv_name(view: FillsView) -> str:
    """Return the file's name, which shows if the day's fills may be incomplete."""
    doubt = "" if view.day.complete else "-not-confirmed"
    return f"fills-{view.day.day.isoformat()}{doubt}.csv"


def _fill_row(one: Execution, view: FillsView) -> dict[str, object]:
    return {
        "time": one.at,
        "contract": execution_name(one),
        "symbol": one.symbol,
        "level": one.kind.value,
        "side": side_words(one.side, one.intent),
        "quantity": one.quantity,
        "price": one.price,
        "price_words": execution_price(one),
        "filled": one.filled,
        "total": one.total,
        "average_price": one.average_price,
        "status": event_words(one.status),
        "position_after": one.position_after,
        "source": one.source.value,
        "confirmed": one.confirmed,
        "busted": one.busted,
        "corrected": one.corrected,
        "note": note_words(one, view),
        "order_id": one.order_id,
        "parent_id": one.parent_id,
        "key": one.key,
    }


def _event_row(event: OptionEvent) -> dict[str, object]:
    return {
        "time": event.booked_at,
        "contract": contract_words(event.symbol),
        "symbol": event.symbol,
        "level": event.type.value,
        "quantity": event.quantity,
        "source": ReportedBy.REST.value,
        "confirmed": True,
        "note": event.words,
        "key": event.activity_id,
    }


def _cell(value: object, zone: dt.tzinfo) -> object:
    match value:
        case str():
            return safe_text(value)
        case float():
            return plain_number(value)
        case dt.datetime():
            return value.astimezone(zone).isoformat(timespec="milliseconds")
        case _:
            return value
