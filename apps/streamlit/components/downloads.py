"""The download button that all panels use."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def render_download(
    label: str,
    write: Callable[[], str | bytes],
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
