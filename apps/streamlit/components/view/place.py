"""A fragment's place, which the page keeps even if Streamlit never sends the fragment's first contents."""

from __future__ import annotations

import streamlit as st
from streamlit.cursor import LockedCursor
from streamlit.delta_generator import DeltaGenerator


def hold_place() -> DeltaGenerator:
    """Return a place for one fragment, which the fragment's own container will replace.

    When a run of a fragment begins, Streamlit drops the messages of that fragment that it has not sent yet.
    If these were the first to fill a place on the page, whatever follows would be sent to a place that the
    browser does not have, and the page would end with an error. So a container outside the fragment fills
    the place first, and the fragment's own container later replaces it. A container that replaces another
    keeps what is in it; `st.empty`, which would give the same place, removes that for a moment.
    """
    container = st.container()
    cursor, parent = container._cursor, container._parent  # noqa: SLF001 - the place has no public name
    if cursor is None:  # not in a run
        return container
    *parents, index = cursor.parent_path
    root = cursor.root_container
    locked = LockedCursor(root_container=root, parent_path=tuple(parents), index=index)
    return DeltaGenerator(root_container=root, cursor=locked, parent=parent)
