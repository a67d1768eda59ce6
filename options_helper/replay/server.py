"""Plays a recording as Alpaca would: streams and REST answers, on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import NO_ANSWER, Answer, Ended, PortfolioText, Received
from options_helper.replay.clock import ReplayClock
from options_helper.replay.script import RecordedConnection, Script
from options_helper.simulator.connection import Connection
from options_helper.simulator.faults import Faults
from options_helper.simulator.wire import PING, error, success, to_msgpack

HOST = "127.0.0.1"
_KEY = "replay"
_WAIT_SECONDS = 15.0  # for a stream that is switched off now
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
        self._awaited = set(script.streams)
        self._played = dict.fromkeys(script.streams, 0)  # by stream, the number of the newest connection
        self._places = dict.fromkeys(script.streams, math.inf)  # by stream, where it lets the clock wait
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
            _save(self._portfolio, self._script.portfolios[0])
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
        self._hold()
        tasks = [asyncio.create_task(self._write_portfolios()), asyncio.create_task(self._watch())]
        ready.set()
        try:
            await self._ended.wait()
        finally:
            for task in tasks:
                task.cancel()
            await runner.cleanup()

    def _hold(self) -> None:
        """Let the clock wait for each stream to connect and to ask, so that it misses nothing."""
        now = self._clock.elapsed
        openings = (self._script.next_opening(each, now, self._played[each]) for each in self._awaited)
        self._clock.hold_at(min((*self._places.values(), *openings), default=math.inf))

    def _hold_for(self, stream: str, place: float) -> None:
        self._places[stream] = place
        self._hold()

    async def _watch(self) -> None:
        """Keep up with steps of the clock, and stop waiting for streams that do not connect."""
        held_since: float | None = None
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._hold()
            now = time.monotonic()
            held_since = (held_since or now) if self._clock.is_held else None
            if held_since is not None and now - held_since > _WAIT_SECONDS:
                self._awaited.clear()
                self._places = dict.fromkeys(self._places, math.inf)

    async def _write_portfolios(self) -> None:
        if self._portfolio is None:
            return
        for recorded in self._script.portfolios[1:]:
            await until(self._clock, recorded.elapsed)
            await asyncio.to_thread(_save, self._portfolio, recorded)

    def _stream(self, stream: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self._clock.begin()
            recorded = await self._recorded(stream)
            refusal = _refused_upgrade(recorded.ended)
            if recorded.opened is None and recorded.ended is not None:
                await until(self._clock, recorded.ended.elapsed)
                if refusal is not None:
                    return refusal
            self._awaited.add(stream)
            self._played[stream] = recorded.connecting.connection
            self._hold()
            connection = ReplayConnection(
                stream, request, recorded, self._clock, partial(self._hold_for, stream)
            )
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
    """Plays one recorded connection to one that is made now.

    Args:
        stream, request: As for `Connection`.
        recorded: What to play.
        clock: When to play it.
        hold: Called with a place that the clock must not pass for now, infinity for none.
    """

    def __init__(
        self,
        stream: str,
        request: web.Request,
        recorded: RecordedConnection,
        clock: ReplayClock,
        hold: Callable[[float], None],
    ) -> None:
        super().__init__(stream, request, Faults())
        self.socket = web.WebSocketResponse(compress=False, autoping=False)
        self._recorded, self._clock, self._hold = recorded, clock, hold
        self._requests, self._pongs = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def serve(self) -> None:
        """Serve any client: play the messages at their times, and end as the recorded connection did."""
        if self.stream != "fills":
            self.send(to_msgpack(success("connected")))
        if (await self.socket.receive()).type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
            return
        if self._recorded.opened is None:
            self._refuse()
            return
        self.send(self._authenticated())
        playing = asyncio.create_task(self._play())
        try:
            await self._listen()
        finally:
            playing.cancel()
            self._hold(math.inf)

    async def _listen(self) -> None:
        """Count what the client sends, until it leaves."""
        while True:
            message = await self.socket.receive()
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                self._requests.release()
            elif message.type is WSMsgType.PONG:
                self._pongs.release()
            elif message.type is WSMsgType.PING:
                await self.socket.pong(message.data)
            else:
                return

    async def _play(self) -> None:
        granted, messages = self._recorded.granted, self._recorded.messages
        if granted is not None and (not messages or messages[0].elapsed > granted.elapsed):
            # The beginning is not in a recording that was saved from memory.
            await self._requests.acquire()
            self.send(self._acknowledgement(granted.granted))
        for message in messages:
            await until(self._clock, message.elapsed)
            if isinstance(message, Received):
                for payload in message.messages:
                    self.send(payload, text=message.is_text)
            else:
                await self._held(self._requests, message.elapsed)
        ended = self._recorded.ended
        if ended is not None and ended.outcome != "stopped":
            await until(self._clock, ended.elapsed)
            await self._held(self._pongs, ended.elapsed, ask=PING)  # until everything is read
            self._end(ended)

    async def _held(self, event: asyncio.Semaphore, place: int, ask: bytes = b"") -> None:
        """Wait for an event, and let the clock wait too."""
        self._hold(place)
        self.write(ask)
        await event.acquire()
        self._hold(math.inf)

    def _end(self, ended: Ended) -> None:
        if ended.close_code in {None, 1005, 1006}:
            self.drop("fin")  # a reset would discard what the client has not read yet
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

    def _acknowledgement(self, granted: list[str] | None) -> bytes:
        if self.stream == "fills":
            return msgspec.json.encode({"stream": "listening", "data": {"streams": ["trade_updates"]}})
        return to_msgpack([{"T": "subscription", "trades": granted or [], "quotes": granted or []}])


async def until(clock: ReplayClock, elapsed: int) -> None:
    """Wait until the clock has reached a place."""
    while clock.elapsed < elapsed:  # noqa: ASYNC110 - the clock changes its speed at any time
        await asyncio.sleep(_LOOK_SECONDS)


def _save(path: Path, recorded: PortfolioText) -> None:
    """Write a recorded portfolio file, saved when it was."""
    path.write_bytes(recorded.text)
    saved_at = (recorded.saved_at or recorded.at) * 1000
    os.utime(path, ns=(saved_at, saved_at))


def _refused_upgrade(ended: Ended | None) -> web.Response | None:
    """Return the response in place of a websocket, if the server refused it with an HTTP status."""
    if ended is None or ended.step != "connecting" or ended.code is None or ended.code < _HTTP_ERROR:
        return None
    return web.Response(status=ended.code)
