"""Plays a recording as Alpaca would: streams and REST answers, on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import NO_ANSWER, Answer, Ended, Received
from options_helper.replay.clock import ReplayClock
from options_helper.replay.script import RecordedConnection, Script
from options_helper.simulator.connection import Connection
from options_helper.simulator.faults import Faults
from options_helper.simulator.wire import error, success, to_msgpack

HOST = "127.0.0.1"
_KEY = "replay"
_LOOK_SECONDS = 0.02  # how exactly the clock is followed
_START_SECONDS, _STOP_SECONDS = 10.0, 5.0
_STREAM_PATHS = {
    "/v2/{feed:iex|sip|delayed_sip|test}": "stocks",
    "/v1beta1/{feed:boats|overnight}": "stocks",
    "/v1beta1/{feed:indicative|opra}": "options",
    "/stream": "fills",
}
_HTTP_ERROR = 400


class ReplayServer:
    """A server that a client connects to as to Alpaca; the clock begins with the first request.

    Args:
        script: What to play.
        clock: When to play it.
        portfolio: Where the recorded portfolio file is written at each of its changes; None for nowhere.
    """

    def __init__(self, script: Script, clock: ReplayClock, portfolio: Path | None = None) -> None:
        self._script, self._clock, self._portfolio = script, clock, portfolio
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._port = 0

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point a client here."""
        url = f"http://{HOST}:{self._port}"
        return {
            "APCA_API_KEY_ID": _KEY,
            "APCA_API_SECRET_KEY": _KEY,
            "APCA_API_BASE_URL": url,
            "APCA_API_DATA_URL": url,
            "APCA_API_STREAM_URL": f"ws://{HOST}:{self._port}",
        }

    def start(self) -> None:
        """Listen on a free port.

        Raises:
            OptionsHelperError: The server does not start.
        """
        if self._portfolio is not None and self._script.portfolios:
            self._portfolio.write_bytes(self._script.portfolios[0].text)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="options-helper-replay", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            raise OptionsHelperError("The replay does not start.")

    def stop(self) -> None:
        """End the server and its connections."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join(_STOP_SECONDS)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application()
        for path, stream in _STREAM_PATHS.items():
            application.router.add_get(path, self._stream(stream))
        application.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        listener = socket.create_server((HOST, 0))
        self._port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        writing = asyncio.create_task(self._write_portfolios())
        ready.set()
        try:
            await self._ended.wait()
        finally:
            writing.cancel()
            await runner.cleanup()

    async def _write_portfolios(self) -> None:
        if self._portfolio is None:
            return
        for recorded in self._script.portfolios[1:]:
            await until(self._clock, recorded.elapsed)
            await asyncio.to_thread(self._portfolio.write_bytes, recorded.text)

    def _stream(self, stream: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self._clock.begin()
            recorded = await self._recorded(stream)
            refusal = _refused_upgrade(recorded.ended)
            if recorded.opened is None and recorded.ended is not None:
                await until(self._clock, recorded.ended.elapsed)
                if refusal is not None:
                    return refusal
            connection = ReplayConnection(stream, request, recorded, self._clock)
            await connection.open()
            await connection.serve()
            return connection.socket

        return serve

    async def _recorded(self, stream: str) -> RecordedConnection:
        """Return the connection to play now, once its time has come."""
        while True:
            found = self._script.connection(stream, self._clock.elapsed)
            if found is not None:
                await until(self._clock, found.connecting.elapsed)
                return found
            await asyncio.sleep(_LOOK_SECONDS)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._clock.begin()
        answer = self._script.answer(request.path, request.query, self._clock.elapsed)
        if answer is None:
            return web.json_response({"message": "this request is not in the recording"}, status=404)
        if answer.status == NO_ANSWER:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        after = {} if answer.retry_after is None else {"Retry-After": f"{answer.retry_after:.0f}"}
        body = self._shifted(answer) if request.path == "/v2/clock" else answer.body
        return web.Response(body=body, status=answer.status, headers=after, content_type="application/json")

    def _shifted(self, answer: Answer) -> bytes:
        """Return Alpaca's clock as far from ours as it was."""
        try:
            clock = msgspec.json.decode(answer.body, type=dict[str, object])
            at = dt.datetime.fromisoformat(str(clock["timestamp"]))
        except (msgspec.MsgspecError, ValueError, KeyError):
            return answer.body
        later = dt.timedelta(microseconds=self._clock.elapsed - answer.elapsed)
        return msgspec.json.encode(clock | {"timestamp": (at + later).isoformat()})


class ReplayConnection(Connection):
    """Plays one recorded connection to one that is made now."""

    def __init__(
        self, stream: str, request: web.Request, recorded: RecordedConnection, clock: ReplayClock
    ) -> None:
        super().__init__(stream, request, Faults())
        self._recorded, self._clock = recorded, clock

    async def serve(self) -> None:
        """Authenticate, send what was received at its times, and end as the recorded connection did."""
        if self.stream != "fills":
            self.send(to_msgpack(success("connected")))
        if (await self.socket.receive()).type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
            return
        if self._recorded.opened is None:
            self._refuse()
            return
        self.send(self._authenticated())
        playing = asyncio.ensure_future(self._play())
        try:
            while (await self.socket.receive()).type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
        finally:
            playing.cancel()

    async def _play(self) -> None:
        granted = self._recorded.granted
        if granted is not None and not self._has_acknowledgement(self._recorded.received):
            self.send(self._acknowledgement(granted.granted))
        for received in self._recorded.received:
            await until(self._clock, received.elapsed)
            for message in received.messages:
                self.send(message, text=received.is_text)
        ended = self._recorded.ended
        if ended is None or ended.outcome == "stopped":
            return
        await until(self._clock, ended.elapsed)
        self._end(ended)

    def _end(self, ended: Ended) -> None:
        if ended.close_code in {None, 1005, 1006}:
            self.drop("reset")
        else:
            self.drop("close", code=ended.close_code or 1000)

    def _refuse(self) -> None:
        ended = self._recorded.ended
        if ended is None or ended.code is None:
            self.drop("reset")
        elif self.stream == "fills":
            data = {"action": "authenticate", "status": "unauthorized"}
            self.send(msgspec.json.encode({"stream": "authorization", "data": data}))
        else:
            self.send(to_msgpack(error(ended.code)))
        asyncio.get_running_loop().call_soon(self.drop, "close")

    def _authenticated(self) -> bytes:
        if self.stream != "fills":
            return to_msgpack(success("authenticated"))
        data = {"action": "authenticate", "status": "authorized"}
        return msgspec.json.encode({"stream": "authorization", "data": data})

    def _has_acknowledgement(self, received: Iterable[Received]) -> bool:
        """Return whether the acknowledgement is among the messages, as it is unless the beginning is lost."""
        granted = self._recorded.granted
        return granted is not None and any(each.elapsed <= granted.elapsed for each in received)

    def _acknowledgement(self, granted: list[str] | None) -> bytes:
        if self.stream == "fills":
            return msgspec.json.encode({"stream": "listening", "data": {"streams": ["trade_updates"]}})
        return to_msgpack([{"T": "subscription", "trades": granted or [], "quotes": granted or []}])


async def until(clock: ReplayClock, elapsed: int) -> None:
    """Wait until the clock has reached a place."""
    while clock.elapsed < elapsed:  # noqa: ASYNC110 - the clock changes its speed at any time
        await asyncio.sleep(_LOOK_SECONDS)


def _refused_upgrade(ended: Ended | None) -> web.Response | None:
    """Return the response in place of a websocket, if the server refused it with an HTTP status."""
    if ended is None or ended.step != "connecting" or ended.code is None or ended.code < _HTTP_ERROR:
        return None
    return web.Response(status=ended.code)
