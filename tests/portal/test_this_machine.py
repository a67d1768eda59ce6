"""Only this machine is served; others get a sentence instead of a blank page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")
pytest.importorskip("starlette", reason="the portal's server")

from apps.streamlit.entry.this_machine import ThisMachineOnly

NAMES = ("localhost", "127.0.0.1")


def ask(
    kind: str = "http", *, client: Any, host: bytes = b"localhost:8501", origins: Sequence[bytes] = ()
) -> list[dict[str, Any]]:
    """Return what the server sends to one connection; the application behind says "inside"."""
    sent: list[dict[str, Any]] = []

    async def inside(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "inside"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"host", host), *((b"origin", origin) for origin in origins)],
        "client": client,
        "server": ("192.168.1.5", 8501),
    }
    asyncio.run(ThisMachineOnly(inside, NAMES, "http://localhost:8501")(scope, receive, send))
    return sent


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "192.168.1.5"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_this_machine_is_served(address: str, kind: str) -> None:
    """A client at a loopback address is served, and so is one at the machine's own address."""
    assert ask(kind, client=(address, 5)) == [{"type": "inside"}]


@pytest.mark.parametrize(
    "client", [("192.168.1.7", 5), ("fe80::1%eth0", 5), ("::ffff:10.0.0.1", 5), ("x", 5), None], ids=repr
)
def test_another_device_gets_a_sentence(client: Any) -> None:
    """A false Host header does not help, and no websocket is opened."""
    start, body = ask(client=client)
    assert start["status"] == 403
    assert b"serves only the computer it runs on" in body["body"]
    assert b"http://localhost:8501" in body["body"]
    assert ask("websocket", client=client) == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("host", [b"evil.example", b"127.0.0.1.evil.example", b"", b"[::", b"a@localhost"])
def test_a_foreign_name_gets_a_sentence(host: bytes) -> None:
    """The sentence does not repeat the name."""
    start, body = ask(client=("127.0.0.1", 5), host=host)
    assert start["status"] == 403
    assert b"does not answer at this address" in body["body"]
    assert b"evil" not in body["body"]
    refused = [{"type": "websocket.close", "code": 1008}]
    assert ask("websocket", client=("127.0.0.1", 5), host=host) == refused


OWN = b"http://localhost:8501"


@pytest.mark.parametrize(
    ("origins", "is_served"),
    [
        ((), True),
        ((OWN,), True),
        ((b"HTTPS://LOCALHOST:8501",), True),
        ((b"http://localhost:3000",), False),
        ((b"http://127.0.0.1:8501",), False),
        ((b"http://localhost",), False),
        ((OWN + b", http://evil.example",), False),
        ((OWN, b"http://evil.example"), False),
        ((OWN + b"@evil.example",), False),
        ((b"null",), False),
        ((b"",), False),
    ],
)
def test_no_other_page_opens_a_websocket(origins: Sequence[bytes], is_served: bool) -> None:
    """A page from another port gets no websocket, or it could read the account and press Start."""
    answer = ask("websocket", client=("127.0.0.1", 5), origins=origins)
    assert (answer == [{"type": "inside"}]) is is_served


def test_the_servers_own_requests_pass() -> None:
    """Events other than connections are passed on unchanged."""
    assert ask("lifespan", client=None) == [{"type": "inside"}]
