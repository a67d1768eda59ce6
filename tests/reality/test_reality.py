"""Every recorded or documented body of Alpaca's, read by the product, with the figures it must give.

Each JSON file beside this one holds a body with its kind and its source; ids and figures are invented, shapes
are not. A file without an expectation here fails the first test.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import AlpacaSettings
from options_helper.data.streaming.backfill.rest_rows import (
    read_index_values,
    read_multiplier,
    read_positions,
    read_snapshots,
)
from options_helper.data.streaming.connection.decoder import FrameDecoder, MarketBatch
from options_helper.data.streaming.connection.failures import explain, rejection_of_frame
from options_helper.data.streaming.normalize.halts import read_halts
from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from options_helper.errors import AlpacaRestError, StreamInterrupted, StreamRejected
from tests.builders import rest_fill_row

pytest.importorskip("msgpack", reason="msgpack comes with alpaca-py and with the dev extra")

BODIES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parent.glob("*.json"))
}
RECEIVED = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)


def at(text: str) -> dt.datetime:
    """Return a UTC time, as written in the tables below."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# Frames: quotes as (bid, ask, bid size, ask size), trades as (price, size), the types of control messages.
FRAMES: list[Any] = [
    ("ack_full", {}, {}, ["subscription"]),
    ("opt_quote", {"SPXW240327P04925000": (9.46, 9.66, 53, 38)}, {}, []),
    ("opt_trade", {}, {"AAPL240315C00172500": (2.84, 1)}, []),
    ("stk_batch_recorded", {}, {"AAPL": (162.91, 71)}, []),
    ("stk_quote", {"AMD": (87.66, 87.68, 1, 4)}, {}, []),
    ("stk_quote_recorded", {"NVDA": (258.8, 259.99, 2, 5)}, {}, []),
    ("stk_status_cta_luld", {}, {}, ["s"]),
    ("stk_status_halt", {}, {}, ["s"]),
    ("stk_test_stream", {"FAKEPACA": (133.85, 135.77, 4, 5)}, {}, []),
    ("stk_trade", {}, {"AAPL": (126.55, 1)}, []),
    ("stk_trade_u", {}, {"AAPL": (126.55, 1)}, []),
    *((f"err_{code}", {}, {}, ["error"]) for code in (*range(400, 408), 409, 410, 500)),
]
# Frames that hold no quote, no trade and no control message.
OTHER_FRAMES = {"stk_bar", "stk_correction"}
FRAME_TIMES = {
    "opt_quote": "2024-03-12T11:59:38.897262",
    "opt_trade": "2024-03-11T13:35:35.133123",
    "stk_batch_recorded": "2023-04-06T11:54:26.839160",
    "stk_trade": "2021-02-22T15:51:44.208",
}
HALTS = {
    "stk_status_cta_luld": ("F", "2025-04-07T14:10:01"),
    "stk_status_halt": ("AAPL", "2021-02-22T19:15:00"),
}
ERROR_FRAMES: list[tuple[int, type[Exception]]] = [
    (402, StreamRejected),
    (404, StreamInterrupted),
    (406, StreamInterrupted),
    (407, StreamInterrupted),
    (409, StreamRejected),
    (410, StreamRejected),
    (500, StreamInterrupted),
]
# What each error frame must say, whether or not the stream goes on.
ERROR_WORDS = {
    401: "authenticated",
    402: "refused the key",
    404: "too long",
    405: "symbols",
    406: "stream",
    407: "slowly",
    409: "feed",
    410: "feed",
    500: "error",
}
ORDER_FIELDS = ("order_id", "symbol", "side", "qty", "filled_qty", "filled_avg_price", "status")
# Order updates: event, time, the order's fields, and those of this execution.
UPDATES: list[Any] = [
    ("tu_accepted", "accepted", "2025-03-10T14:30:02.2", ("AAPL", "buy", 1, 0, None, "accepted"), {}),
    (
        "tu_bust_negative",
        "trade_bust",
        "2025-03-10T15:00:00",
        ("AAPL", "buy", 1, 0, None, "new"),
        {
            "execution_id": "00000051-0000-4000-8000-000000000051",
            "previous_execution_id": "00000050-0000-4000-8000-000000000050",
            "fill_price": 1.0,
            "position_qty": 0.0,
        },
    ),
    (
        "tu_cancel_rejected",
        "order_cancel_rejected",
        "2025-03-10T14:30:03",
        ("AAPL", "buy", 1, 1, 1, "filled"),
        {},
    ),
    (
        "tu_crypto_fill",
        "fill",
        "2022-04-19T17:45:05.024916",
        ("SOLUSD", "sell", 1790.86, 1790.86, 105.8988475, "filled"),
        {"fill_qty": 1790.86, "fill_price": 105.8988475, "position_qty": 0.0},
    ),
    (
        "tu_fill_2021",
        "fill",
        "2021-07-29T15:28:16.888530",
        ("F", "buy", 1, 1, 7.09, "filled"),
        {
            "execution_id": "00000093-0000-4000-8000-000000000093",
            "fill_qty": 1.0,
            "fill_price": 7.09,
            "position_qty": 1.0,
        },
    ),
    (
        "tu_held",
        "held",
        "2025-03-10T14:30:02.2",
        ("AAPL", "buy", 1, 0, None, "held"),
        {"type": "stop", "stop_price": 0.9},
    ),
    (
        "tu_mleg_fill",
        "fill",
        "2025-01-21T07:32:40.695569",
        ("AAPL", "buy", 1, 1, 1.62, "filled"),
        {"order_class": "mleg", "fill_qty": 1.0, "fill_price": 1.62},
    ),
    ("tu_new_2025", "new", "2025-09-23T14:00:00.457696", ("TQQQ", "sell", 271, 0, None, "new"), {}),
    ("tu_new_recorded", "new", "2021-12-09T19:48:46.182987", ("AAPL", "buy", 1, 0, None, "new"), {}),
    (
        "tu_pending_new_2025",
        "pending_new",
        "2025-09-23T14:00:00.451982",
        ("TQQQ", "sell", 271, 0, None, "pending_new"),
        {},
    ),
    (
        "tu_rejected",
        "rejected",
        "2025-03-10T14:30:02.2",
        ("SPY250321C00600000", "buy", 1, 0, None, "rejected"),
        {},
    ),
    ("tu_restated", "restated", "2025-03-10T14:30:02.2", ("AAPL", "buy", 1, 0, None, "new"), {}),
]
# REST orders: symbol, side, quantity, filled, average price, status, and how many legs.
ORDERS: list[Any] = [
    ("rec_order_single", ("AAPL261218C00340000", "buy", 1, 1, 12.55, "filled"), 0),
    ("rest_order_bracket", ("SPY", "buy", 11, 11, 744.9, "filled"), 2),
    ("rest_order_crypto", ("ETH/USD", "buy", 0.02, 0, None, "pending_new"), 0),
    ("rest_order_mleg", ("AAPL", "buy/sell", 1, 1, 1.28, "filled"), 2),
    ("rest_order_notional", ("AAPL", "buy", None, 0.671, 223.5, "filled"), 0),
    ("rest_order_option", ("AAPL250620C00100000", "buy", 2, 0, None, "pending_new"), 0),
    ("rest_order_sdk_numbers", ("AAPL", "buy", 1, 0, 0, "accepted"), 0),
]
# FILL activities: event, symbol, this quantity, price, the order's filled and total quantity, time.
FILLS: list[Any] = [
    ("act_fill_2019", ("fill", "LPCN", 1, 1.63, 1.5, 1.5, "2019-05-24T15:34:06.977")),
    (
        "act_fill_fraction_9",
        ("fill", "CLS", 0.957680115, 102.31, 0.957680115, 0.957680115, "2026-04-28T14:49:30.176"),
    ),
    (
        "act_fill_partial_2024",
        ("partial_fill", "AAPL", 643, 3.8, 643, 2100, "2024-06-24T13:30:04.214535"),
    ),
    ("act_fill_same_ms_1", ("partial_fill", "QQQJ", 100, 31.6, 869, 1000, "2021-01-27T19:49:30.176")),
    ("act_fill_same_ms_2", ("partial_fill", "QQQJ", 51, 31.6, 970, 1000, "2021-01-27T19:49:30.176")),
    ("act_fill_short", ("fill", "AAPL", 5, 3.8, 5, 5, "2024-06-24T13:30:04.214535")),
    ("rec_fill_1", ("fill", "SPY261130P00721000", 1, 9.41, 1, 1, "2026-09-10T17:11:25.217586")),
    ("rec_fill_2", ("fill", "SPY261130P00706000", 1, 7.4, 1, 1, "2026-09-10T17:11:25.217590")),
]
OTHER_ACTIVITIES = [
    "act_CFEE",
    "act_DIV",
    "act_FEE",
    "act_JNLC",
    "act_OPASN",
    "act_OPEXP",
    "rec_fee_occ",
    "rec_jnlc",
]
POSITIONS = {
    "PTON240126C00000500": 2,
    "XLK": -24,
    "QS240301P00009000": -1,
    "SPY260731C00764000": -7,
    "BTCUSD": 0.0599,
}
# Option and stock snapshots: bid, ask, last price, delta, volatility, previous close.
SNAPSHOTS: list[Any] = [
    ("rest_opt_snap_0dte", (2.05, 2.1, 2.08, None, None, None)),
    (
        "rest_opt_snap_greeks",
        (13.6, 14.5, 14.28, 0.9567110374646104, 0.9871160931510816, None),
    ),
    ("rest_opt_snap_nogreeks", (11.3, 11.6, 14.85, None, None, None)),
    ("rest_opt_snap_stub", (0.03, 1.24, None, None, None, None)),
    ("rest_stk_snap", (387.67, 387.7, 178.26, None, None, 177.57)),
]
REFUSALS = {
    "e401_data": (401, "refused the key"),
    "e401_trading": (401, "refused the key"),
    "e402": (402, "payment required"),
    "e403_opra": (403, "OPRA agreement is not signed"),
    "e403_sip": (403, "subscription does not permit querying recent SIP data"),
    "e403_trading": (403, "Alpaca refused the key"),
    "e404_order": (404, "order not found"),
    "e422": (422, "bracket orders must be entry orders"),
}
CONTROLS = ("ts_authorized", "ts_listening", "ts_listening_refused")
SINGLE_TESTS = {
    "tu_null",
    "ts_error",
    "ts_unauthorized",
    "ts_unauthorized_listen",
    "rec_contract_adjusted",
    "rest_account",
    "rest_calendar",
    "rest_clock",
    "rest_clock_ns",
    "rest_index",
    "rest_positions",
}


def names(cases: list[Any]) -> set[str]:
    """Return the bodies that a table of cases speaks of."""
    return {(case.values if hasattr(case, "values") else case)[0] for case in cases}


def test_every_body_has_its_figures() -> None:
    """Every recorded body has an expectation, and every expectation a body."""
    expected = names(FRAMES) | names(UPDATES) | names(ORDERS) | names(FILLS) | names(SNAPSHOTS)
    expected |= {"e429", *OTHER_FRAMES, *OTHER_ACTIVITIES, *REFUSALS, *CONTROLS, *SINGLE_TESTS}
    assert expected == set(BODIES)


def with_times(value: Any) -> Any:
    """Return a body as msgpack carries it, with its times as timestamps, to the nanosecond."""
    if isinstance(value, list):
        return [with_times(one) for one in value]
    if isinstance(value, dict):
        return {key: packed_time(one) if key == "t" else with_times(one) for key, one in value.items()}
    return value


def packed_time(text: str) -> Any:
    """Return a time as msgpack's own type, to the nanosecond."""
    import msgpack

    whole, _, fraction = text.removesuffix("Z").partition(".")
    return msgpack.Timestamp(int(at(whole).timestamp()), int(fraction.ljust(9, "0") or 0))


def encode(body: Any, codec: str) -> bytes | str:
    """Return the frame that carries a body."""
    import msgpack

    packed: bytes | str = json.dumps(body) if codec == "json" else msgpack.packb(with_times(body))
    return packed


def decoded(name: str, codec: str) -> tuple[MarketBatch | None, list[dict[str, Any]]]:
    """Return the batch and the control messages of a body's frame."""
    decoder = FrameDecoder()
    controls = decoder.take(encode(BODIES[name]["body"], codec))
    return decoder.flush(), controls


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize(("name", "quotes", "trades", "controls"), FRAMES)
def test_frames(name, quotes, trades, controls, codec) -> None:
    """A frame gives its quotes, trades and control messages in either encoding."""
    batch, found = decoded(name, codec)
    assert [control["T"] for control in found] == controls
    if batch is None:
        assert not quotes
        assert not trades
        return
    assert batch.malformed == 0
    assert {
        one.symbol: (one.bid_price, one.ask_price, one.bid_size, one.ask_size) for one in batch.quotes
    } == quotes
    assert {one.symbol: (one.price, one.size) for one in batch.trades} == trades
    if name in FRAME_TIMES:
        [one] = [*batch.quotes, *batch.trades]
        assert one.timestamp == at(FRAME_TIMES[name])


@pytest.mark.parametrize("codec", ["msgpack", "json"])
def test_a_bar_is_not_a_quote(codec) -> None:
    """A bar, which is never subscribed to, is ignored and does not count as malformed."""
    assert decoded("stk_bar", codec) == (None, [])


@pytest.mark.parametrize("codec", ["msgpack", "json"])
def test_a_correction_is_understood(codec) -> None:
    """Corrected trades come with every subscription to trades, and do not count as malformed."""
    batch, _ = decoded("stk_correction", codec)
    assert batch is None or batch.malformed == 0


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize("name", HALTS)
def test_halts(name, codec) -> None:
    """A trading halt is read from the codes of either tape, with its time."""
    _, controls = decoded(name, codec)
    symbol, since = HALTS[name]
    assert read_halts(controls, RECEIVED) == {symbol: at(since)}


@pytest.mark.parametrize(("code", "kind"), ERROR_FRAMES)
def test_error_frames_end_or_interrupt_a_stream(code, kind) -> None:
    """A refused key, plan or feed is final; a slow client or a failing server is retried."""
    [frame] = BODIES[f"err_{code}"]["body"]
    error = rejection_of_frame("stocks", frame, asked=3)
    assert type(error) is kind
    assert error.code == code


@pytest.mark.parametrize(("code", "words"), ERROR_WORDS.items())
def test_error_frames_in_words(code, words) -> None:
    """Each documented error has its own sentence."""
    [frame] = BODIES[f"err_{code}"]["body"]
    assert words in str(rejection_of_frame("stocks", frame, asked=3))


@pytest.mark.parametrize("name", ["ts_unauthorized", "ts_unauthorized_listen"])
def test_the_trading_stream_refuses_a_key(name) -> None:
    """The answer "unauthorized" always means a refused key, and is final."""
    error = explain("fills", EOFError(), json.dumps(BODIES[name]["body"]))
    assert isinstance(error, StreamRejected)
    assert error.code == 402


@pytest.mark.parametrize("name", CONTROLS)
def test_the_trading_stream_greets(name) -> None:
    """A greeting before a lost connection is not the reason for the loss."""
    error = explain("fills", EOFError(), json.dumps(BODIES[name]["body"]))
    assert isinstance(error, StreamInterrupted)
    assert "lost" in str(error)


def test_the_trading_stream_says_why_it_closes() -> None:
    """The message of an error frame is the reason that the page shows."""
    error = explain("fills", EOFError(), json.dumps(BODIES["ts_error"]["body"]))
    assert "internal server error" in str(error)


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize(("name", "event", "time", "order", "execution"), UPDATES)
def test_order_updates(name, event, time, order, execution, codec) -> None:
    """An order update becomes one row: its order, its time and its own execution."""
    body = BODIES[name]["body"]
    packed = msgspec.json if codec == "json" else msgspec.msgpack
    row = normalize_trade_update(packed.decode(packed.encode(body)), received_at=RECEIVED)
    assert row is not None
    assert (row["event"], row["timestamp"]) == (event, at(time))
    assert tuple(row.get(field) for field in ORDER_FIELDS[1:]) == order
    assert {field: row.get(field) for field in execution} == execution
    assert len(row.get("legs") or ()) == len(body["data"]["order"]["legs"] or ())


def test_an_update_without_data_makes_no_row() -> None:
    """An update without data is skipped."""
    assert normalize_trade_update(BODIES["tu_null"]["body"]) is None


def ask(name: str, call: Callable[[AlpacaRest], Any], frame: Callable[[Any], Any] = lambda body: body) -> Any:
    """Return what the REST client makes of an answer with this body."""
    case = BODIES[name]
    answer = httpx.Response(case.get("status", 200), json=frame(case["body"]))
    rest = AlpacaRest(
        AlpacaSettings("PKINVENTED000000000", "INVENTED"),
        transport=httpx.MockTransport(lambda _: answer),
        pause=lambda _: True,
    )
    return call(rest)


@pytest.mark.parametrize(("name", "order", "legs"), ORDERS)
def test_orders(name, order, legs) -> None:
    """An order from REST becomes the same kind of row, with its legs."""
    row = normalize_rest_order(ask(name, lambda rest: rest.order("x")))
    assert row is not None
    assert row["order_id"] == BODIES[name]["body"]["id"]
    assert tuple(row.get(field) for field in ORDER_FIELDS[1:]) == order
    assert len(row.get("legs") or ()) == legs
    assert row["timestamp"] == at(BODIES[name]["body"]["updated_at"].removesuffix("Z")[:26])


def activity(name: str) -> Any:
    """Return the row that the client makes of a body in a page of activities."""
    [row] = ask(name, lambda rest: next(rest.fill_pages(RECEIVED)), lambda body: [body])
    return row


@pytest.mark.parametrize(("name", "fill"), FILLS)
def test_fill_activities(name, fill) -> None:
    """A FILL activity becomes an execution with the order's id, quantity and time."""
    row = rest_fill_row(activity(name))
    assert row is not None
    fields = ("event", "symbol", "fill_qty", "fill_price", "filled_qty", "qty")
    assert tuple(row[field] for field in fields) == fill[:-1]
    assert row["timestamp"] == at(fill[-1])
    assert row["order_id"] == BODIES[name]["body"]["order_id"]


@pytest.mark.parametrize("name", OTHER_ACTIVITIES)
def test_other_activities_are_not_fills(name) -> None:
    """Fees, transfers, assignments and expiries never count as fills."""
    assert rest_fill_row(activity(name)) is None


def test_positions() -> None:
    """A short position is negative, whether Alpaca writes a negative quantity or only gives the side."""
    positions = read_positions(ask("rest_positions", lambda rest: rest.positions()))
    assert {symbol: one.quantity for symbol, one in positions.items()} == POSITIONS


def test_an_account() -> None:
    """The account's equity, cash and last equity come as text."""
    account = ask("rest_account", lambda rest: rest.account())
    assert [account[name] for name in ("equity", "last_equity", "cash")] == [
        "123346.11",
        "122011.09",
        "122086.5",
    ]


@pytest.mark.parametrize(
    ("name", "now", "close"),
    [
        ("rest_clock", "2025-06-24T18:15:22", "2025-06-24T20:00:00"),
        ("rest_clock_ns", "2024-03-05T15:12:13.123456", "2024-03-05T21:00:00"),
    ],
)
def test_the_clock(name, now, close) -> None:
    """The clock is read to the microsecond, in summer time and in winter time."""
    calendar = AlpacaCalendar.from_alpaca(ask(name, lambda rest: rest.clock()), [])
    assert calendar.read_at == at(now)
    assert calendar.next_close(at(now)) == at(close)


def test_the_calendar() -> None:
    """A half day closes at 13:00 in New York."""
    days = ask("rest_calendar", lambda rest: rest.calendar(RECEIVED.date(), RECEIVED.date()))
    calendar = AlpacaCalendar.from_alpaca(BODIES["rest_clock"]["body"], days)
    assert calendar.next_close(at("2025-07-03T14:00:00")) == at("2025-07-03T17:00:00")


def test_an_adjusted_contract() -> None:
    """An adjusted contract reports 100 dollars a point, like any other."""
    contract = ask("rec_contract_adjusted", lambda rest: rest.option_contract("GME1261016C00003000"))
    assert read_multiplier(contract) == 100


@pytest.mark.parametrize(("name", "figures"), SNAPSHOTS)
def test_snapshots(name, figures) -> None:
    """A snapshot gives its quote, last trade, Greeks and previous close, or nothing for what it lacks."""
    [symbol] = BODIES[name]["body"]
    if name == "rest_stk_snap":
        answer = ask(name, lambda rest: rest.stock_snapshots([symbol], "iex"))
    else:
        answer = ask(
            name, lambda rest: rest.option_snapshots([symbol], "opra"), lambda body: {"snapshots": body}
        )
    rows = read_snapshots(answer, received_at=RECEIVED, trading_date=RECEIVED.date())
    [quote] = rows.quotes
    last = rows.trades[0].price if rows.trades else None
    greeks, close = rows.greeks.get(symbol), rows.previous_closes.get(symbol)
    assert rows.skipped == 0
    assert (
        quote.bid_price,
        quote.ask_price,
        last,
        greeks and greeks.delta,
        greeks and greeks.implied_volatility,
        close and close.price,
    ) == figures


def test_index_values() -> None:
    """Index values are prices without a size."""
    answer = ask("rest_index", lambda rest: rest.index_values(["SPX", "VIX"]), lambda body: {"values": body})
    assert {one.symbol: one.price for one in read_index_values(answer, RECEIVED)} == {
        "SPX": 7383.46,
        "VIX": 18.45,
    }


def test_too_many_requests_are_waited_for() -> None:
    """The client waits for the limit, and gives up only when it is stopped."""
    with pytest.raises(AlpacaRestError, match="stopped"):
        ask("e429", lambda rest: rest.account())


@pytest.mark.parametrize(("name", "refusal"), REFUSALS.items())
def test_refusals(name, refusal) -> None:
    """A refusal keeps its status and Alpaca's reason."""
    with pytest.raises(AlpacaRestError) as raised:
        ask(name, lambda rest: rest.account())
    status, words = refusal
    assert raised.value.status == status
    assert words in str(raised.value)
