"""The positions table sends a browser everything once, and then only what has changed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("streamlit", reason="the portal needs the extra [ui]")

from apps.streamlit.components.positions.table.changes import SentTable
from apps.streamlit.components.positions.table.layout import build_layout
from apps.streamlit.components.positions.table.records import shown_column, shown_figure
from apps.streamlit.components.positions.table.rows import TableRows
from options_helper.analysis.tables.column_type import Column, Dtype, Format
from options_helper.analysis.tables.columns import shown_columns
from options_helper.analysis.text.figures import format_percent, format_pnl, format_price, format_quantity
from options_helper.analysis.valuation.quote_state import QuoteState

pytestmark = pytest.mark.portal

FIGURES = json.loads(
    (Path(__file__).parents[1] / "browser_scripts" / "figures.json").read_text(encoding="utf-8")
)
HALVES = st.builds(
    lambda whole, scale: (whole + 0.5) / scale,
    st.integers(-(10**6), 10**6),
    st.sampled_from([1, 10, 100, 10**5]),
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
FIELDS = ("id", "kind", "warning", "mark", "pnl_pct", "said", "time")
WRITERS = {
    "price": format_price,
    "pnl": format_pnl,
    "percent": format_percent,
    "signed_percent": lambda value: format_percent(value, signed=True),
    "quantity": format_quantity,
}


def _shown(rows: list[list[Any]]) -> list[list[object]]:
    figures = {column.field: column for column in shown_columns()}
    columns = [
        shown_column(values, figures[field]) if field in figures else list(values)
        for field, values in zip(FIELDS, zip(*rows, strict=True), strict=False)  # no values without rows
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _table(marks: list[float | None], *, said: list[str] | None = None, **more: Any) -> TableRows:
    rows = [[f"p{n}", "position", None, mark, 0.1, said, 1000 + n] for n, mark in enumerate(marks)]
    table: dict[str, Any] = {
        "fields": FIELDS,
        "group_fields": ("id", "sub"),
        "groups": [["AAPL", "271.50"]],
        "rows": rows,
        "shown": _shown(rows),
        "ids": [row[0] for row in rows],
        "warnings": {code: [code, f"It is {code}."] for code in said or ()},
        "stale_after": 30.0,
        **more,
    }
    return TableRows(**table)


class Page:
    """A session and its browser, which keeps the rows and knows their version."""

    def __init__(self) -> None:
        self.sent = SentTable()
        self.version: int | None = None
        self.rows: dict[int, dict[str, Any]] = {}
        self.warnings: dict[str, list[str]] = {}

    def send(self, table: TableRows, *, now_ms: int = 5, **more: Any) -> dict[str, Any]:
        """Send the table, and take what arrives as the browser does."""
        text = self.sent.message(table, self.version, now_ms=now_ms, **more)
        message: dict[str, Any] = json.loads(text)
        if message["layout"]:
            self.rows, self.warnings = {}, {}
        self.warnings |= message["warnings"]
        for number, *values in message["rows"]["rows"]:
            changed = dict(zip(message["rows"]["fields"], values, strict=True))
            self.rows[number] = self.rows.get(number, {}) | changed
        self.version = message["version"]
        return message

    @property
    def marks(self) -> list[Any]:
        """Return the marks that the browser shows."""
        return [self.rows[number]["mark"] for number in sorted(self.rows)]


def test_the_first_message_has_everything() -> None:
    """The first message has the layout, every row, every field and the words of the warnings."""
    message = Page().send(_table([1.0, 2.5], said=["wide_spread"]), storage="table", raised=1)
    assert message["since"] is None
    assert (message["storage"], message["raised"], message["sent_at"]) == ("table", 1, 5)
    assert message["layout"]["columns"][0]["id"] == "position"
    assert message["rows"]["rows"][1] == [1, "p1", "position", None, 2.5, 10, ["wide_spread"], 1001]
    assert message["groups"] == {"fields": ["id", "sub"], "rows": [[0, "AAPL", "271.50"]]}
    assert "wide_spread" in message["warnings"]


def test_afterwards_only_changed_fields_of_changed_rows_are_sent() -> None:
    """Neither the layout nor an unchanged row is sent again."""
    page = Page()
    page.send(_table([1.0, 2.0, 3.0]))
    message = page.send(_table([1.0, 2.25, 3.0]))
    assert message["rows"] == {"fields": ["mark"], "rows": [[1, 2.25]]}
    assert (message["layout"], message["groups"]["rows"], message["warnings"]) == (None, [], {})


def test_a_change_too_small_to_show_is_not_sent() -> None:
    """A price that changes by a tenth of a cent is not sent."""
    page = Page()
    page.send(_table([1.234]))
    assert page.send(_table([1.2341]))["rows"]["rows"] == []


def test_equal_content_has_equal_bytes() -> None:
    """Time alone changes no byte; with new content comes a new time."""
    sent = SentTable()
    first = sent.message(_table([1.0]), None, now_ms=5)
    assert sent.message(_table([1.0]), None, now_ms=9) == first
    assert json.loads(sent.message(_table([1.5]), None, now_ms=9))["sent_at"] == 9


def test_a_browser_that_missed_messages_gets_everything_it_missed() -> None:
    """Changes count from the version that the browser has, not from the last message."""
    page = Page()
    page.send(_table([1.0, 2.0]))
    page.sent.message(_table([1.5, 2.0]), page.version, now_ms=6)
    page.send(_table([1.5, 2.5]))
    assert page.marks == [1.5, 2.5]


@pytest.mark.parametrize("known", [None, 0, 99])
def test_a_browser_without_these_rows_gets_everything(known: int | None) -> None:
    """A new page, or a version from before a restart, gets everything."""
    page = Page()
    page.send(_table([1.0]))
    page.version = known
    assert page.send(_table([1.5]))["layout"] is not None


@pytest.mark.parametrize(
    "other",
    [_table([1.0, 2.0, 3.0]), _table([1.0]), _table([1.0, 2.0], stale_after=60.0), _table([])],
    ids=["more rows", "fewer rows", "another threshold", "none"],
)
def test_another_list_of_rows_is_sent_whole(other: TableRows) -> None:
    """Row numbers are valid only within one list."""
    page = Page()
    page.send(_table([1.0, 2.0]))
    assert page.send(other)["layout"] is not None
    assert len(page.rows) == len(other["rows"])


def test_new_warnings_come_with_their_words() -> None:
    """A new code is explained in the same message, and known ones are not explained again."""
    page = Page()
    page.send(_table([1.0], said=["old"]))
    assert page.send(_table([1.0], said=["old", "new"]))["warnings"] == {"new": ["new", "It is new."]}
    page.sent.message(_table([1.0], said=["lost"]), page.version, now_ms=6)
    assert set(page.send(_table([1.0], said=["lost", "newest"]))["warnings"]) == {"lost", "newest"}


def test_any_sequence_of_messages_shows_the_newest_rows() -> None:
    """After any changes, losses and reloads, the rows are complete."""
    draw = random.Random(20261129)  # noqa: S311 - the same sequence each time
    page, marks = Page(), [float(number) for number in range(20)]
    for _ in range(2000):
        for _ in range(draw.randrange(4)):
            marks[draw.randrange(len(marks))] = draw.randrange(100) / 4
        if draw.random() < 0.05:
            marks = marks[: draw.randrange(1, 20)] + [0.25] * draw.randrange(3)
        table = _table([*marks], said=draw.sample(["one", "two", "three", "four"], draw.randrange(4)))
        if draw.random() < 0.2:
            page.sent.message(table, page.version, now_ms=1)
            continue
        if draw.random() < 0.05:
            page.version, page.rows, page.warnings = None, {}, {}
        page.send(table)
        assert page.marks == marks
        assert [page.rows[number]["said"] for number in page.rows] == [row[5] for row in table["shown"]]
        assert set(table["warnings"]) <= set(page.warnings)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure['format']} {figure['value']}")
def test_a_figure_is_rounded_once_and_written_the_same_everywhere(figure: dict[str, Any]) -> None:
    """The browser's table gets a finished figure, and the rest of the page writes the same one."""
    format_, value = Format(figure["format"]), figure["value"]
    column = Column("x", Dtype.FLOAT, (), "", format=format_, decimals=figure["decimals"])
    assert shown_figure(value, column) == figure["shown"]
    if figure["format"] in WRITERS:
        assert WRITERS[figure["format"]](value) == figure["text"]


@pytest.mark.slow
@given(st.lists(st.one_of(FLOATS, HALVES, st.integers(-(10**12), 10**12))))
def test_a_column_is_rounded_as_its_figures_are(values: list[float]) -> None:
    """Rounding a whole column gives the same figures, and leaves other values unchanged."""
    for format_ in Format:
        column = Column("x", Dtype.FLOAT, (), "", format=format_, decimals=2)
        shown = shown_column([None, *values, ""], column)
        assert [repr(each) for each in shown] == [
            "None", *(repr(shown_figure(value, column)) for value in values), "''"
        ]  # fmt: skip


def test_the_layout_describes_every_shown_column_and_state() -> None:
    """Headings come from the schema, between the name and the quote."""
    layout = build_layout(30.0)
    ids = [column["id"] for column in layout["columns"]]
    assert ids == ["position", *(column.field for column in shown_columns()), "quote"]
    assert set(layout["states"]) == {str(state) for state in QuoteState}
    assert layout["states"]["no_data"] == {"sign": "\N{WHITE CIRCLE}", "word": "no data", "aged": False}
