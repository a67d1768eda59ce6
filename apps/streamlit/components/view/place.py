"""A fragment's place, which the page keeps even if Streamlit never sends the fragment's first contents."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import streamlit as st

_SENT, _KNOWN = "places-sent", "places-known"


def hold_place(fragment: str) -> AbstractContextManager[object]:
    """Return a place for this fragment, which the fragment's own container will replace.

    When a run of a fragment begins, Streamlit drops the messages of that fragment that it has not sent yet.
    If these were the first to fill a place on the page, whatever follows would be sent to a place that the
    browser does not have, and the page would end with an error. So a container outside the fragment fills
    the place first, and the fragment's own container later replaces it. A place that the browser has stays
    as it is, because to fill it again would remove the elements in it for a moment.
    """
    if fragment in st.session_state.get(_KNOWN, ()):
        return nullcontext()
    st.session_state.setdefault(_SENT, set()).add(fragment)
    place = st.empty()
    place.container()
    return place


def note_places() -> None:
    """Record that the browser has the places sent so far, because it has answered since."""
    st.session_state.setdefault(_KNOWN, set()).update(st.session_state.get(_SENT, ()))
