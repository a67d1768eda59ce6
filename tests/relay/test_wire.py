"""The messages between a relay and its readers."""

from __future__ import annotations

import datetime as dt
import zlib
from decimal import Decimal
from types import MappingProxyType

import msgspec
import pytest

from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.data.streaming.run.cache import BrokerHistory, Reference, freeze_row
from options_helper.market import (
    BrokerFill,
    BrokerPosition,
    FillGap,
    PreviousClose,
    Quote,
    Split,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
    UnreadableRows,
)
from options_helper.order_rows import OrderRow
from options_helper.relay import wire
from options_helper.relay.wire import (
    SCHEMA,
    Ask,
    Batch,
    Facts,
    Heartbeat,
    Message,
    OrderHistory,
    OrderUpdate,
    SchemaMismatch,
    decode,
    encode,
)

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)
DAY = dt.date(2026, 12, 1)
REFERENCE = Reference(
    previous_closes={"AAPL": PreviousClose(230.5, DAY)},
    daily_closes=MappingProxyType({"AAPL": {DAY: 230.5}}),
    broker_positions=MappingProxyType({"AAPL": BrokerPosition("AAPL", 100.0)}),
    broker_history=BrokerHistory(
        since=DAY,
        fills=(BrokerFill(symbol="AAPL", quantity=Decimal(1), price=Decimal("2.55"), at=NOON, order_id="a"),),
    ),
    splits=(Split(symbol="AAPL", new=Decimal(4), old=Decimal(1), date=DAY),),
)
ROW = freeze_row(OrderRow(order_id="a", timestamp=NOON, legs=[{"order_id": "b", "qty": 2.0}]))
HEALTH = StreamHealth(StreamName.OPTIONS, StreamState.RECONNECTING, last_failure=StreamFailure("reset", NOON))


@pytest.mark.parametrize(
    "message",
    [
        Batch(
            "e", 7, 1, [WireQuote("AAPL", 1.0, 2.0, 3.0, 4.0, NOON)], [WireTrade("AAPL", 1.5)], [{"S": "A"}]
        ),
        Facts("e", 1, reference=REFERENCE, stock_quotes=[Quote("AAPL", 1.0, 2.0, from_rest=True)]),
        Facts("e", history=OrderHistory([], [], UnreadableRows(2, NOON)), halts={"AAPL": NOON}),
        Heartbeat("e", 2, NOON, {StreamName.OPTIONS: HEALTH}, (FillGap(NOON),), stored=4, ended="why"),
        OrderUpdate(NOON, {"stream": "trade_updates", "data": {"event": "fill", "qty": "1"}}),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    """Decoding returns the encoded message, with its records and exact numbers."""
    assert decode(encode(message)) == message


def test_order_rows_keep_their_fields() -> None:
    """A frozen row with legs arrives with the same fields."""
    sent = Facts("e", history=OrderHistory([ROW], [], UnreadableRows()))
    received = decode(encode(sent))
    assert isinstance(received, Facts)
    assert received.history is not None
    assert received.history.fills[0]["legs"][0] == {"order_id": "b", "qty": 2.0}
    assert received.history.fills[0]["timestamp"] == NOON


@pytest.mark.parametrize(("schema", "words"), [(SCHEMA + 1, "newer"), (SCHEMA - 1, "older")])
def test_another_version_is_named(schema: int, words: str) -> None:
    """The error says which side is older, whatever the message contains."""
    with pytest.raises(SchemaMismatch, match=words):
        decode(bytes((schema, 0)) + b"not this schema")


def test_a_large_message_is_compressed() -> None:
    """Ten thousand quotes fit into a message of NATS's default size."""
    rows = [Quote(f"AAPL261218C{number:08}", 1.0, 2.0, timestamp=NOON) for number in range(10_000)]
    data = encode(Facts("e", option_quotes=rows))
    assert len(data) < 1_000_000
    assert decode(data) == Facts("e", option_quotes=rows)


BOMB = zlib.compress(msgspec.msgpack.encode(Ask("x" * 2000)))
NESTED = encode(OrderUpdate(NOON, None))[2:-1] + 50_000 * b"\x91" + b"\xc0"
DAMAGED = {
    "empty": b"",
    "half a header": b"\x01",
    "no body": bytes((SCHEMA, 0)),
    "not compressed": bytes((SCHEMA, 1)) + b"x",
    "cut off": bytes((SCHEMA, 1)) + zlib.compress(b"xyz")[:-4],
    "too large": bytes((SCHEMA, 1)) + BOMB,
    "not text": encode(Ask("name")).replace(b"name", b"nam\xfd"),
    "too deep": bytes((SCHEMA, 0)) + NESTED,
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_messages_are_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged or too large message raises msgspec's error and no other."""
    monkeypatch.setattr(wire, "_MOST_BYTES", 1000)
    with pytest.raises(msgspec.MsgspecError):
        decode(data)
