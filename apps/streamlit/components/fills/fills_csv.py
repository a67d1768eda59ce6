"""The fills table as a file: one line per row that is shown, with the same words."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from apps.streamlit.components.fills.fill_rows import note_words
from options_helper.analysis.fills.tables import EXECUTION_COLUMNS, executions_frame

if TYPE_CHECKING:
    from options_helper.session.views import FillsView

_DECIMALS = 12  # quantities have up to nine, prices of coins more
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def fills_csv(view: FillsView, zone: dt.tzinfo) -> str:
    """Every row of the day, times in the reader's zone, and no cell that a spreadsheet would run."""
    frame = executions_frame(view.day)
    frame["time"] = [at.astimezone(zone).isoformat(timespec="milliseconds") for at in frame["time"]]
    frame["note"] = [note_words(one, view) for one in view.day.executions]
    for name in (name for name, kind in EXECUTION_COLUMNS.items() if kind == "str"):
        frame[name] = [f"'{text}" if text.startswith(_FORMULA) else text for text in frame[name]]
    return frame.to_csv(index=False, float_format=_number)


def fills_csv_name(view: FillsView) -> str:
    """Return the file's name, which shows if the page cannot vouch for the day's fills."""
    doubt = "" if view.day.complete else "-not-confirmed"
    return f"fills-{view.day.day.isoformat()}{doubt}.csv"


def _number(number: object) -> str:
    """Return a number as `2`, `6.9`, `0.000000001`: without needless decimals or powers of ten."""
    return f"{number:.{_DECIMALS}f}".rstrip("0").rstrip(".")
