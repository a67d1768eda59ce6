"""The login that every visitor needs if other devices can reach the server."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from apps.streamlit.entry.logins import COOKIE_SECONDS, Logins, WrongTries
from apps.streamlit.entry.plain_page import plain_page, requested_host

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send  # absent without Streamlit

_REFUSED = 1008  # a websocket's close code for a policy violation; before the handshake it becomes a 403
_MOST_BYTES = 4096
_FORM = (
    '<form method="post" action="?"><label>Password<br><input name="password" type="password" required'
    ' autofocus autocomplete="current-password"></label> <button>Log in</button></form>'
)
# A link preview, such as a messenger's, fetches the link but submits no form, and so does not use it up.
CONTINUE = (
    '<form method="post"><button autofocus>Log in on this device</button></form>'
    "<script>document.forms[0].submit()</script>"
)
_NO_STORE = {"Cache-Control": "no-store"}


class LoginRequired:
    """ASGI middleware that serves `/login`, and every other route and websocket only after a login.

    Args:
        app: The application behind it.
        logins: Tokens, password and cookies.
        names: The host names that the server answers to; "*" adds the address that a connection was made to.
        base: The path below which the portal is served, "/" or "/options/".
        origin: A proxy's scheme, host and port, "://" if there is none.
        cookie: The cookie's name.
    """

    def __init__(
        self, app: ASGIApp, *, logins: Logins, names: Collection[str], base: str, origin: str, cookie: str
    ) -> None:
        self._app, self._logins, self._names = app, logins, names
        self._base, self._origin, self._cookie = base, origin, cookie
        self._wrong = WrongTries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        from starlette.requests import (  # noqa: PLC0415 - absent without Streamlit
            ClientDisconnect,
            HTTPConnection,
            Request,
        )

        connection = HTTPConnection(scope)
        is_known = self._is_known(connection)
        logged_in = is_known and self._logins.accepts(connection.cookies.get(self._cookie, ""))
        if logged_in and scope["path"] != self._login_path:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED})
        elif not is_known:
            await _page(403, "The portal does not answer at this address")(scope, receive, send)
        else:
            with contextlib.suppress(ClientDisconnect):  # nobody waits for the answer any more
                answer = await self._answer(Request(scope, receive), logged_in=logged_in)
                await answer(scope, receive, send)

    @property
    def _login_path(self) -> str:
        return f"{self._base}login"

    def _is_known(self, connection: HTTPConnection) -> bool:
        """Return whether a request names this server and comes from no pages but its own."""
        host = requested_host(connection.scope)
        own = {connection.headers.get("host"), self._origin.partition("://")[2]} - {"", None}
        if any(value.partition("://")[2] not in own for value in connection.headers.getlist("origin")):
            return False
        if "*" in self._names and host == _own_address(connection.scope):
            return True
        return host in self._names and host != "*"

    async def _answer(self, request: Request, *, logged_in: bool) -> Response:
        from starlette.responses import PlainTextResponse, RedirectResponse  # noqa: PLC0415 - as above

        if logged_in:
            return RedirectResponse(self._base, 303, _NO_STORE)
        if request.url.path == self._login_path and request.method in {"GET", "HEAD", "POST"}:
            return await self._log_in(request)
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(self._login_path, 303, _NO_STORE)
        return PlainTextResponse("Log in first.", 401, _NO_STORE)

    async def _log_in(self, request: Request) -> Response:
        client = request.client.host if request.client else ""
        posted = request.method == "POST"
        token = request.query_params.get("token")
        if request.method == "HEAD" or (not posted and token is None):
            return self._ask("")
        # A link is too long to guess, so wrong links are not counted, and nobody can block a login with them.
        if token is not None and not (self._logins.spend(token) if posted else self._logins.has(token)):
            return self._ask("This link is wrong or was already used.", 401)
        if token is not None:
            return self._welcome(request) if posted else _page(200, "Log in", CONTINUE)
        password = await _read_password(request)
        # No await from here on; otherwise requests that wait for their bodies would pass the limit together.
        seconds = self._wrong.seconds_to_wait(client)
        if seconds:
            words = f"Too many wrong passwords. Try again in {seconds} s."
            return self._ask(words, 429, {"Retry-After": str(seconds)})
        if self._logins.is_password(password):
            return self._welcome(request)
        self._wrong.add(client)
        return self._ask("Wrong password.", 401)

    def _ask(self, words: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        link = "Open a login link: the terminal shows one when the portal starts, and each works once."
        body = f"<p role='alert'>{words}</p>" * bool(words) + f"<p>{link}</p>"
        return _page(status, "Log in", body + _FORM * self._logins.has_password, headers)

    def _welcome(self, request: Request) -> Response:
        # A redirect would still count as coming from the site with the link, and lack the strict cookie.
        answer = _page(200, "Logged in", f'<meta http-equiv="refresh" content="0;url={self._base}">')
        answer.set_cookie(
            self._cookie,
            self._logins.new_cookie(),
            max_age=COOKIE_SECONDS,
            path=self._base,
            secure=self._is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    def _is_encrypted(self, request: Request) -> bool:
        """Return whether the browser uses TLS, to this server or to the proxy at `origin`."""
        scheme, _, host = self._origin.partition("://")
        return "https" in {request.url.scheme, scheme if request.headers.get("host") == host else ""}


def _page(status: int, title: str, body: str = "", headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import HTMLResponse  # noqa: PLC0415 - absent without Streamlit

    return HTMLResponse(plain_page(title, body), status, {**_NO_STORE, **(headers or {})})


async def _read_password(request: Request) -> str:
    """Return the form's password, or "" if the form is too long or has none."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            return ""
    return parse_qs(content.decode(errors="replace")).get("password", [""])[0]


def _own_address(scope: Scope) -> str:
    """Return the local address that the connection was made to, or ""."""
    server = scope.get("server") or ("",)
    try:
        address = ip_address(server[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
