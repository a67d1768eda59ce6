"""A request from elsewhere on the page to select a row of the positions table and scroll to it."""

from __future__ import annotations

import time
from typing import TypedDict

import streamlit as st

from apps.streamlit.components.view.redraw import redraw_all

_KEY = "positions-table-reveal"


class Reveal(TypedDict):
    """The row, and a number that grows with every request, even from session to session.

    Attributes:
        id: A position.
        group: The group that is meant instead, if the table has it.
    """

    id: str
    group: str | None
    number: int


def reveal_row(position_id: str, group: str | None = None) -> None:
    """Request that the browser scroll to a group, or select a position and scroll to it; for a callback."""
    before, now = requested_row(), time.time_ns() // 1_000_000
    number = max(now, before["number"] + 1) if before else now
    st.session_state[_KEY] = Reveal(id=position_id, group=group, number=number)
    redraw_all()


def requested_row() -> Reveal | None:
    """Return this session's newest request, or None."""
    request: Reveal | None = st.session_state.get(_KEY)
    return request
