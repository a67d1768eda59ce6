"""Links that download files which parts of the page offer.

Streamlit's own download button fails now and then on a page that refreshes by itself: it forgets how to write
a file as soon as the button is drawn again, and deletes a written file after the next two refreshes of any
tab, which may be sooner than a busy browser asks for it. A link requests the file by its session's token and
its key instead, and gets what the function that was offered last returns. Only the launcher's server answers
such requests; a page of `streamlit run` has no links.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote
from weakref import WeakValueDictionary

import streamlit as st

from apps.streamlit.components.plain_text import in_html

Write = Callable[[], str | bytes]

FILES_PATH = "files"
_OFFERED = "live-offered-files"
_served_below: str | None = None


class OfferedFile(NamedTuple):
    """A file that is written when somebody asks for it.

    Attributes:
        label: The link's text.
        name: The file's name.
        write: Returns the newest contents; called in a thread of the server.
        mime: The contents' media type.
        hint: Shown beside the pointer.
    """

    label: str
    name: str
    write: Write
    mime: str = "text/csv"
    hint: str = ""


class _Offers:
    """One session's files: those of the row of downloads, and others by their own links."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.in_row: dict[str, OfferedFile] = {}
        self.elsewhere: dict[str, OfferedFile] = {}


def serve_below(base: str) -> None:
    """Draw links from now on, to files below the portal's path, such as "/"."""
    global _served_below  # noqa: PLW0603 - one server in the process
    _served_below = base


# The sessions hold their offers, which are forgotten with them.
_offers_by_token: WeakValueDictionary[str, _Offers] = WeakValueDictionary()


def offer_file(key: str, file: OfferedFile) -> None:
    """Offer a file in the row of downloads, or replace it."""
    _offers().in_row[key] = file


def withdraw_file(key: str) -> None:
    """Stop offering a file in the row."""
    _offers().in_row.pop(key, None)


def describe_offers() -> tuple[object, ...]:
    """Return the labels and names of the files in the row."""
    return tuple((key, file.label, file.name) for key, file in sorted(_offers().in_row.items()))


def render_offers() -> None:
    """Draw the row of downloads."""
    offers = _offers()
    with st.container(key="live-downloads", horizontal=True, gap="small"):
        for key, file in sorted(offers.in_row.items()):
            _draw_link(offers.token, key, file)


def render_download(key: str, file: OfferedFile) -> None:
    """Offer a file by its own link, and draw the link."""
    offers = _offers()
    offers.elsewhere[key] = file
    _draw_link(offers.token, key, file)


def find_file(token: str, key: str) -> OfferedFile | None:
    """Return the file that a session offers under this key; thread-safe."""
    offers = _offers_by_token.get(token)
    return None if offers is None else offers.in_row.get(key) or offers.elsewhere.get(key)


def _draw_link(token: str, key: str, file: OfferedFile) -> None:
    if _served_below is None:
        return
    path = f"{_served_below}{FILES_PATH}/{token}/{quote(key, safe='')}"
    hint = f' title="{in_html(file.hint)}"' if file.hint else ""
    link = f'<a class="oh-download" href="{path}" download{hint}>{in_html(file.label)}</a>'
    st.html(link, width="content")


def _offers() -> _Offers:
    offers: _Offers | None = st.session_state.get(_OFFERED)
    if offers is None:
        offers = st.session_state[_OFFERED] = _Offers()
        _offers_by_token[offers.token] = offers
    return offers
