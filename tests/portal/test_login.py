"""On a portal that other devices can reach, nothing but the login is served without a login."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")
pytest.importorskip("starlette", reason="the portal's server")

from starlette.routing import BaseRoute, Mount
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from apps.streamlit.components.downloads import FILES_PATH
from apps.streamlit.entry.first_paint import first_paint_documents
from apps.streamlit.entry.login import LoginRequired
from apps.streamlit.entry.logins import COOKIE_SECONDS, WRONG_PASSWORDS_OF_ALL, Logins, WrongTries

HOST = "192.168.1.5:8501"
PASSWORD = "correct horse"  # noqa: S105 - of this test


class Clock:
    """A clock that the test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """The middleware in front of an application that says "inside", and one client."""

    def __init__(
        self, *, password: str = PASSWORD, base: str = "/", names: tuple[str, ...] = ("*", "desk.example")
    ) -> None:
        self.clock = Clock()
        self.logins = Logins(["first", "second", "third"], password, self.clock)
        self.door = LoginRequired(
            self._inside,
            logins=self.logins,
            names=names,
            base=base,
            origin="https://desk.example",
            cookie="oh",
        )
        self.door._wrong = WrongTries(self.clock)
        self.client: tuple[str, int] = ("192.168.1.9", 5)
        self.cookies: dict[str, str] = {}

    async def _inside(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Return the answer to one request with this client's cookies."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._with_server, client=self.client)
            base_url = more.pop("base_url", f"http://{HOST}")
            async with httpx.AsyncClient(
                transport=transport, base_url=base_url, cookies=self.cookies
            ) as client:
                return await client.request(method, path, **more)

        answer = asyncio.run(ask())
        self.cookies |= dict(answer.cookies)
        return answer

    async def _with_server(self, scope: Any, receive: Any, send: Any) -> None:
        await self.door({**scope, "server": ("192.168.1.5", 8501)}, receive, send)

    def upgrade(self, **headers: str) -> str:
        """Return what a websocket gets: "websocket.accept" or "websocket.close"."""
        sent: list[dict[str, Any]] = []
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        words = {"host": HOST, "cookie": cookie, **headers}
        scope = {
            "type": "websocket",
            "path": "/_stcore/stream",
            "query_string": b"",
            "scheme": "ws",
            "headers": [(name.encode(), value.encode()) for name, value in words.items()],
            "client": self.client,
            "server": ("192.168.1.5", 8501),
        }

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.door(scope, MagicMock(), send))
        return str(sent[0]["type"])


@pytest.fixture
def door() -> Door:
    """Return a portal that other devices can reach, with a client on one of them."""
    return Door()


def _paths(routes: list[BaseRoute], before: str = "") -> Iterator[str]:
    for route in routes:
        path = before + str(getattr(route, "path", "")).replace("{", "").replace("}", "").replace(":path", "")
        yield path or "/"
        if isinstance(route, Mount):
            yield from _paths(list(route.routes), path)


def every_path() -> list[str]:
    """Return each route of Streamlit's server and of the portal, with each parameter's name as its value."""
    own = [*first_paint_documents(), f"/{FILES_PATH}/token/key"]
    return [*dict.fromkeys([*_paths(create_streamlit_routes(MagicMock())), *own])]


@pytest.mark.parametrize("origin", ["null", "file://", "", "http://[", "http://evil.example"])
def test_no_other_origin_counts_as_this_page(door: Door, origin: str) -> None:
    """The Origin of a sandboxed frame, a file or a foreign page is refused, with and without the cookie."""
    assert (
        door.ask("/login", "POST", headers={"origin": origin}, data={"password": PASSWORD}).status_code == 403
    )
    assert door.ask("/login?token=second", "POST").status_code == 200
    assert door.ask("/x", headers={"origin": origin}).status_code == 403
    assert door.upgrade(origin=origin) == "websocket.close"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_every_route_is_behind_the_login(door: Door, method: str) -> None:
    """Every existing or unknown route is refused without the cookie and served with it."""
    paths = every_path()
    assert {"/_stcore/health", "/_stcore/stream", "/Live_Portfolio"} <= set(paths)
    odd = ["/login/", "/login/../", "//login", "/LOGIN", "/login%2f..", "/%6cogin/x", "/anything"]
    for path in [*paths, *odd]:
        assert door.ask(path, method).status_code == 401, path
        assert door.ask(path, "GET", headers={"accept": "text/html"}).headers["location"] == "/login"
    door.ask("/login?token=first", "POST")
    for path in paths:
        assert door.ask(path, method).status_code == 200, path


def test_a_link_works_once(door: Door) -> None:
    """A link gives a strict cookie that scripts cannot read, opens the page, and is then used up."""
    for method in ("HEAD", "GET"):  # a preview fetches the link, but sends no form, and spends nothing
        asked = door.ask("/login?token=first", method)
        assert (asked.status_code, asked.headers.get("set-cookie")) == (200, None)
    assert "Log in on this device" in asked.text
    answer = door.ask("/login?token=first", "POST")
    assert answer.status_code == 200
    assert 'content="0;url=/"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    words = set(answer.headers["set-cookie"].lower().split("; ")[1:])
    assert words == {"httponly", f"max-age={COOKIE_SECONDS}", "path=/", "samesite=strict"}
    assert door.ask("/x").text == "inside"
    door.cookies.clear()
    for method in ("GET", "POST"):
        assert door.ask("/login?token=first", method).status_code == 401
    assert door.ask("/login?token=second", "POST").status_code == 200


def test_the_cookie_is_secure_under_tls(door: Door) -> None:
    """Over TLS, or behind an https proxy, the cookie is never sent unencrypted."""
    for token, url, is_secure in (
        ("first", f"https://{HOST}", True),
        ("second", f"http://{HOST}", False),
        ("third", "http://desk.example", True),
    ):
        door.cookies.clear()
        answer = door.ask(f"/login?token={token}", "POST", base_url=url)
        assert ("secure" in answer.headers["set-cookie"].lower()) == is_secure, url


def test_a_password_is_an_alternative(door: Door) -> None:
    """The password works repeatedly, with any letters; an empty one never works."""
    assert 'type="password"' in door.ask("/login").text
    for wrong in ("", "wrong", PASSWORD + "x"):
        assert door.ask("/login", "POST", data={"password": wrong}).status_code == 401
    assert door.ask("/x").status_code == 401
    assert door.ask("/login", "POST", data={"password": PASSWORD}).status_code == 200
    assert door.ask("/x").text == "inside"
    for password in ("", "pässwort €"):
        other = Door(password=password)
        assert other.ask("/login", "POST", data={"password": password}).status_code == (
            200 if password else 401
        )


def test_without_a_password_there_is_no_form() -> None:
    """The page says how to log in, and a posted password is wrong."""
    door = Door(password="")
    assert "<form" not in door.ask("/login").text
    assert "the terminal shows one" in door.ask("/login").text
    assert door.ask("/login", "POST", data={"password": "x"}).status_code == 401


def test_an_overlong_form_is_rejected(door: Door) -> None:
    """No more of a request's body is read than the longest password needs."""
    assert door.ask("/login", "POST", content=b"password=" + b"x" * 100_000).status_code == 401


def test_a_truncated_password_is_not_an_error(door: Door) -> None:
    """A client that leaves before its password has arrived gets no answer, and nothing is logged."""
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    for _ in range(5):
        scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "scheme": "http"}
        more = {"headers": [(b"host", HOST.encode())], "client": door.client}
        asyncio.run(door._with_server({**scope, **more}, receive, send))
    assert sent == []
    assert door.ask("/login", "POST", data={"password": "wrong"}).status_code == 401


@pytest.mark.parametrize("kind", ["other key", "later end", "no signature", "no number", "old"])
def test_a_forged_or_old_cookie_is_refused(door: Door, kind: str) -> None:
    """Only a cookie that this process signed counts, and only until it expires."""
    cookie = door.logins.new_cookie()
    end, nonce, signature = cookie.split(".")
    if kind == "old":
        door.clock.now += COOKIE_SECONDS + 1
    door.cookies["oh"] = {
        "other key": Logins([], "", door.clock).new_cookie(),
        "later end": f"{int(end) + 1}.{nonce}.{signature}",
        "no signature": f"{end}.{nonce}.",
        "no number": "x",
        "old": cookie,
    }[kind]
    assert door.ask("/x").status_code == 401
    assert door.upgrade() == "websocket.close"


def test_five_wrong_passwords_wait(door: Door) -> None:
    """The sixth attempt within a minute waits, right or wrong; other clients and links do not."""
    for _ in range(5):
        door.clock.now += 1
        assert door.ask("/login?token=wrong").status_code == 401
        assert door.ask("/login", "POST", data={"password": "wrong"}).status_code == 401
    answer = door.ask("/login", "POST", data={"password": PASSWORD})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "57"
    assert "Try again in 57 s" in answer.text
    assert door.ask("/login?token=second", "POST").status_code == 200, "nobody can lock out the owner's link"
    door.client, door.cookies = ("192.168.1.10", 5), {}
    assert door.ask("/login", "POST", data={"password": PASSWORD}).status_code == 200
    door.client, door.cookies = ("192.168.1.9", 5), {}
    door.clock.now += 56.5
    assert door.ask("/login", "POST", data={"password": PASSWORD}).status_code == 200


def test_passwords_tried_at_once_wait_too(door: Door) -> None:
    """Requests that send their passwords late do not all get past the limit together."""

    async def statuses() -> list[int]:
        asked = asyncio.Barrier(50)

        async def late() -> AsyncIterator[bytes]:
            await asked.wait()
            yield b"password=wrong"

        transport = httpx.ASGITransport(app=door._with_server, client=door.client)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            answers = await asyncio.gather(*(client.post("/login", content=late()) for _ in range(50)))
        return [answer.status_code for answer in answers]

    found = asyncio.run(statuses())
    assert (found.count(401), found.count(429)) == (5, 45)


def test_many_addresses_do_not_help() -> None:
    """One IPv6 network is one client, and all passwords wait after thirty wrong ones."""
    clock = Clock()
    wrong = WrongTries(clock)
    for last in range(5):
        wrong.add(f"2001:db8::{last}%eth0")
    assert wrong.seconds_to_wait("2001:db8::99") == 61
    for last in range(WRONG_PASSWORDS_OF_ALL):
        wrong.add(f"10.0.0.{last}")
    assert wrong.seconds_to_wait("10.9.9.9") == 61
    clock.now += 61
    assert wrong.seconds_to_wait("2001:db8::99") == 0


def test_the_websocket_is_behind_the_login(door: Door) -> None:
    """Without the cookie, a websocket is closed before it opens; even with it, a foreign page opens none."""
    assert door.upgrade() == "websocket.close"
    door.ask("/login?token=first", "POST")
    assert door.upgrade() == "websocket.accept"
    assert door.upgrade(origin=f"http://{HOST}") == "websocket.accept"
    assert door.upgrade(origin="https://desk.example") == "websocket.accept"
    for origin in ("http://evil.example", "null", "http://192.168.1.5:9999", ""):
        assert door.upgrade(origin=origin) == "websocket.close"
    for host in ("evil.example", "192.168.1.6:8501", "[::", "a@192.168.1.5:8501x"):
        assert door.upgrade(host=host) == "websocket.close"


@pytest.mark.parametrize("names", [("*",), ("localhost",)])
def test_only_the_launchers_names_are_answered(names: tuple[str, ...]) -> None:
    """A foreign name or page is refused, even with the cookie; "*" adds only the address of the request."""
    door = Door(names=names)
    door.cookies["oh"] = door.logins.new_cookie()
    own = door.ask("/x").status_code
    assert own == (200 if names == ("*",) else 403)
    for host in ("evil.example", "*"):
        assert door.ask("/x", headers={"host": host}).status_code == 403
    assert door.ask("/login?token=first", "POST", base_url="http://evil.example").status_code == 403
    assert door.ask("/x", "POST", headers={"origin": "http://evil.example"}).status_code == 403
    assert door.logins.spend("first")


def test_everything_moves_below_a_proxys_path() -> None:
    """Login, cookie and redirects stay below the path."""
    door = Door(base="/options/")
    assert door.ask("/login?token=first", "POST").status_code == 401
    assert door.ask("/", headers={"accept": "text/html"}).headers["location"] == "/options/login"
    answer = door.ask("/options/login?token=first", "POST")
    assert "path=/options/" in answer.headers["set-cookie"].lower()
    assert 'content="0;url=/options/"' in answer.text
    assert door.ask("/options/login").headers["location"] == "/options/"


def test_the_servers_own_requests_pass(door: Door) -> None:
    """Events other than connections are passed on unchanged."""
    sent: list[Any] = []

    async def inside(scope: Any, _receive: Any, _send: Any) -> None:
        sent.append(scope["type"])

    door.door._app = inside
    asyncio.run(door.door({"type": "lifespan"}, MagicMock(), MagicMock()))
    assert sent == ["lifespan"]
