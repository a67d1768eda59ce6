"""The server that the launcher runs: Streamlit's, with an immediate title, for this machine only."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[3]))

from apps.streamlit.entry.first_paint import (  # noqa: E402 - importable from here on
    first_paint_documents,
    first_paint_routes,
    read_document,
)
from apps.streamlit.entry.no_lookups import never_look_up_addresses  # noqa: E402 - importable from here on
from apps.streamlit.entry.security_headers import SecurityHeaders  # noqa: E402 - importable from here on
from apps.streamlit.entry.this_machine import ThisMachineOnly  # noqa: E402 - importable from here on
from options_helper.session.hub import close_hub  # noqa: E402 - importable from here on


@asynccontextmanager
async def _close_streams_at_end(_app: st.App) -> AsyncIterator[None]:
    """Close the streams, because after a signal uvicorn ends the process without exit handlers."""
    try:
        yield
    finally:
        await asyncio.to_thread(close_hub)


def _address() -> str:
    """Return where this machine's browser finds the portal."""
    host, port = st.get_option("server.address"), st.get_option("server.port")
    name = "localhost" if host in {None, "", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


never_look_up_addresses()
_documents = first_paint_documents()
app = st.App(
    _HERE.with_name("portal.py"),
    routes=first_paint_routes(_documents),
    middleware=[
        Middleware(SecurityHeaders, documents=[read_document(), *_documents.values()]),
        Middleware(ThisMachineOnly, names=st.get_option("server.allowedHosts"), address=_address()),
    ],
    lifespan=_close_streams_at_end,
)
