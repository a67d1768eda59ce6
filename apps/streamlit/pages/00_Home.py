"""Home: an introduction, links, and a check for keys and a portfolio file."""

from __future__ import annotations

import streamlit as st

from apps.streamlit.components.layout.disclaimer import ICON
from apps.streamlit.components.layout.home_page import render_home

st.set_page_config(page_title="Options Helper", page_icon=ICON, layout="centered")
render_home()
