"""What the launcher runs: Streamlit's own server, with a first page that shows its title at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from streamlit import net_util

_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[3]))

from apps.streamlit.entry.first_paint import first_paint_routes  # noqa: E402 - importable from here on
from options_helper.session.hub import close_hub  # noqa: E402 - likewise

# Streamlit asks an outside service for this machine's address as soon as a foreign origin knocks.
net_util.get_external_ip = lambda: None


@asynccontextmanager
async def _close_streams_at_end(_app: st.App) -> AsyncIterator[None]:
    """Alpaca is told goodbye; after a signal uvicorn ends the process without Python's exit handlers."""
    try:
        yield
    finally:
        await asyncio.to_thread(close_hub)


app = st.App(_HERE.with_name("portal.py"), routes=first_paint_routes(), lifespan=_close_streams_at_end)
