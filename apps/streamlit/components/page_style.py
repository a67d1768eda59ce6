"""The little CSS that Streamlit's own options do not reach; colours stay the theme's."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
  html { font-size: 14px; }
  .stApp { font-variant-numeric: tabular-nums; }
  .stAppHeader { height: 2.8rem; min-height: 2.8rem; background: transparent; }
  .stMainBlockContainer { padding: 3rem 1.4rem 2rem; }
  .stMainBlockContainer > [data-testid="stVerticalBlock"] { gap: .8rem; }

  .st-key-live-head h1 { font-size: 1.45rem; padding: 0; white-space: nowrap; }
  .st-key-live-status [data-testid="stAlertContainer"] { padding: .55rem .9rem; }
  .st-key-live-notes p { font-size: .93rem; opacity: .85; }

  .st-key-live-totals [data-testid="stMetric"] { padding: .7rem 1rem; }
  .st-key-live-totals [data-testid="stMetricValue"] { font-size: 1.5rem; }
  .st-key-live-totals [data-testid="stMetricDelta"] { font-size: .86rem; }

  .oh-panel-title { margin: 0; }
  .oh-panel-title span, .oh-quiet, .oh-details, .oh-time { opacity: .68; }
  .oh-quiet { margin: .4rem 0; }

  .oh-streams, .oh-figures { width: 100%; border-collapse: collapse; font-size: .93rem; }
  .oh-streams :is(td, th), .oh-figures :is(td, th) {
    border: 0; padding: .22rem .3rem; text-align: left; vertical-align: top; font-weight: 400;
  }
  .oh-streams th, .oh-figures thead th { font-weight: 600; }
  .oh-streams .oh-sign { width: 1.1rem; text-align: center; }
  .oh-streams .oh-right { text-align: right; opacity: .68; white-space: nowrap; }
  .oh-running .oh-sign { color: #1a9a5c; }
  .oh-running .oh-word { display: none; }
  .oh-reconnecting .oh-sign, .oh-connecting .oh-sign { color: #c47f00; }
  .oh-error .oh-sign { color: #d9333f; }

  .oh-rows { list-style: none; margin: 0; padding: 0; max-height: 21rem; overflow-y: auto; }
  .oh-rows li {
    display: grid; grid-template-columns: 4.4rem 1fr auto; column-gap: .5rem; padding: .45rem 0; margin: 0;
    border-top: 1px solid rgb(128 128 128 / .22);
  }
  .oh-rows li:first-child { border-top: 0; }
  .oh-rows .oh-what { font-weight: 600; }
  .oh-rows .oh-amount { text-align: right; }
  .oh-rows .oh-details { grid-column: 2 / -1; font-size: .86rem; }
  .oh-rows .oh-leg { border-top: 0; padding: 0 0 .2rem; font-size: .93rem; }
  .oh-rows .oh-leg .oh-what { font-weight: 400; padding-left: .8rem; }
  .oh-rows .oh-leg .oh-details { padding-left: .8rem; }
  .oh-rows .oh-void :is(.oh-what, .oh-amount) { text-decoration: line-through; }
</style>
"""


def apply_page_style() -> None:
    """Set padding, size and tabular figures for a page that is read all day."""
    st.html(_CSS)
