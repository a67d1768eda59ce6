"""The widget: the parts under `assets/` joined to one module, mounted with Streamlit's components v2.

The figures travel as arrays, the ages as times: the browser counts the seconds, so that an unchanged
snapshot sends the same bytes and Streamlit then sends only their hash.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from options_helper.times import to_microseconds, utc_now

if TYPE_CHECKING:
    from apps.streamlit.components.positions.table.rows import TablePayload

_ASSETS = Path(__file__).parent / "assets"
_HTML = '<div class="positions-table"></div>'


def read_script() -> str:
    """Return the widget's one JavaScript module: the numbered parts in order, in a shared scope."""
    return "\n".join(part.read_text(encoding="utf-8") for part in sorted(_ASSETS.glob("*.js")))


def read_styles() -> str:
    """The widget's style sheet; every selector begins with its own class."""
    return (_ASSETS / "table.css").read_text(encoding="utf-8")


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit gives the mounting command a type of its own
    # In the page's own DOM, not a shadow root: what the page says is then found by the browser's search, by
    # assistive tools and by tests.
    return st.components.v2.component(
        "options_helper_positions", html=_HTML, css=read_styles(), js=read_script(), isolate_styles=False
    )


def render(rows_payload: TablePayload, *, key: str, raised: int) -> str | None:
    """Draw the positions table and return the selected position.

    The keyed containers `live-positions`, `live-structures` and `live-legs` nest around it, because one
    table shows all three.

    Args:
        rows_payload: The result of `build_table_rows`.
        key: The widget's key; the browser keeps columns, sort, open rows and selection under it.
        raised: Unacknowledged raised alerts; the title of a hidden tab carries their number.

    Returns:
        The selected position's id, or None if none is selected or it is not in the payload.
    """
    data = {**rows_payload, "storage": key, "raised": raised}
    data["sent_at"] = _sent_at(key, data)
    with (
        st.container(key="live-positions"),
        st.container(key="live-structures"),
        st.container(key="live-legs"),
    ):
        result = _component()(key=key, data=data, on_selected_change=_nothing)
    selected: str | None = result.get("selected")
    return selected if selected in rows_payload["ids"] else None


def _sent_at(key: str, data: dict[str, Any]) -> int:
    """Return when this session first sent this data, in milliseconds; the browser counts ages from it.

    The same data keeps its time, so that Streamlit sends a hash instead of the data.
    """
    last = st.session_state.get(f"{key}-sent")
    if last is None or last[0] != data:
        last = st.session_state[f"{key}-sent"] = (dict(data), to_microseconds(utc_now()) // 1000)
    sent: int = last[1]
    return sent


def _nothing() -> None:
    """Do nothing; Streamlit keeps a state value only if it has a callback."""
