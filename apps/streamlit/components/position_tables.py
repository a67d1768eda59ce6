"""What is held, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.streamlit.components.positions_table import build_table_rows, render

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.fills_view import FillsView
    from apps.streamlit.components.live_view import LiveView

TABLE_KEY = "positions-table"


def render_positions(view: LiveView, fills: FillsView, zone: dt.tzinfo) -> str | None:
    """Draw the table of positions, structures and legs; returns the id of the selected position."""
    notes = {
        name: "; ".join(fact.sentence(zone) for fact in facts)
        for name, facts in fills.portfolio_fills.by_position.items()
    }
    payload = build_table_rows(
        view.portfolio,
        view.positions,
        view.structures,
        view.legs,
        view.underlyings,
        notes,
        as_of=view.at.as_of,
        stale_after_seconds=view.stale_after_seconds,
    )
    return render(payload, key=TABLE_KEY)
