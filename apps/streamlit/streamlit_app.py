"""The portal: `streamlit run` starts here. A new page is one more line in `PAGES`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

# A checkout and an installed wheel hold the same tree `apps/streamlit`; its parent makes the one spelling
# `apps.streamlit.components…` importable from both.
_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

from apps.streamlit.components.inputs.session import open_portal  # noqa: E402 - importable only from here on

_PAGES = Path(__file__).resolve().parent / "pages"

PAGES = [
    st.Page(_PAGES / "00_Home.py", title="Home", url_path="home", default=True),
    st.Page(_PAGES / "12_Live_Portfolio.py", title="Live Portfolio", url_path="Live_Portfolio"),
]

open_portal()
st.navigation(PAGES).run()
