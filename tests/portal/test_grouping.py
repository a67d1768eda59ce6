"""The table's rows in other groups, with sums and their coverage."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.positions.table.group_rows import GREEK_FIELDS, GROUP_FIELDS
from apps.streamlit.components.positions.table.grouping import Grouping, hide_columns, regroup
from apps.streamlit.components.positions.table.rows import TableRows
from options_helper.models import Portfolio

CALL = {"option_type": "call", "contracts": 1, "cost_basis": 1.0}
LEGS = [
    {"side": "long", "option_type": "put", "expiry": "2027-01-15", "strike": 90, "contracts": 1},
    {"side": "short", "option_type": "put", "expiry": "2026-12-18", "strike": 90, "contracts": 1},
]
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {"id": "a", "symbol": "AAPL", "expiry": "2027-01-15", "strike": 100, "tag": ["core"], **CALL},
            {"id": "b", "symbol": "MSFT", "expiry": "2026-12-18", "strike": 100, **CALL},
            {"id": "c", "symbol": "AAPL", "legs": LEGS, "net_debit": 1.0, "tag": ["core"]},
            {"id": "d", "symbol": "SPY", "shares": 5, "cost_basis": 1.0},
        ]
    }
)
FIELDS = ("id", "kind", "group", "parent", "name", "pnl_open", "pnl_day")
ROWS = [
    ["a", "position", "AAPL", None, "100 call", 10.004, 1.0],
    ["c", "structure", "AAPL", None, "Calendar", -3.0, None],
    ["c/0", "leg", "AAPL", "c", "long 90 put", "", ""],
    ["b", "position", "MSFT", None, "100 call", None, None],
    ["d", "position", "SPY", None, "Shares", 2.0, 2.0],
]


def grouped(by: Grouping) -> tuple[list[dict[str, object]], list[list[object]]]:
    """Return the groups, and the group and name of each row."""
    table = TableRows(
        fields=FIELDS,
        group_fields=GROUP_FIELDS,
        groups=[["AAPL"]],
        rows=[list(row) for row in ROWS],
        shown=[list(row) for row in ROWS],
        ids=["a", "c", "b", "d"],
        warnings={},
        stale_after=30.0,
    )
    again = regroup(table, PORTFOLIO, by)
    assert table["rows"] == table["shown"] == ROWS
    groups = [dict(zip(GROUP_FIELDS, values, strict=True)) for values in again["groups"] if len(values) > 1]
    return groups, [[row[2], row[4]] for row in again["shown"]]


def test_by_expiry_the_nearest_comes_first_and_shares_last() -> None:
    """A structure belongs to its first expiry together with its legs, and rows name their underlying."""
    groups, rows = grouped(Grouping.EXPIRY)
    assert [group["name"] for group in groups] == ["18 Dec 2026", "15 Jan 2027", "Without expiry"]
    assert rows[:3] == [
        ["15 Jan 2027", "AAPL 100 call"],
        ["18 Dec 2026", "AAPL Calendar"],
        ["18 Dec 2026", "long 90 put"],
    ]


def test_a_sum_states_its_coverage() -> None:
    """With an unknown position, the sum is unknown, and its known part is shown."""
    (december, january, shares), _ = grouped(Grouping.EXPIRY)
    assert (december["pnl_open"], december["cover"], december["partial"]) == (
        None,
        "1 of 2: \N{MINUS SIGN}$3",
        True,
    )
    assert (december["pnl_day"], december["day_cover"]) == (None, "0 of 2")
    assert (january["pnl_open"], january["cover"], january["sub"]) == (10, "1 of 1", "1 position")
    assert (shares["pnl_open"], shares["day_cover"], shares["partial"]) == (2, "", False)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (Grouping.STRATEGY, ["Calendar", "Shares", "Single options"]),
        (Grouping.TAG, ["core", "No tag"]),
        (Grouping.NONE, []),
        (Grouping.UNDERLYING, []),
    ],
)
def test_other_groups(by: Grouping, names: list[str]) -> None:
    """Rows are grouped by strategy, by tag with the untagged last, not at all, or by underlying."""
    groups, rows = grouped(by)
    assert [group["name"] for group in groups] == names
    assert rows[0] == ["AAPL", "100 call"] if by is Grouping.UNDERLYING else rows[0][1] == "AAPL 100 call"


@pytest.mark.parametrize("word", ["", None, 5, "elsewhere", ["tag"]])
def test_an_unknown_grouping_is_by_underlying(word: object) -> None:
    """Any other text from a browser groups by underlying."""
    assert Grouping.of(word) is Grouping.UNDERLYING
    assert Grouping.of("tag") is Grouping.TAG


def test_a_tag_named_like_the_remainder_is_its_own_group() -> None:
    """Positions tagged "No tag" and positions without one are two groups."""
    terms = {"expiry": "2027-01-15", "strike": 100, **CALL}
    positions = [{"id": "a", "symbol": "AAPL", "tag": ["No tag"]}, {"id": "b", "symbol": "MSFT"}]
    portfolio = Portfolio.model_validate({"positions": [{**each, **terms} for each in positions]})
    rows = [list(row) for row in ROWS if row[0] in {"a", "b"}]
    table = TableRows(
        fields=FIELDS,
        group_fields=GROUP_FIELDS,
        groups=[],
        rows=rows,
        shown=rows,
        ids=["a", "b"],
        warnings={},
        stale_after=30.0,
    )
    again = regroup(table, portfolio, Grouping.TAG)
    assert len({str(group[0]) for group in again["groups"]}) == 2
    assert [group[1] for group in again["groups"]] == ["No tag", "No tag"]


def test_a_browser_gets_the_figures_of_the_columns_that_it_shows() -> None:
    """A hidden optional column is sent empty, and so is its second line; the CSV has its figures."""
    fields = ("id", "mark", "cost", "iv", "iv_note")
    rows: list[list[object]] = [["a", 1.5, 120, 31.5, "30.1\N{EN DASH}33.0%"]]
    table = TableRows(
        fields=fields,
        group_fields=GROUP_FIELDS,
        groups=[],
        rows=rows,
        shown=rows,
        ids=["a"],
        warnings={},
        stale_after=30.0,
    )
    assert hide_columns(table, frozenset())["shown"] == [["a", 1.5, "", "", ""]]
    assert hide_columns(table, frozenset({"iv"}))["shown"] == [["a", 1.5, "", *rows[0][3:]]]
    assert hide_columns(table, frozenset({"iv", "cost"}))["shown"] == rows == table["rows"]
    with_sums = TableRows(**{**table, "groups": [[f"the {field}" for field in GROUP_FIELDS]]})
    [hidden], [shown] = (
        hide_columns(with_sums, chosen)["groups"] for chosen in (frozenset(), frozenset({"theta"}))
    )
    assert {field for field, value in zip(GROUP_FIELDS, hidden, strict=True) if value == ""} == {
        *GREEK_FIELDS,
        "greeks_cover",
    }
    assert {"the theta", "the greeks_cover", "the pnl_open"} <= {*shown}
    assert "the delta" not in shown
