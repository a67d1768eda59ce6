"""Decodes msgpack frames of market data into the newest quote and trade per symbol.

The fast path decodes a whole frame in one typed pass. A frame that does not fit (a control message, an
unknown type, a broken field, a cut-off end) is split into messages, so that a bad one does not affect others.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.quote_tables import FAR_AHEAD

logger = logging.getLogger(__name__)

Message = dict[str, object]  # a raw control message

# Trading statuses ("s"), corrected ("c") and cancelled ("x") trades are rare, so they are returned like
# control messages.
_CONTROL_TYPES = frozenset({"success", "subscription", "error", "s", "c", "x"})
# Bars, LULD bands and order imbalances, which are never subscribed to and do not affect any price shown.
_UNASKED_TYPES = frozenset({"b", "d", "u", "l", "i"})
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
_NEVER_VALID = b"\xc1"  # by msgpack's specification, so it counts as malformed
# RecursionError: nesting beyond the interpreter's limit counts as malformed.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class MarketBatch:
    """The newest quote and trade per symbol since the last batch, and the number of messages behind them.

    Attributes:
        began: The `time.monotonic()` of its first frame, or the earliest time at which it may have arrived.
    """

    quotes: list[WireQuote]
    trades: list[WireTrade]
    messages: int
    malformed: int
    began: float

    @property
    def conflated(self) -> int:
        """The number of messages superseded by a newer one of their symbol."""
        return self.messages - len(self.quotes) - len(self.trades)


class FrameDecoder:
    """A decoder that takes frames, keeps the newest row per symbol, and returns a batch on demand.

    Attributes:
        acknowledged: True once the server confirmed the subscription; set and read by the owner.
        waiting_since: The earliest time at which the current input may have arrived (monotonic); None if now.
    """

    def __init__(self) -> None:
        self.acknowledged = False
        self.waiting_since: float | None = None
        self._decode = msgspec.msgpack.Decoder(list[WireQuote | WireTrade]).decode
        self._decode_one = msgspec.msgpack.Decoder(WireQuote | WireTrade).decode
        self._quotes: dict[str, Any] = {}  # WireQuote and WireTrade: one loop fills both
        self._trades: dict[str, Any] = {}
        self._latest = _EARLIEST  # of the rows kept
        self._messages = 0
        self._malformed = 0
        self._began = 0.0
        self._known_complaints: set[str] = set()

    def take(self, *frames: bytes | bytearray | str) -> list[Message]:
        """Take frames, and return their raw control messages; a row older than the kept one is dropped."""
        self._began = self._began or self.waiting_since or time.monotonic()
        controls: list[Message] = []
        quotes, trades = self._quotes, self._trades
        for frame in frames:
            try:
                messages: list[Any] = self._decode(frame)  # type: ignore[arg-type]  # text is refused
            except (*_UNREADABLE, TypeError):
                controls += self._salvage(frame)
                continue
            self._messages += len(messages)
            latest = self._latest
            try:  # inline, because a call per message would cost a fifth of the throughput
                for message in messages:
                    newest = quotes if type(message) is WireQuote else trades
                    if (at := message.timestamp) >= latest:  # then it is not older than any other
                        newest[message.symbol] = message
                        latest = at
                    elif (kept := newest.get(message.symbol)) is None or at >= kept.timestamp:
                        newest[message.symbol] = message
                    else:
                        self._keep(message)
            except TypeError:  # a message without a time
                for message in messages:
                    self._keep(message)
            self._latest = max(self._latest, latest)
        return controls

    def flush(self) -> MarketBatch | None:
        """Return everything since the last flush, or None."""
        if not self._messages and not self._malformed:
            self._began = 0.0  # a control message alone does not begin a batch
            return None
        batch = MarketBatch(
            quotes=list(self._quotes.values()),
            trades=list(self._trades.values()),
            messages=self._messages,
            malformed=self._malformed,
            began=self._began,
        )
        self._quotes.clear()
        self._trades.clear()
        self._latest = _EARLIEST
        self._messages = self._malformed = 0
        self._began = 0.0
        return batch

    def _salvage(self, frame: bytes | bytearray | str) -> list[Message]:
        messages, whole = _split_text(frame) if isinstance(frame, str) else _split(bytes(frame))
        if not whole:
            self._complain("a frame that is cut off or not msgpack")
        controls = (self._take_one(message) for message in messages)
        return [control for control in controls if control is not None]

    def _take_one(self, message: bytes) -> Message | None:
        """Take one message, and return it if it is a control message."""
        try:
            row = self._decode_one(message)
        except _UNREADABLE:
            return self._take_other(message)
        self._messages += 1
        self._keep(row)
        return None

    def _keep(self, row: WireQuote | WireTrade) -> None:
        newest = self._quotes if isinstance(row, WireQuote) else self._trades
        kept = newest.get(row.symbol)
        if kept is None or not _is_older(row, kept):
            newest[row.symbol] = row
        at = row.timestamp
        if at is not None and at.tzinfo is not None:
            self._latest = max(self._latest, at)

    def _take_other(self, message: bytes) -> Message | None:
        try:
            raw = msgspec.msgpack.decode(message)
        except _UNREADABLE:
            self._complain("a message that cannot be read")
            return None
        kind = raw.get("T") if isinstance(raw, dict) else None
        if isinstance(kind, str) and kind in _CONTROL_TYPES:
            control: Message = raw
            return control
        if isinstance(kind, str) and kind in _UNASKED_TYPES:
            self._warn("a message that was not subscribed to; such messages are ignored")
            return None
        self._complain(
            "a quote or trade with a field of the wrong type"
            if kind in ("q", "t")
            else "a message of unknown type"
        )
        return None

    def _complain(self, kind: str) -> None:
        self._malformed += 1
        self._warn(f"{kind}; it is counted and skipped, and further ones are not logged")

    def _warn(self, words: str) -> None:
        if words not in self._known_complaints:
            self._known_complaints.add(words)
            logger.warning("Received %s.", words)


def _is_older(row: WireQuote | WireTrade, kept: WireQuote | WireTrade) -> bool:
    """Return whether a row is older than the kept one; a time far in the future never hides later rows."""
    at, last = row.timestamp, kept.timestamp
    if at is None or last is None or at.tzinfo is not last.tzinfo:
        return False
    return at < last and last - at <= FAR_AHEAD


def _split(frame: bytes) -> tuple[list[bytes], bool]:
    """Return a frame's undecoded messages up to the first unreadable one, and whether they are complete."""
    import msgpack  # noqa: PLC0415 - comes with alpaca-py; it can stop midway, which msgspec cannot

    unpacker = msgpack.Unpacker(max_buffer_size=len(frame) or 1)
    unpacker.feed(frame)
    messages: list[bytes] = []
    try:
        for _ in range(unpacker.read_array_header()):
            start = unpacker.tell()
            unpacker.skip()
            messages.append(frame[start : unpacker.tell()])
    except (ValueError, msgpack.exceptions.UnpackException):
        return messages, False
    return messages, True


def _split_text(frame: str) -> tuple[list[bytes], bool]:
    try:
        messages = json.loads(frame)
    except _UNREADABLE:
        return [], False
    return [_packed(message) for message in (messages if isinstance(messages, list) else [messages])], True


def _packed(message: object) -> bytes:
    try:
        return msgspec.msgpack.encode(message)
    except (*_UNREADABLE, OverflowError):  # an integer too large for msgpack
        return _NEVER_VALID
