"""The connection of a market data stream, which decodes whole frames and keeps the newest rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import msgspec

from options_helper.data.streaming.connection.budget import (
    Budget,
    find_budget,
    find_invalid,
    known_budgets,
    known_invalid,
)
from options_helper.data.streaming.connection.connection import Duty, OneConnection
from options_helper.data.streaming.connection.decoder import FrameDecoder, MarketBatch, Message
from options_helper.data.streaming.connection.failures import INVALID_SYNTAX, SYMBOL_LIMIT, rejection_of_frame
from options_helper.errors import StreamError, StreamInterrupted, StreamRejected
from options_helper.market import StreamName

logger = logging.getLogger(__name__)

_BUSY_RATE = 10_000  # messages a second from which batches are longer
_BURST_RATE = 50_000  # messages a second from which no more than a read may collect in the socket
_MOST_READS = 8  # of up to 256 kB each after a pause
# The place of each stream's turn within a period.
_TURNS = {StreamName.STOCKS.value: 0.0, StreamName.OPTIONS.value: 0.5}


class DataConnection(OneConnection):
    """A market data stream that decodes whole frames and keeps the newest row per symbol."""

    # The SDK's own.
    _endpoint: str
    _api_key: str
    _send_subscribe_msg: Callable[[], Awaitable[None]]
    subscribe_quotes: Callable[..., None]
    subscribe_trades: Callable[..., None]

    symbols: Sequence[str] = ()  # in order of priority
    _has_strays = False
    _wanted: Sequence[str] | None = None  # the newest symbols given to `change`
    deliver: Callable[[MarketBatch], Awaitable[None]]
    deliver_statuses: Callable[[list[Message]], Awaitable[None]] | None = None
    deliver_corrections: Callable[[list[Message]], Awaitable[None]] | None = None

    def change(self, symbols: Sequence[str]) -> None:
        """Subscribe to these symbols instead, on the open connection; callable from any thread."""
        with self._mutex:
            self._wanted = symbols
            if self._main is not None and self._main_loop is not None:
                self._main_loop.call_soon_threadsafe(self._changed.set)

    def _duties(self) -> Iterable[Duty]:
        return *super()._duties(), self._flush_regularly(), self._follow_changes()

    async def _subscribe_all(self) -> None:
        self._decoder = FrameDecoder()
        self._controls: list[Message] = []
        self._arrived = asyncio.Event()
        self._unanswered: deque[str] = deque()  # after the handshake: "statuses", "symbols", "removal"
        await self._subscribe_within_budget()
        self._acknowledge(self._granted)
        # Alpaca would refuse the halts of all for one invalid symbol.
        await self._request_statuses(self.asked - self._invalid())

    async def _request_statuses(self, symbols: frozenset[str]) -> None:
        if self.deliver_statuses is not None and symbols:
            # Statuses are requested separately, so that a plan without them still grants quotes and trades.
            await self._send_request("statuses", "subscribe", statuses=sorted(symbols))

    async def _send_request(self, kind: str, action: str, **channels: list[str]) -> None:
        self._unanswered.append(kind)
        await self._ws.send(msgspec.msgpack.encode({"action": action, **channels}))

    async def _follow_changes(self) -> None:
        """Change the subscription when `change` was called, even during the handshake."""
        while True:
            wanted, before = self._wanted, self.asked
            if wanted is not None and before != frozenset(wanted):
                self.asked, self.symbols = frozenset(wanted), wanted
                await self._resubscribe(before - self.asked, self.asked - before)
            await self._changed.wait()
            self._changed.clear()

    async def _resubscribe(self, gone: frozenset[str], new: frozenset[str]) -> None:
        # Alpaca would refuse to unsubscribe an invalid symbol, as it refused to subscribe to it.
        held = sorted(gone - self._invalid())
        if held:
            self._has_strays = True  # their last messages are on their way, which is nothing to warn about
            await self._send_request("removal", "unsubscribe", quotes=held, trades=held)
        if asked := [symbol for symbol in self._without_invalid() if symbol in new]:
            await self._send_request("symbols", "subscribe", quotes=asked, trades=asked)
            await self._request_statuses(frozenset(asked))

    async def _subscribe_within_budget(self) -> None:
        place = self._endpoint, self._api_key
        known = known_budgets.get(place)
        symbols, refusal = await self._ask_for_valid(known)
        if refusal is not None:
            known = await find_budget(symbols, self._is_granted)
            if not known.quotes:
                raise refusal
            known_budgets[place] = known
        if known is not None and known.channels < 2 * len(symbols):
            self._observer.limited(known.channels)

    async def _ask_for_valid(self, known: Budget | None) -> tuple[Sequence[str], StreamError | None]:
        """Ask for all symbols that Alpaca accepts; return them, and a refusal if they exceed the limit."""
        symbols = self._without_invalid()
        if known is None and len(symbols) == len(self.symbols):
            await self._send_subscribe_msg()
            refusal = await self._answer()
        else:
            refusal = await self._ask((known or Budget.unlimited(symbols)).request(symbols))
        if refusal is not None and refusal.code == INVALID_SYNTAX:
            invalid = await find_invalid(symbols, self._is_accepted)
            if not invalid or len(invalid) == len(symbols):
                raise refusal  # then the symbols are not the cause
            known_invalid[self._endpoint] = self._invalid() | invalid
            symbols = self._without_invalid()
            refusal = await self._ask((known or Budget.unlimited(symbols)).request(symbols))
        return symbols, refusal

    def _without_invalid(self) -> Sequence[str]:
        invalid = self._invalid().intersection(self.symbols)
        if invalid:
            self._observer.invalid(invalid)
        return [symbol for symbol in self.symbols if symbol not in invalid]

    def _invalid(self) -> frozenset[str]:
        """Return the symbols that Alpaca has refused as malformed since the process began."""
        return known_invalid.get(self._endpoint, frozenset())

    async def _is_accepted(self, symbols: Sequence[str]) -> bool:
        """Return whether the format of symbols is accepted; nothing stays subscribed."""
        request = {"quotes": list(symbols)}
        refusal = await self._ask(request)
        if refusal is None:
            await self._ask(request, action="unsubscribe")
        return refusal is None or refusal.code != INVALID_SYNTAX

    async def _is_granted(self, request: dict[str, list[str]]) -> bool:
        return await self._ask(request) is None

    async def _ask(self, request: dict[str, list[str]], *, action: str = "subscribe") -> StreamError | None:
        await self._ws.send(msgspec.msgpack.encode({"action": action, **request}))
        return await self._answer()

    async def _answer(self) -> StreamError | None:
        """Receive until the request is answered; return a refusal of symbols, and raise any other."""
        self._decoder.acknowledged = False
        try:
            while not self._decoder.acknowledged:
                self._put([await self._ws.recv()])
                with self._handing():
                    await self._take_controls()
        except StreamRejected as error:
            if error.code not in {SYMBOL_LIMIT, INVALID_SYNTAX}:
                raise
            return error
        return None

    async def _deliver_rest(self) -> None:
        await self._flush()

    def _put(self, frames: Sequence[bytes | bytearray | str]) -> None:
        self._frames_seen += len(frames)
        self._controls += self._decoder.take(*frames)
        self._arrived.set()

    async def _take_controls(self) -> None:
        controls, self._controls = self._controls, []
        statuses = [
            control for control in controls if control["T"] == "s" and self._is_asked(control.get("S"))
        ]
        if statuses and self.deliver_statuses is not None:
            await self.deliver_statuses(statuses)
        corrections = [control for control in controls if control["T"] in {"c", "x"}]
        if corrections and self.deliver_corrections is not None:
            await self.deliver_corrections(corrections)
        for control in controls:
            if control["T"] == "subscription":
                self._take_acknowledgement(control)
            elif control["T"] == "error":
                self._take_error(control)

    def _take_acknowledgement(self, frame: Message) -> None:
        granted = frame.get("quotes")
        symbols = frozenset(granted if isinstance(granted, list) else ())
        if not self._decoder.acknowledged:
            self._decoder.acknowledged = True
            self._granted = symbols
        elif self._next_answered() == "symbols":
            self._acknowledge(symbols)

    def _next_answered(self) -> str:
        """Return the kind of the request that is answered now; Alpaca answers in order."""
        return self._unanswered.popleft() if self._unanswered else ""

    def _take_error(self, frame: Message) -> None:
        error = rejection_of_frame(self.stream_name, frame, asked=len(self.asked))
        # A refusal concerns the oldest request without an answer; without one, it concerns the stream.
        request = self._next_answered() if isinstance(error, StreamRejected) else ""
        if request == "statuses":
            logger.info("The %s stream does not report trading halts: %s.", self.stream_name, error)
            return
        if request:  # a new connection finds out which of all symbols are granted
            what = "further symbols" if request == "symbols" else "to remove symbols"
            words = f"Alpaca refused {what} ({error.detail}), so all are requested again"
            raise StreamInterrupted(self.stream_name, words, code=None)
        raise error

    async def _flush_regularly(self) -> None:
        """Deliver the first message after a silence immediately, then one batch per pause.

        A pause lasts `times.flush`, or `times.busy_flush` above `_BUSY_RATE`: each batch interrupts the page,
        and a longer one contains fewer messages that the next would replace. The streams take turns, so that
        they do not interrupt the page one right after the other.
        """
        pause, turn = self._times.flush, _TURNS.get(self.stream_name, 0.0)
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            rate = await self._flush() / pause
            period = self._times.busy_flush if rate >= _BUSY_RATE else self._times.flush
            pause = seconds_until_turn(turn, period, time.monotonic())
            if rate >= _BURST_RATE:
                await asyncio.sleep(pause)
            else:
                # Block instead of awaiting: otherwise each frame would wake this thread, and every time it
                # took the interpreter's lock it would stop the page. Messages collect in the socket instead.
                # Stop and pings, the loop's only other work, can wait that long.
                asleep_since = time.monotonic()
                time.sleep(pause)  # noqa: ASYNC251
                await self._read_backlog(asleep_since)

    async def _read_backlog(self, since: float) -> None:
        """Read the frames that collected in the socket; they count as waiting since `since`."""
        self._decoder.waiting_since = since
        await asyncio.sleep(0)  # a turn of the loop polls its sockets, the next one follows their callbacks
        for _ in range(_MOST_READS):
            seen = self._frames_seen
            await asyncio.sleep(0)
            if self._frames_seen == seen:
                break
        self._decoder.waiting_since = None

    async def _flush(self) -> int:
        """Deliver everything since the last flush, and return the number of messages."""
        with self._handing():
            batch = self._decoder.flush()
            if batch is not None:
                batch = self._without_strays(batch)
                self._observer.counted(
                    messages=batch.messages,
                    conflated=batch.conflated,
                    malformed=batch.malformed,
                    waited=time.monotonic() - batch.began,
                )
                if batch.quotes or batch.trades:
                    await self.deliver(batch)
            await self._take_controls()
        return batch.messages if batch is not None else 0

    def _without_strays(self, batch: MarketBatch) -> MarketBatch:
        """Return the batch without symbols that were not requested, which would be kept forever.

        They do not count as malformed, because nothing is lost with them.
        """
        quotes = [row for row in batch.quotes if self._is_asked(row.symbol)]
        trades = [row for row in batch.trades if self._is_asked(row.symbol)]
        strays = len(batch.quotes) + len(batch.trades) - len(quotes) - len(trades)
        if not strays:
            return batch
        if not self._has_strays:
            self._has_strays = True
            logger.warning(
                "The %s stream sends symbols that were not requested; they are ignored.", self.stream_name
            )
        return replace(batch, quotes=quotes, trades=trades, messages=batch.messages - strays)

    def _is_asked(self, symbol: object) -> bool:
        return isinstance(symbol, str) and (symbol in self.asked or "*" in self.asked)


def seconds_until_turn(turn: float, period: float, now: float) -> float:
    """Return the seconds to a stream's next turn that is at least half a period, in seconds, ahead.

    Args:
        turn: The turn's place within each period, from 0 to 1.
        period: The seconds between two turns.
        now: A time in seconds, from the same clock for all streams.
    """
    wait = (turn - now / period) % 1.0
    return period * (wait if wait >= 0.5 else wait + 1.0)  # noqa: PLR2004 - half
