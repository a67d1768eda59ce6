"""The connection for order updates: every frame is kept and passed on immediately."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from options_helper.data.streaming.connection.connection import Duty, OneConnection
from options_helper.data.streaming.connection.failures import trading_error
from options_helper.errors import StreamInterrupted

# Alpaca itself has sent this form. The listener counts it as an unreadable update.
_UNREADABLE = {"stream": "trade_updates", "data": None}


class TradingConnection(OneConnection):
    """The stream of order updates: raw JSON, passed on immediately."""

    # The SDK's own.
    _subscribe_trade_updates: Callable[[], Awaitable[None]]
    subscribe_trade_updates: Callable[..., None]

    deliver: Callable[[object], Awaitable[None]]

    def _duties(self) -> Iterable[Duty]:
        return *super()._duties(), self._hand_on()

    async def _subscribe_all(self) -> None:
        await self._subscribe_trade_updates()
        self._frames: deque[bytes | bytearray | str] = deque()
        self._arrived = asyncio.Event()
        while not await self._take_in(await self._ws.recv()):
            pass

    def _put(self, frames: Sequence[bytes | bytearray | str]) -> None:
        self._frames.extend(frames)
        self._arrived.set()

    async def _hand_on(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._deliver_rest()

    async def _deliver_rest(self) -> None:
        while self._frames:
            await self._take_in(self._frames.popleft())

    def _raise_if_error(self, message: object) -> None:
        """Raise the error that Alpaca sends before it closes this stream."""
        if isinstance(message, dict) and message.get("action") == "error":
            raise trading_error(self.stream_name, message)

    async def _take_in(self, frame: bytes | bytearray | str) -> bool:
        """Take one frame, and return whether it was the acknowledgement."""
        self._frames_seen += 1
        with self._handing():
            return await self._hand_on_one(frame)

    async def _hand_on_one(self, frame: bytes | bytearray | str) -> bool:
        try:
            # Strict, unlike json.loads: NaN, or half of a surrogate pair, could not be shown later.
            message = msgspec.json.decode(frame)
            self._raise_if_error(message)
            stream = message["stream"]
            offered = stream != "listening" or "trade_updates" in message["data"]["streams"]
        except (msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError):
            # The frame may have been a fill, so it is passed on and the listener knows of a gap.
            self._observer.counted(messages=1, conflated=0, malformed=0)
            await self.deliver(dict(_UNREADABLE))
            return False
        if stream == "listening":
            if not offered:
                raise StreamInterrupted(self.stream_name, "the server does not offer order updates")
            self._acknowledge(None)
            return True
        if stream == "trade_updates":
            self._observer.counted(messages=1, conflated=0, malformed=0)
            await self.deliver(message)
        return False
