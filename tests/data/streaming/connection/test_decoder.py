"""Frames of market data, whole and broken."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from options_helper.data.streaming.connection import decoder as decoder_module
from options_helper.data.streaming.connection.decoder import FrameDecoder
from options_helper.data.streaming.normalize.batches import quote_change
from options_helper.data.streaming.normalize.wire import WireQuote
from options_helper.quote_tables import QuoteTable

msgpack = pytest.importorskip("msgpack", reason="msgpack comes with alpaca-py and with the dev extra")

AT = dt.datetime(2026, 11, 20, 15, 0, 0, 123456, tzinfo=dt.UTC)


def _quote(symbol: str = "C1", bid: float = 1.0, ask: float = 1.2, **more: Any) -> dict[str, Any]:
    return {"T": "q", "S": symbol, "bp": bid, "ap": ask, "bs": 3, "as": 4, "t": AT, **more}


def _trade(symbol: str = "C1", price: float = 1.1, **more: Any) -> dict[str, Any]:
    return {"T": "t", "S": symbol, "p": price, "s": 2, "t": AT, **more}


def _frame(*messages: Any) -> bytes:
    packed: bytes = msgpack.packb(list(messages), datetime=True)
    return packed


def _symbols(decoder: FrameDecoder) -> list[str]:
    batch = decoder.flush()
    return [quote.symbol for quote in batch.quotes] if batch else []


def test_a_frame_gives_quotes_and_trades_under_the_sdks_names() -> None:
    """A whole frame is decoded into typed records, with their times to the microsecond."""
    decoder = FrameDecoder()
    assert decoder.take(_frame(_quote(c="A", ax="N", bx="N"), _trade(c="a", x="N"))) == []
    batch = decoder.flush()
    assert batch is not None
    (quote,), (trade,) = batch.quotes, batch.trades
    assert (quote.symbol, quote.bid_price, quote.ask_price) == ("C1", 1.0, 1.2)
    assert (quote.bid_size, quote.ask_size, quote.timestamp) == (3.0, 4.0, AT)
    assert (trade.symbol, trade.price, trade.size, trade.timestamp) == ("C1", 1.1, 2.0, AT)
    assert (batch.messages, batch.malformed, batch.conflated) == (2, 0, 0)
    assert batch.began > 0


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize("kind", ["q", "t"])
@pytest.mark.parametrize(
    ("seconds", "kept"),
    [
        ((0, 1, 2), 2),
        ((2, 1, 0), 0),
        ((1, 2, 0), 1),
        ((1, 1, 1), 2),
        ((5, 5, 4), 1),
        ((86_400, 0, 1), 2),
        ((0, None, 1), 2),
        ((1, None, 0), 2),
    ],
)
def test_an_older_row_that_arrives_later_replaces_nothing(
    seconds: tuple[int | None, ...], kept: int, kind: str, codec: str
) -> None:
    """With equal times the last row counts, and a time far in the future hides nothing."""
    began = dt.datetime(2026, 11, 24, 15, tzinfo=dt.UTC)
    rows = []
    for price, after in enumerate(seconds, 1):
        made = None if after is None else began + dt.timedelta(seconds=after)
        at = made and made.isoformat() if codec == "json" else made
        figures = {"bp": price, "ap": price + 0.1} if kind == "q" else {"p": price, "s": 1}
        rows.append({"T": kind, "S": "AAPL", "t": at, **figures})
    encode = json.dumps if codec == "json" else msgspec.msgpack.encode
    for frames in ([rows], [[row] for row in rows]):
        decoder = FrameDecoder()
        for frame in frames:
            assert decoder.take(encode(frame)) == []
        batch = decoder.flush()
        assert batch is not None
        [one] = batch.quotes or batch.trades
        assert (one.bid_price if kind == "q" else one.price) == kept + 1
        assert (batch.messages, batch.malformed, batch.conflated) == (3, 0, 2)


def test_an_older_row_after_a_mixed_frame_replaces_nothing() -> None:
    """A quote that arrived together with a control message counts against later frames like any other."""
    decoder = FrameDecoder()
    newer, older = ({"T": "q", "S": "A", "t": AT + dt.timedelta(seconds=each), "bp": each} for each in (1, 0))
    assert decoder.take(msgspec.msgpack.encode([newer, {"T": "success", "msg": "connected"}]))
    assert decoder.take(msgspec.msgpack.encode([older])) == []
    batch = decoder.flush()
    assert batch is not None
    assert [row.bid_price for row in batch.quotes] == [1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("q", "t")),
            st.sampled_from(("A", "B")),
            st.sampled_from((None, 0, 1, 2, 3, 5_000, 9_000)),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
@example([("q", "A", None, False), ("q", "A", 1, True), ("q", "A", 0, False)])
def test_one_symbols_times_never_hide_another_symbols_rows(
    rows: list[tuple[str, str, int | None, bool]],
) -> None:
    """For any rows and frames, a row is dropped only if a newer one of its symbol came before it."""
    frames: list[list[dict[str, Any]]] = [[]]
    newest: dict[tuple[str, str], tuple[int | None, int]] = {}
    for number, (kind, symbol, seconds, is_frames_end) in enumerate(rows):
        at = None if seconds is None else AT + dt.timedelta(seconds=seconds)
        frames[-1].append({"T": kind, "S": symbol, "t": at, "bp" if kind == "q" else "p": number})
        if is_frames_end:
            frames.append([])
        last = newest.get((kind, symbol), (None, 0))[0]
        is_older = seconds is not None and last is not None and 0 < last - seconds <= 3600
        if not is_older:
            newest[kind, symbol] = seconds, number
    decoder = FrameDecoder()
    assert decoder.take(*(msgspec.msgpack.encode(frame) for frame in frames)) == []
    batch = decoder.flush()
    assert batch is not None
    kept = {("q", row.symbol): row.bid_price for row in batch.quotes}
    kept |= {("t", row.symbol): row.price for row in batch.trades}
    assert kept == {key: number for key, (_, number) in newest.items()}


def test_the_newest_of_each_symbol_stays_over_frames() -> None:
    """Between two flushes, only a symbol's newest row is kept, and the others count as conflated."""
    decoder = FrameDecoder()
    decoder.take(_frame(_quote(bid=1.0), _quote("C2"), _trade(price=1.0)))
    decoder.take(_frame(_quote(bid=1.5), _trade(price=2.0)))
    batch = decoder.flush()
    assert batch is not None
    assert {quote.symbol: quote.bid_price for quote in batch.quotes} == {"C1": 1.5, "C2": 1.0}
    assert [trade.price for trade in batch.trades] == [2.0]
    assert (batch.messages, batch.conflated) == (5, 2)


def test_a_control_message_does_not_count_as_a_batchs_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote ten minutes after the acknowledgement has not waited for ten minutes."""
    now = [100.0]
    monkeypatch.setattr(decoder_module.time, "monotonic", lambda: now[0])
    decoder = FrameDecoder()
    decoder.take(_frame({"T": "subscription", "quotes": ["A"]}))
    assert decoder.flush() is None
    now[0] += 600
    decoder.take(_frame(_quote("A")))
    batch = decoder.flush()
    assert batch is not None
    assert batch.began == 700.0


def test_a_flush_empties_the_decoder() -> None:
    """A returned batch is not returned again."""
    decoder = FrameDecoder()
    assert decoder.flush() is None
    decoder.take(_frame(_quote()))
    assert decoder.flush() is not None
    assert decoder.flush() is None


def test_control_messages_come_back_raw() -> None:
    """Everything that is not market data is left to the connection."""
    decoder = FrameDecoder()
    controls = [{"T": "subscription", "quotes": ["C1"], "trades": []}]
    assert decoder.take(_frame(*controls)) == controls
    assert decoder.flush() is None


def test_data_beside_a_control_message_is_used() -> None:
    """An error in the middle of a frame does not affect the quotes around it."""
    decoder = FrameDecoder()
    error = {"T": "error", "code": 407, "msg": "slow client"}
    assert decoder.take(_frame(_quote("A"), error, _quote("B"))) == [error]
    assert _symbols(decoder) == ["A", "B"]


BROKEN = {
    "a number as text": _quote(bp="1.0"),
    "no symbol": {"T": "q", "bp": 1.0, "ap": 1.2},
    "a null symbol": _quote(S=None),
    "a symbol that is a number": _quote(S=5),
    "a time that is a number": _quote(t=5),
    "a time beyond the calendar": _quote(t=msgpack.Timestamp(2**60, 0)),
    "an unknown type": {"T": "z", "S": "C1"},
    "a type that is a list": {"T": [], "S": "C1"},
    "no type": {"S": "C1", "bp": 1.0},
    "a null": None,
    "a number": 5,
    "a text": "hello",
    "a list": [1, 2],
    "a key that is a list": {"T": "q", ("a",): 1},
    "a key that is a number": {1: 2, **_quote()},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_broken_message_loses_only_itself(broken: Any) -> None:
    """The messages before and after a broken one are used, and it is counted."""
    decoder = FrameDecoder()
    assert decoder.take(_frame(_quote("A"), broken, _quote("B"))) == []
    batch = decoder.flush()
    assert batch is not None
    assert [quote.symbol for quote in batch.quotes] == ["A", "B"]
    assert (batch.messages, batch.malformed) == (2, 1)


def test_broken_text_inside_loses_only_its_message() -> None:
    """Bytes that are not UTF-8 affect only their own message."""
    decoder = FrameDecoder()
    decoder.take(_frame(_quote("BAD!"), _quote("B")).replace(b"BAD!", b"BAD\xff"))
    batch = decoder.flush()
    assert batch is not None
    assert [quote.symbol for quote in batch.quotes] == ["B"]
    assert batch.malformed == 1


def test_null_and_missing_fields_are_not_prices() -> None:
    """A quote may lack a side; the row is kept, and the value is None."""
    decoder = FrameDecoder()
    decoder.take(_frame(_quote(bp=None), {"T": "q", "S": "C2"}))
    batch = decoder.flush()
    assert batch is not None
    assert [quote.bid_price for quote in batch.quotes] == [None, None]
    assert batch.malformed == 0


def test_a_price_that_is_not_a_number_passes_on() -> None:
    """The decoder accepts NaN, and the normalizer turns it into no price."""
    decoder = FrameDecoder()
    decoder.take(_frame(_quote(bp=math.nan)))
    batch = decoder.flush()
    assert batch is not None
    row = QuoteTable.empty().updated(quote_change(batch.quotes, AT).rows)["C1"]
    assert (row.bid_price, row.ask_price) == (None, 1.2)


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_truncated_frame_yields_its_whole_messages(kept: int) -> None:
    """A frame cut off in its second message still gives its first, and the loss is counted."""
    whole = _frame(_quote("A"), _quote("B"))
    first_end = len(_frame(_quote("A")))
    decoder = FrameDecoder()
    decoder.take(whole[: min(first_end + kept, len(whole) - 1)])
    batch = decoder.flush()
    assert batch is not None
    assert [quote.symbol for quote in batch.quotes] == ["A"]
    assert (batch.messages, batch.malformed) == (1, 1)


def test_a_text_frame_is_read_as_json() -> None:
    """A frame sent as text instead of msgpack is read."""
    decoder = FrameDecoder()
    error = {"T": "error", "code": 412, "msg": "only MsgPack"}
    assert decoder.take(json.dumps([error])) == [error]
    assert decoder.take(json.dumps(error)) == [error]
    decoder.take(json.dumps([_quote("A") | {"t": "2026-11-20T15:00:00.123456Z"}, {"T": "q"}]))
    batch = decoder.flush()
    assert batch is not None
    assert batch.quotes[0].timestamp == AT
    assert (batch.messages, batch.malformed) == (1, 1)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        b"\x91" * 5000,
        b"\x91\x82\xa1T\xa1q\xa1z" + b"\x91" * 5000,
        b"\x91\x82\xa1T\xa1q\xa1z" + b"\x91" * 900 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",
        msgpack.packb({"T": "success"}),
        "",
        "{",
        "[" * 100_000,
        '[{"S": 1' + "0" * 400 + "}]",
        '["\\ud800"]',
    ],
    ids=lambda frame: repr(frame[:12]),
)
def test_a_meaningless_frame_is_counted(frame: bytes | str) -> None:
    """Empty, meaningless, endlessly nested and cut-off frames count once each and raise nothing."""
    decoder = FrameDecoder()
    assert decoder.take(frame) == []
    batch = decoder.flush()
    assert batch is not None
    assert (batch.quotes, batch.messages, batch.malformed) == ([], 0, 1)


@pytest.mark.parametrize("kind", ["b", "d", "u", "l", "i"])
def test_unsubscribed_message_types_are_ignored(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A bar, an LULD band or an imbalance is not malformed, and the log reports it once."""
    decoder = FrameDecoder()
    for _ in range(2):
        assert decoder.take(_frame({"T": kind, "S": "AAPL"}, _quote())) == []
    batch = decoder.flush()
    assert batch is not None
    assert (batch.messages, batch.malformed) == (2, 0)
    assert len(caplog.records) == 1


def test_each_kind_of_complaint_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of malformed frames causes one log line per kind."""
    decoder = FrameDecoder()
    for _ in range(3):
        decoder.take(_frame({"T": "z"}, _quote(bp="1.0")))
    batch = decoder.flush()
    assert batch is not None
    assert batch.malformed == 6
    assert len(caplog.records) == 2


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=6,
)


@given(st.binary() | st.text())
def test_no_frame_raises(frame: bytes | str) -> None:
    """For any bytes or text, the decoder does not raise."""
    decoder = FrameDecoder()
    decoder.take(frame)
    decoder.flush()


@given(
    st.lists(values | st.dictionaries(st.sampled_from(["T", "S", "bp", "ap", "t", "c"]), values), max_size=6)
)
def test_good_messages_survive_any_neighbours(neighbours: list[Any]) -> None:
    """Between messages of any shape, the two good ones are found, and every message is counted."""
    decoder = FrameDecoder()
    controls = decoder.take(_frame(_quote("GOOD"), *neighbours, _trade("FINE")))
    batch = decoder.flush()
    assert batch is not None
    assert "GOOD" in {quote.symbol for quote in batch.quotes}
    assert "FINE" in {trade.symbol for trade in batch.trades}
    assert batch.messages + batch.malformed + len(controls) == len(neighbours) + 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=6,
)
json_messages = st.dictionaries(st.sampled_from(["T", "S", "bp", "ap", "t", "c"]), json_values)


@given(st.lists(json_values | json_messages, max_size=6))
@example([-(2**63) - 1])
def test_the_same_holds_for_json(neighbours: list[Any]) -> None:
    """In a text frame of messages of any shape, every message is counted too."""
    good = _quote("GOOD") | {"t": "2026-11-20T15:00:00Z"}
    decoder = FrameDecoder()
    controls = decoder.take(json.dumps([good, *neighbours]))
    batch = decoder.flush()
    assert batch is not None
    assert "GOOD" in {quote.symbol for quote in batch.quotes}
    assert batch.messages + batch.malformed + len(controls) == len(neighbours) + 1


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(allow_nan=False)), max_size=50))
def test_the_last_quote_of_every_symbol_is_delivered(ticks: list[tuple[str, float]]) -> None:
    """However a burst is framed, the flush has each symbol's newest price."""
    decoder = FrameDecoder()
    for symbol, price in ticks:
        decoder.take(_frame(_quote(symbol, price)))
    batch = decoder.flush()
    given_out = {quote.symbol: quote.bid_price for quote in batch.quotes} if batch else {}
    assert given_out == dict(ticks)


def test_the_wire_record_round_trips() -> None:
    """The short names of the wire and the long names of the record denote the same fields."""
    row = msgspec.convert(_quote(), WireQuote)
    assert msgspec.to_builtins(row, builtin_types=(dt.datetime,)) == _quote()
