"""All positions in one table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType

from apps.streamlit.components.downloads import OfferedFile, offer_file
from apps.streamlit.components.plain_text import visible
from apps.streamlit.components.positions.table import (
    Grouping,
    TableRows,
    build_table_rows,
    chosen_columns,
    chosen_grouping,
    chosen_row,
    hide_columns,
    legs_csv,
    positions_csv,
    regroup,
    render,
    sent_table,
)
from apps.streamlit.components.positions.table.changes import SentTable
from apps.streamlit.components.positions.table.row_words import MORE
from apps.streamlit.components.view.part import Part
from apps.streamlit.components.view.redraw import redraw_parts
from options_helper.analysis.account.compare import AccountComparison
from options_helper.analysis.fills.by_position import PortfolioFills
from options_helper.analysis.fills.records import FillFact
from options_helper.analysis.fills.words import fill_fact_words
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.tables.view import TablesView
from options_helper.analysis.text.wording import count, format_day
from options_helper.models import Portfolio
from options_helper.session.views import FillsView

TABLE_KEY = "positions-table"


def render_positions(
    view: TablesView,
    risk: LiveRisk,
    fills: FillsView,
    account: AccountComparison | None,
    zone: dt.tzinfo,
    *,
    raised: int,
    stopped: bool,
    now: dt.datetime,
) -> None:
    """Draw the table of positions, structures and legs.

    The title of a hidden tab shows the number of `raised` alerts. Once `stopped`, rows show times, not ages.
    """
    notes = account_notes(fills.portfolio_fills, zone, account.discrepancies if account else {})
    not_held = frozenset() if account is None else account.not_held
    grouping, columns = chosen_grouping(TABLE_KEY), chosen_columns(TABLE_KEY)
    payload = _chosen_rows(view, risk, tuple(notes.items()), not_held, grouping, columns)
    render(
        payload,
        grouping,
        columns,
        key=TABLE_KEY,
        raised=raised,
        stopped=stopped,
        now=now,
        on_select=_show_detail,
    )


def selected_position(portfolio: Portfolio) -> str | None:
    """Return the id of the selected position, None if there is none or the portfolio does not have it."""
    selected = chosen_row(TABLE_KEY)
    return selected if any(position.id == selected for position in portfolio.positions) else None


def _show_detail() -> None:
    redraw_parts([Part.DETAIL])


@lru_cache(maxsize=4)
def _chosen_rows(
    view: TablesView,
    risk: LiveRisk,
    notes: tuple[tuple[str, str], ...],
    not_held: frozenset[str],
    grouping: Grouping,
    columns: frozenset[str],
) -> TableRows:
    """Return the rows of one refresh in groups, shared by all tabs with this grouping and these columns."""
    grouped = regroup(_table_rows(view, risk, notes, not_held), view.portfolio, grouping)
    return hide_columns(grouped, columns)


@lru_cache(maxsize=2)
def _table_rows(
    view: TablesView, risk: LiveRisk, notes: tuple[tuple[str, str], ...], not_held: frozenset[str]
) -> TableRows:
    """Return the rows of one refresh, shared by all tabs."""
    return build_table_rows(
        view.portfolio,
        view.columns[Table.POSITIONS],
        view.columns[Table.STRUCTURES],
        view.columns[Table.LEGS],
        view.columns[Table.UNDERLYINGS],
        dict(notes),
        risk=risk,
        not_held=not_held,
        as_of=view.at.as_of,
        stale_after_seconds=view.stale_after_seconds,
    )


def account_notes(
    fills: PortfolioFills, zone: dt.tzinfo, discrepancies: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return notes from the account by position id: the broker's quantity, option events, today's fills."""
    notes = {name: [words] for name, words in discrepancies.items()}
    for name, events in fills.events.items():
        notes.setdefault(name, []).extend(
            f"{event.words}, {format_day(event.date, with_year=False)}" for event in events
        )
    for name, facts in fills.by_position.items():
        if facts:
            notes.setdefault(name, []).append(_fills_note(facts, zone))
    return {name: visible("; ".join(words)) for name, words in notes.items()}


def _fills_note(facts: Sequence[FillFact], zone: dt.tzinfo) -> str:
    """Return a short line, which leads to the detail's list: the only fill, or the number of fills."""
    if len(facts) == 1 and facts[0].fills == 1 and not facts[0].of_several:
        return f"{fill_fact_words(facts[0], zone)}{MORE}"
    return f"{count(sum(fact.fills for fact in facts), 'fill')} today{MORE}"


def offer_downloads(as_of: dt.datetime, zone: dt.tzinfo) -> None:
    """Offer the table as files; each is written when it is requested, from the newest rows."""
    for name, write in (("Positions", positions_csv), ("Legs", legs_csv)):
        offer_file(
            f"live-csv-{name.lower()}",
            OfferedFile(
                f"{name} as CSV",
                f"{name.lower()}-{as_of.astimezone(zone):%Y-%m-%d}.csv",
                partial(_write_newest, sent_table(TABLE_KEY), write, zone),
            ),
        )


def _write_newest(sent: SentTable, write: Callable[[TableRows, dt.tzinfo], str], zone: dt.tzinfo) -> str:
    return "" if sent.newest is None else write(sent.newest, zone)
