"""The server that the launcher runs: Streamlit's, with an immediate title and access control."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.middleware import Middleware

_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[3]))

from apps.streamlit.entry.files_route import files_route  # noqa: E402 - importable from here on
from apps.streamlit.entry.first_paint import (  # noqa: E402 - importable from here on
    first_paint_documents,
    first_paint_routes,
    read_document,
)
from apps.streamlit.entry.login import CONTINUE, LoginRequired  # noqa: E402 - importable from here on
from apps.streamlit.entry.logins import Logins  # noqa: E402 - importable from here on
from apps.streamlit.entry.no_lookups import never_look_up_addresses  # noqa: E402 - importable from here on
from apps.streamlit.entry.security_headers import SecurityHeaders  # noqa: E402 - importable from here on
from apps.streamlit.entry.this_machine import ThisMachineOnly  # noqa: E402 - importable from here on
from options_helper.launch.login_link import (  # noqa: E402 - importable from here on
    LOGIN_VARIABLE,
    ORIGIN_VARIABLE,
    PASSWORD_VARIABLE,
)
from options_helper.replay import FILE_VARIABLE  # noqa: E402 - importable from here on
from options_helper.session.hub import close_hub  # noqa: E402 - importable from here on

if TYPE_CHECKING:
    from options_helper.replay.process import Replay


@asynccontextmanager
async def _close_streams_at_end(_app: st.App) -> AsyncIterator[None]:
    """Close the streams, because after a signal uvicorn ends the process without exit handlers."""
    try:
        yield
    finally:
        await asyncio.to_thread(close_hub)
        if _replay is not None:
            await asyncio.to_thread(_replay.stop)


def _start_replay() -> Replay:
    """Start the replay before anything reads the time or the environment."""
    from options_helper.launch.launcher import PORTFOLIO_VARIABLE  # noqa: PLC0415 - only for a replay
    from options_helper.replay.process import start_replay  # noqa: PLC0415 - the same

    return start_replay(os.environ, Path(os.environ[PORTFOLIO_VARIABLE]))


def _address() -> str:
    """Return the portal's address for a browser on this machine."""
    host, port = st.get_option("server.address"), st.get_option("server.port")
    name = "localhost" if host in {None, "", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"


def _guard() -> Middleware:
    """Return the middleware that controls access: by login, or for this machine only."""
    names = st.get_option("server.allowedHosts")
    # Removed from the environment, so that no child process inherits them.
    tokens, password = (os.environ.pop(name, "") for name in (LOGIN_VARIABLE, PASSWORD_VARIABLE))
    origin = os.environ.pop(ORIGIN_VARIABLE, "")
    if not tokens:
        return Middleware(ThisMachineOnly, names=names, address=_address())
    return Middleware(
        LoginRequired,
        logins=Logins(tokens.split(","), password),
        names=names,
        base=_base,
        origin=origin,
        # Browsers share cookies among the ports of a host.
        cookie=f"options_helper_{st.get_option('server.port')}",
    )


never_look_up_addresses()
_replay = _start_replay() if FILE_VARIABLE in os.environ else None
_base = f"/{st.get_option('server.baseUrlPath').strip('/')}/".replace("//", "/")
_documents = first_paint_documents(_base)
app = st.App(
    _HERE.with_name("portal.py"),
    routes=[*first_paint_routes(_documents), files_route(_base)],
    middleware=[
        Middleware(SecurityHeaders, documents=[read_document(), *_documents.values(), CONTINUE]),
        _guard(),
    ],
    lifespan=_close_streams_at_end,
)
