"""Download buttons, and the files that parts of the page offer.

Streamlit forgets how to write a button's file as soon as the button is drawn again, so a click on the button
that a busy browser still shows would fail. The buttons are therefore drawn apart from the parts that prices
move. They request a file by its key, and each drawing of a part replaces the function that writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st

Write = Callable[[], str | bytes]
_OFFERED = "live-offered-files"


class _File(NamedTuple):
    """A button's label, the file's name, and the function that returns its newest contents."""

    label: str
    name: str
    write: Write


def render_download(
    label: str,
    write: Write,
    *,
    file_name: str,
    key: str,
    mime: str = "text/csv",
    help: str | None = None,  # noqa: A002 - Streamlit's name for it
) -> None:
    """Draw a download button; the file is written on request, and the page does not run again."""
    st.download_button(
        label,
        data=write,
        file_name=file_name,
        mime=mime,
        icon=":material/download:",
        type="tertiary",
        key=key,
        on_click="ignore",
        help=help,
    )


def offer_file(key: str, label: str, name: str, write: Write) -> None:
    """Offer a file in the row of downloads, or replace the function that returns it."""
    _offered()[key] = _File(label, name, write)


def withdraw_file(key: str) -> None:
    """Stop offering a file."""
    _offered().pop(key, None)


def describe_offers() -> tuple[object, ...]:
    """Return the labels and names of the offered files."""
    return tuple((key, file.label, file.name) for key, file in sorted(_offered().items()))


def render_offers() -> None:
    """Draw a button for each offered file."""
    offered = _offered()
    with st.container(key="live-downloads", horizontal=True, gap="small"):
        for key, file in sorted(offered.items()):
            render_download(file.label, partial(_write, offered, key), file_name=file.name, key=key)


def _write(offered: dict[str, _File], key: str) -> str | bytes:
    return offered[key].write() if key in offered else ""


def _offered() -> dict[str, _File]:
    offered: dict[str, _File] = st.session_state.setdefault(_OFFERED, {})
    return offered
