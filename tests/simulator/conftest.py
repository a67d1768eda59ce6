"""A plain websocket and HTTP client for the simulator's tests; it shares no code with the product."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import msgpack

from options_helper.simulator.server import AlpacaSimulator

PATIENCE_SECONDS = 10.0
HEADERS = {"APCA-API-KEY-ID": "demo", "APCA-API-SECRET-KEY": "demo"}


class Line:
    """One websocket of a test: msgpack in binary frames, JSON in text frames, or JSON out and binary in."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, codec: str) -> None:
        self.socket = socket
        self.codec = codec

    async def say(self, message: Any) -> None:
        """Send one message."""
        if self.codec == "msgpack":
            await self.socket.send_bytes(msgpack.packb(message))
        else:
            await self.socket.send_str(json.dumps(message))

    async def hear(self) -> Any:
        """Return the next message, or the websocket message itself if the connection ends."""
        message = await self.socket.receive(timeout=PATIENCE_SECONDS)
        if message.type is aiohttp.WSMsgType.BINARY and self.codec == "msgpack":
            return msgpack.unpackb(message.data)
        if message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}:
            return json.loads(message.data)
        return message

    async def ask(self, message: Any) -> Any:
        """Send one message and return the next one received."""
        await self.say(message)
        return await self.hear()

    async def log_in(self, key: str = "demo", secret: str = "demo") -> Any:  # noqa: S107
        """Authenticate on a data stream."""
        return await self.ask({"action": "auth", "key": key, "secret": secret})

    async def subscribe(self, **channels: list[str]) -> Any:
        """Subscribe on a data stream."""
        return await self.ask({"action": "subscribe", **channels})

    async def authenticate(self, key: str = "demo", secret: str = "demo") -> Any:  # noqa: S107
        """Authenticate on the trading stream."""
        return await self.ask({"action": "authenticate", "data": {"key_id": key, "secret_key": secret}})

    async def listen(self) -> Any:
        """Listen on the trading stream."""
        return await self.ask({"action": "listen", "data": {"streams": ["trade_updates"]}})


class Phone:
    """A client of a simulator: `dial` a stream, `get` a REST path."""

    def __init__(self, simulator: AlpacaSimulator) -> None:
        self.simulator = simulator

    @contextlib.asynccontextmanager
    async def dial(
        self,
        path: str,
        *,
        codec: str = "msgpack",
        headers: dict[str, str] | None = None,
        autoping: bool = True,
    ) -> AsyncIterator[Line]:
        """Open a stream and close it afterwards."""
        kind = {"Content-Type": "application/msgpack"} if codec == "msgpack" else {}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                self.simulator.stream_url + path,
                headers=kind | (headers or {}),
                timeout=_CLOSE,
                autoping=autoping,
            ) as socket,
        ):
            yield Line(socket, codec)

    @contextlib.asynccontextmanager
    async def options(self, *symbols: str, feed: str = "indicative") -> AsyncIterator[Line]:
        """Yield the option stream, logged in and subscribed to quotes and trades."""
        async with self.dial(f"/v1beta1/{feed}") as line:
            await line.hear()
            await line.log_in()
            await line.subscribe(quotes=list(symbols), trades=list(symbols))
            yield line

    @contextlib.asynccontextmanager
    async def stocks(self, *symbols: str, codec: str = "msgpack") -> AsyncIterator[Line]:
        """Yield the stock stream, logged in and subscribed to quotes, trades and statuses."""
        async with self.dial("/v2/iex", codec=codec) as line:
            await line.hear()
            await line.log_in()
            await line.subscribe(quotes=list(symbols), trades=list(symbols), statuses=list(symbols))
            yield line

    @contextlib.asynccontextmanager
    async def fills(self) -> AsyncIterator[Line]:
        """Yield the trading stream, logged in and listening."""
        async with self.dial("/stream", codec="json") as line:
            await line.authenticate()
            await line.listen()
            yield line

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, method: str = "GET", **query: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, decoded body and headers of one request."""

        async def request() -> tuple[int, Any, dict[str, str]]:
            async with (
                aiohttp.ClientSession(headers=HEADERS if headers is None else headers) as session,
                session.request(method, self.simulator.url + path, params=query, timeout=_PATIENCE) as answer,
            ):
                return answer.status, await answer.json(), dict(answer.headers)

        return asyncio.run(request())

    def body(self, path: str, **query: Any) -> Any:
        """Return the body of an answer, which must be 200."""
        status, body, _ = self.get(path, **query)
        assert status == 200, body
        return body


_CLOSE = aiohttp.ClientWSTimeout(ws_close=2.0)
_PATIENCE = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)


@pytest.fixture
def make_phone() -> Iterator[Callable[..., Phone]]:
    """Yield a function that starts a simulator, by default an idle one, and returns its client."""
    with contextlib.ExitStack() as stack:

        def make(**settings: Any) -> Phone:
            quiet = {"tick_seconds": 0, "order_interval_seconds": 0}
            return Phone(stack.enter_context(AlpacaSimulator(**(quiet | settings))))

        yield make


@pytest.fixture
def phone(make_phone: Callable[..., Phone]) -> Phone:
    """Return a client of a simulator that does nothing by itself."""
    return make_phone()
