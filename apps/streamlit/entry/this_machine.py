"""The access control of a portal without a login: only this machine is served, and only its own pages."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from apps.streamlit.entry.plain_page import plain_page, requested_host

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send  # absent without Streamlit

_REFUSED = 1008  # a websocket's close code for a policy violation; before the handshake it becomes a 403
_OTHER_DEVICE = (
    "The portal serves only the computer it runs on",
    "It shows a private account and was started without a login, so other devices are refused.",
)
_OTHER_NAME = (
    "The portal does not answer at this address",
    "It answers only to names of the computer it runs on, so that no other site can impersonate it.",
)


class ThisMachineOnly:
    """ASGI middleware that refuses other devices, foreign host names, and websockets from other pages.

    Args:
        app: The application behind it, which accepts pages from any port.
        names: The host names that it answers to.
        address: The page's address on this machine.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], address: str) -> None:
        self._app, self._names, self._address = app, names, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "websocket" and not (
            _is_from_here(scope) and requested_host(scope) in self._names and _is_own_page(scope)
        ):
            await send({"type": "websocket.close", "code": _REFUSED})
        elif scope["type"] == "http" and not _is_from_here(scope):
            await self._refuse(_OTHER_DEVICE, scope, receive, send)
        elif scope["type"] == "http" and requested_host(scope) not in self._names:
            await self._refuse(_OTHER_NAME, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, words: tuple[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import HTMLResponse  # noqa: PLC0415 - absent without Streamlit

        title, reason = words
        body = f"<p>{reason}</p><p>On that computer, open {escape(self._address)}.</p>"
        await HTMLResponse(plain_page(title, body), status_code=403)(scope, receive, send)


def _is_own_page(scope: Scope) -> bool:
    """Return whether a page of this server opens the websocket, or a program, which sends no Origin."""
    host = dict(scope["headers"]).get(b"host", b"").lower()
    origins = [value.lower() for name, value in scope["headers"] if name == b"origin"]
    return all(origin.partition(b"://")[2] == host for origin in origins)


def _is_from_here(scope: Scope) -> bool:
    """Return whether the other end is this machine: a loopback address, or the one it connected to."""
    client, server = scope.get("client"), scope.get("server")
    if client is None:
        return False
    if server is not None and client[0] == server[0]:
        return True
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
