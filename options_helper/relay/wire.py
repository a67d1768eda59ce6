"""The messages between a relay and its readers: msgpack by msgspec, with the schema's version first.

Every message begins with two bytes, the version of the schema and whether the rest is compressed, so that a
reader recognizes a relay of a different version before it decodes anything. Times are by the relay's clock,
except those that come from Alpaca. No message contains a key, and account numbers are masked.

Fields are only ever added at the end, with a default. Any other change raises `SCHEMA`.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from options_helper.data.calendar.alpaca_clock import ClockReading
from options_helper.data.calendar.market_clock import Session
from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.data.streaming.run.cache import Reference
from options_helper.data.streaming.run.rest_results import DataSource, Polling
from options_helper.errors import OptionsHelperError
from options_helper.market import FillGap, Quote, StreamHealth, StreamName, Trade, UnreadableRows
from options_helper.order_rows import OrderRow

SCHEMA = 1

# Only relays publish to these.
MARKET_SUBJECT = "oh.market"  # .stocks and .options: `Batch`
STATE_SUBJECT = "oh.state"  # `Heartbeat` and `Facts`
ORDERS_SUBJECT = "oh.orders"  # .updates: `OrderUpdate`; .fills: `RestFill`; kept by JetStream
# JetStream repeats every message that it has stored here, with its number in the header `SEQUENCE_HEADER`.
STORED_SUBJECT = "oh.stored"
# Readers may publish only to these, as requests.
ASK_SUBJECT = "oh.ask.symbols"  # `Ask` → `Answer`
ASK_STATE_SUBJECT = "oh.ask.state"  # `Ask` → any number of `Facts`, then a `Heartbeat`

ORDERS_STREAM = "oh_orders"
LEADER_BUCKET = "oh_relay"  # the key-value bucket with the lease of the leading relay
KEPT_SECONDS = 3 * 24 * 3600.0
SEQUENCE_HEADER, LAST_SEQUENCE_HEADER = "Nats-Sequence", "Nats-Last-Sequence"
MESSAGE_ID_HEADER = "Nats-Msg-Id"  # JetStream stores a message of a known id only once
NUMBERING_HEADER = "OH-Numbering"  # `Heartbeat.numbering` when the message was stored
ACCOUNT_HEADER = "OH-Account"  # `Heartbeat.account` when the message was stored

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0
HEARTBEAT_SECONDS = 1.0

_COMPRESS_OVER = 128 * 1024  # NATS refuses messages over 1 MB by default
_MOST_BYTES = 64 * 1024 * 1024  # decompressed; a small message could otherwise fill the memory
# Of a request, which anyone may send; the largest that the relay serves needs a twentieth of it.
MOST_REQUEST_BYTES = 1024 * 1024
_HEADER_BYTES = 2


class SchemaMismatch(OptionsHelperError):
    """A message of a different version of the schema.

    Attributes:
        schema: The version of the message.
    """

    def __init__(self, schema: int) -> None:
        self.schema = schema
        age = "newer" if schema > SCHEMA else "older"
        where = "on this computer" if schema > SCHEMA else "where the relay runs"
        super().__init__(
            f"the relay is {age} than this reader (its messages have version {schema}, not {SCHEMA}); "
            f"update options-helper {where}"
        )


class Batch(msgspec.Struct, array_like=True, gc=False, tag="batch"):
    """The newest quote and trade of each symbol that one data stream delivered in about 20 ms.

    Attributes:
        epoch: The relay's process; another one counts from 0 again.
        first: The number of rows of this stream that were published before. A different number than expected
            means that rows were lost on the way.
        sent_at: When the relay published it, in microseconds since 1970.
        statuses, corrections: Raw messages, as Alpaca sends them.
        relay_lag: The relay's median seconds from event to receipt, None if unknown.
    """

    epoch: str
    first: int
    sent_at: int
    quotes: list[WireQuote] = []
    trades: list[WireTrade] = []
    statuses: list[object] = []
    corrections: list[object] = []
    relay_lag: float | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.quotes) + len(self.trades) + len(self.statuses) + len(self.corrections)


class OrderUpdate(msgspec.Struct, array_like=True, tag="update"):
    """An order update as Alpaca sent it, with account numbers masked.

    Attributes:
        received_at: When the relay received it.
    """

    received_at: dt.datetime
    update: object


class RestFill(msgspec.Struct, array_like=True, tag="fill"):
    """An execution from REST."""

    row: OrderRow


class CalendarFacts(msgspec.Struct, array_like=True):
    """Alpaca's clock and sessions; without a clock, the exchange library's calendar."""

    clock: ClockReading | None = None
    sessions: list[Session] = []


class OrderHistory(msgspec.Struct, array_like=True):
    """The day's executions and orders from REST."""

    fills: Sequence[OrderRow]
    orders: Sequence[OrderRow]
    unreadable: UnreadableRows


class Facts(msgspec.Struct, array_like=True, tag="facts"):
    """Data from REST that the streams do not carry; None and empty fields have not changed.

    Attributes:
        number: Counts the messages of `STATE_SUBJECT`; 0 in the answer to a request.
        stock_quotes, stock_trades, option_quotes, option_trades: Rows from REST; in the answer to a request,
            the newest row of every requested symbol.
        polling: The polled symbols by stream.
        clock_offset: The seconds by which the relay's clock is ahead of Alpaca's.
        progress: The state of each part of the background fetch, "" when all is well.
        halts: When each halted stock was halted; only in the answer to a request.
    """

    epoch: str
    number: int = 0
    reference: Reference | None = None
    stock_quotes: list[Quote] = []
    stock_trades: list[Trade] = []
    option_quotes: list[Quote] = []
    option_trades: list[Trade] = []
    polling: dict[StreamName, Polling] | None = None
    calendar: CalendarFacts | None = None
    clock_offset: float | None = None
    history: OrderHistory | None = None
    progress: dict[str, str] | None = None
    halts: dict[str, dt.datetime] | None = None


class Heartbeat(msgspec.Struct, array_like=True, tag="heartbeat"):
    """The relay's own state, published every second and after every change in a stream.

    Attributes:
        number: As in `Facts`.
        at: When it was published.
        streams: The record of each stream, without its symbols.
        gaps: The spans in which the relay may have missed order updates.
        grants: Grows when the granted symbols change, after which readers ask again.
        stored: The number of the last order message in JetStream; None if there is none.
        unstored: The number of order messages that JetStream has not stored yet.
        trouble: Why they are not stored, or "".
        numbering: Changes when JetStream may count its messages differently than before: another relay leads,
            or JetStream has lost messages, which the relay stores again.
        account: A name for the relay's Alpaca account that does not reveal it.
        ended: Why the relay has stopped, in words, after which it publishes nothing more; "" while it runs.
    """

    epoch: str
    number: int
    at: dt.datetime
    streams: dict[StreamName, StreamHealth]
    gaps: tuple[FillGap, ...] = ()
    grants: int = 0
    stored: int | None = None
    unstored: int = 0
    trouble: str = ""
    numbering: str = ""
    account: str = ""
    ended: str = ""


class Ask(msgspec.Struct, array_like=True, tag="ask"):
    """A reader's symbols, in order of priority; asking again renews its lease.

    Attributes:
        reader: A random name of the reader's run.
        contracts: Contracts to stream.
        polled: Contracts over the reader's own limit, which the relay streams or polls as its plan allows.
        ends: True to give the symbols back now.
    """

    reader: str
    stocks: list[str] = []
    contracts: list[str] = []
    polled: list[str] = []
    ends: bool = False


class Grant(msgspec.Struct, array_like=True):
    """The answer about a reader's symbols of one data stream.

    Attributes:
        streaming: Symbols that stream.
        pending: Symbols for which Alpaca has not answered yet.
        polled: Symbols for which the plan has no room; REST fetches them at an interval.
        refused: Symbols to which Alpaca did not subscribe.
        invalid: Symbols in a format that Alpaca does not accept.
        channels: As in `StreamHealth`.
    """

    streaming: list[str] = []
    pending: list[str] = []
    polled: list[str] = []
    refused: list[str] = []
    invalid: list[str] = []
    channels: int | None = None


class Answer(msgspec.Struct, array_like=True, tag="answer"):
    """The answer to `Ask`.

    Attributes:
        at: When it was written.
        seconds: How long the symbols are held unless the reader asks again.
        grants: As in `Heartbeat`.
        refusal: Why the relay serves none of the symbols, or "".
    """

    epoch: str
    at: dt.datetime
    seconds: float
    streams: dict[StreamName, Grant]
    source: DataSource
    grants: int = 0
    refusal: str = ""


Message: TypeAlias = Batch | OrderUpdate | RestFill | Facts | Heartbeat | Ask | Answer


def _to_plain(value: object) -> object:
    """Return a plain dict in place of a read-only view, for msgspec."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


_encode = msgspec.msgpack.Encoder(enc_hook=_to_plain).encode
_decode: Callable[[bytes | memoryview], Message] = msgspec.msgpack.Decoder(Message).decode


def encode(message: Message) -> bytes:
    """Return a message's bytes."""
    body = _encode(message)
    if len(body) > _COMPRESS_OVER:
        return bytes((SCHEMA, 1)) + zlib.compress(body, 1)
    return bytes((SCHEMA, 0)) + body


def decode(data: bytes, *, most_bytes: int | None = None) -> Message:
    """Return a message of at most `most_bytes`, decompressed.

    Raises:
        SchemaMismatch: It has a different version of the schema.
        msgspec.MsgspecError: It is not a message, or too large.
    """
    if len(data) < _HEADER_BYTES:
        raise msgspec.DecodeError("the message is cut off")
    if data[0] != SCHEMA:
        raise SchemaMismatch(data[0])
    body, most = memoryview(data)[_HEADER_BYTES:], _MOST_BYTES if most_bytes is None else most_bytes
    try:
        content = _decompress(body, most) if data[1] else body
        if len(content) > most:
            raise msgspec.DecodeError("the message is too large")
        return _decode(content)
    except (zlib.error, RecursionError, ValueError) as error:  # the last: of text that is not UTF-8
        raise msgspec.DecodeError("the message is damaged") from error


def _decompress(body: memoryview, most_bytes: int) -> bytes:
    decompressor = zlib.decompressobj()
    content = decompressor.decompress(body, most_bytes)
    if not decompressor.eof:
        raise msgspec.DecodeError("the message is cut off or too large")
    return content
