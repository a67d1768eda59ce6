"""What the launcher runs: Streamlit's own server, with a first page that shows its title at once."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[3]))

from apps.streamlit.components.first_paint import first_paint_routes  # noqa: E402 - importable from here on

app = st.App(_HERE.with_name("portal.py"), routes=first_paint_routes())
