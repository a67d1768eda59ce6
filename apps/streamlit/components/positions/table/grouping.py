"""The table's rows grouped by expiry, strategy or tag, or not at all, instead of by underlying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from apps.streamlit.components.positions.table.group_rows import GREEK_FIELDS, GROUP_FIELDS, sum_greeks
from apps.streamlit.components.positions.table.layout import BELOW
from apps.streamlit.components.positions.table.records import Record, rounded_dollars
from apps.streamlit.components.positions.table.rows import TableRows
from options_helper.analysis.holdings.portfolio_arrays import arrays_of
from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.analysis.tables.columns import shown_columns
from options_helper.analysis.text.figures import format_pnl
from options_helper.analysis.text.wording import count, format_day
from options_helper.models import AnyPosition, EquityPosition, MultiLegPosition, Portfolio

Group = tuple[str, str]  # its sort key and its name
_LAST = "\N{REPLACEMENT CHARACTER}"  # sorts after every name


class Grouping(StrEnum):
    """A way to group rows."""

    UNDERLYING = "underlying"
    EXPIRY = "expiry"
    STRATEGY = "strategy"
    TAG = "tag"
    NONE = "none"

    @classmethod
    def of(cls, word: object) -> Grouping:
        """Return the grouping with this name, by underlying if there is none."""
        return next((each for each in cls if each == word), cls.UNDERLYING)


def regroup(table: TableRows, portfolio: Portfolio, by: Grouping) -> TableRows:
    """Return the table with its shown rows regrouped; each row's name then includes its underlying."""
    if by is Grouping.UNDERLYING:
        return table
    group_of = _groups_of(portfolio, by)
    place = {field: number for number, field in enumerate(table["fields"])}
    shown = []
    members: dict[Group, list[list[object]]] = {}
    for row, figures in zip(table["rows"], table["shown"], strict=True):
        owner = str(row[place["parent"]] or row[place["id"]])
        moved = list(figures)
        if row[place["kind"]] != "leg":
            moved[place["name"]] = f"{row[place['group']]} {row[place['name']]}"
            members.setdefault(group_of[owner], []).append(row)
        moved[place["group"]] = _id(group_of[owner])
        shown.append(moved)
    names = [] if by is Grouping.NONE else sorted(members)
    known = [field for field in GREEK_FIELDS if field in place]
    greeks = sum_greeks(
        [[{field: row[place[field]] for field in known} for row in members[each]] for each in names]
    )
    groups = [_sums(each, members[each], place, sums) for each, sums in zip(names, greeks, strict=True)]
    return TableRows(**{**table, "shown": shown, "groups": groups})


def hide_columns(table: TableRows, columns: frozenset[str]) -> TableRows:
    """Return the table without the figures of optional columns other than these; their cells are empty."""
    hidden = {each.field for each in shown_columns() if each.optional} - columns
    hidden |= {BELOW[field] for field in hidden & BELOW.keys()}
    if hidden.issuperset(GREEK_FIELDS):
        hidden.add("greeks_cover")
    shown = _blank(table["fields"], table["shown"], hidden)
    groups = _blank(table["group_fields"], table["groups"], hidden)
    return TableRows(**{**table, "shown": shown, "groups": groups})


def _blank(fields: Sequence[str], rows: list[list[object]], hidden: set[str]) -> list[list[object]]:
    """Return the rows with empty cells in these fields."""
    places = [place for place, field in enumerate(fields) if field in hidden]
    blank = [list(row) for row in rows]
    for row in blank:
        for place in places:
            row[place] = ""
    return blank


def _id(group: Group) -> str:
    """Return a group's id; that of the last group begins with a space, which no tag does."""
    sorts_by, name = group
    return f"\N{NO-BREAK SPACE}{name}" if sorts_by == _LAST else name


def _groups_of(portfolio: Portfolio, by: Grouping) -> dict[str, Group]:
    """Return each position's group by position id, computed once per portfolio."""
    own = arrays_of(portfolio).structures
    return own.memo.get(
        f"groups by {by}",
        own.positions,
        lambda: {position.id: _GROUPS[by](position) for position in portfolio.positions},
    )


def _sums(group: Group, rows: list[list[object]], place: dict[str, int], greeks: Record) -> list[object]:
    """Return a group's row of `GROUP_FIELDS`; the coverage of an incomplete sum includes its known part."""
    values: dict[str, object] = {
        "id": _id(group),
        "name": group[1],
        "sub": count(len(rows), "position"),
        "state": "",
        **greeks,
    }
    for field, cover in (("pnl_open", "cover"), ("pnl_day", "day_cover")):
        known = [value for row in rows if isinstance(value := row[place[field]], int | float)]
        is_whole = len(known) == len(rows)
        words = f"{len(known):,} of {len(rows):,}"
        values[field] = rounded_dollars(sum(known)) if is_whole else None
        values[cover] = words if is_whole or not known else f"{words}: {format_pnl(sum(known))}"
    values["partial"] = values["pnl_open"] is None and ":" in str(values["cover"])
    if values["pnl_day"] is not None:
        values["day_cover"] = ""
    return [values.get(field) for field in GROUP_FIELDS]


def _by_expiry(position: AnyPosition) -> Group:
    if isinstance(position, EquityPosition):
        return _LAST, "Without expiry"
    legs = position.option_legs if isinstance(position, MultiLegPosition) else [position]
    first = min((leg.expiry for leg in legs), default=None)
    return (_LAST, "Without expiry") if first is None else (first.isoformat(), format_day(first))


def _by_strategy(position: AnyPosition) -> Group:
    words = str(describe_structure(position).kind).capitalize()
    name = "Single options" if words == "Single" else words
    return name, name


def _by_tag(position: AnyPosition) -> Group:
    tags = ", ".join(position.tag or ())
    return (tags, tags) if tags else (_LAST, "No tag")


_GROUPS: dict[Grouping, Callable[[AnyPosition], Group]] = {
    Grouping.UNDERLYING: lambda position: (stock_symbol(position.symbol),) * 2,
    Grouping.EXPIRY: _by_expiry,
    Grouping.STRATEGY: _by_strategy,
    Grouping.TAG: _by_tag,
    Grouping.NONE: lambda _position: ("", ""),
}
