"""Order updates, orders and fills of every dialect, as one stable row."""

from __future__ import annotations

import copy
import datetime as dt
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from options_helper.data.values import to_decimal, to_number
from tests.builders import rest_fill_row

CALL = "AAPL261218C00250000"
HIGHER_CALL = "AAPL261218C00260000"
ORDER_ID = "61e69015-8549-4bfd-b9c3-01e75843f47d"
STABLE = {
    "timestamp",
    "event",
    "order_id",
    "symbol",
    "side",
    "qty",
    "filled_qty",
    "filled_avg_price",
    "status",
}
EVENTS = [
    "new",
    "accepted",
    "pending_new",
    "fill",
    "partial_fill",
    "canceled",
    "expired",
    "done_for_day",
    "replaced",
    "rejected",
    "held",
    "stopped",
    "pending_cancel",
    "pending_replace",
    "calculated",
    "suspended",
    "order_replace_rejected",
    "order_cancel_rejected",
    "restated",
    "trade_bust",
    "trade_correct",
]  # facts of Alpaca's "Websocket Streaming" page


def make_order(**changes: object) -> dict[str, Any]:
    """An order as Alpaca's schema `Order` has it."""
    return {
        "id": ORDER_ID,
        "client_order_id": "a-client's-own",
        "created_at": "2026-11-20T15:00:00.1Z",
        "updated_at": "2026-11-20T15:00:05.123456789Z",
        "submitted_at": "2026-11-20T15:00:00.2Z",
        "filled_at": None,
        "symbol": CALL,
        "asset_class": "us_option",
        "qty": "5",
        "filled_qty": "2",
        "filled_avg_price": "1.62",
        "order_class": "simple",
        "order_type": "limit",
        "type": "limit",
        "side": "buy",
        "position_intent": "buy_to_open",
        "time_in_force": "day",
        "limit_price": "1.65",
        "stop_price": None,
        "status": "partially_filled",
        "extended_hours": False,
        "legs": None,
        **changes,
    }


def make_update(**changes: object) -> dict[str, Any]:
    """A partial fill as the trading stream sends it."""
    data = {
        "event": "partial_fill",
        "execution_id": "7922ab44-5b33-4049-ab1c-0cfd805ba989",
        "timestamp": "2026-11-20T15:00:05.123456789Z",
        "price": "1.62",
        "qty": "2",
        "position_qty": "2",
        "order": make_order(),
    }
    return {"stream": "trade_updates", "data": {**data, **changes}}


def test_a_fill_becomes_the_promised_row() -> None:
    """The row has the promised keys with floats, lower-case words and an aware UTC time."""
    row = normalize_trade_update(make_update())
    assert row is not None
    assert row["timestamp"] == dt.datetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC)
    expected = {
        "event": "partial_fill",
        "order_id": ORDER_ID,
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": 2.0,
        "filled_avg_price": 1.62,
        "status": "partially_filled",
        "type": "limit",
        "tif": "day",
        "limit_price": 1.65,
        "stop_price": None,
        "order_class": "simple",
        "position_intent": "buy_to_open",
        "execution_id": "7922ab44-5b33-4049-ab1c-0cfd805ba989",
        "fill_qty": 2.0,
        "fill_price": 1.62,
        "position_qty": 2.0,
        "origin": "live",
    }
    assert {key: row[key] for key in expected} == expected
    assert "client_order_id" not in row
    assert "legs" not in row


def test_the_envelope_may_be_missing() -> None:
    """The stream's frame and its data alone give the same row."""
    frame = make_update()
    assert normalize_trade_update(frame["data"]) == normalize_trade_update(frame)


def test_optional_keys_exist_only_if_the_source_has_them() -> None:
    """A missing field gives no key, and a null field gives None."""
    update = make_update(
        order={"id": "a", "symbol": CALL, "side": "sell", "status": "new", "stop_price": None}
    )
    del update["data"]["execution_id"]
    row = normalize_trade_update(update)
    assert row is not None
    assert set(row) - STABLE == {"stop_price", "fill_qty", "fill_price", "position_qty", "origin"}
    assert row["stop_price"] is None
    assert (row["qty"], row["filled_qty"], row["filled_avg_price"]) == (None, None, None)


@pytest.mark.parametrize("event", [*EVENTS, "something_alpaca_invents_tomorrow"])
def test_every_event_and_status_passes_through(event: str) -> None:
    """Known or not, an event or status stays the same word."""
    row = normalize_trade_update(make_update(event=event, order=make_order(status=f"{event}_status")))
    assert row is not None
    assert (row["event"], row["status"]) == (event, f"{event}_status")


@pytest.mark.parametrize(
    "update",
    [
        None,
        {},
        [],
        7,
        "text",
        b"bytes",
        {"stream": "trade_updates", "data": None},
        {"stream": "listening", "data": {"streams": ["trade_updates"]}},
        {"stream": "authorization", "data": {"status": "authorized"}},
        {"data": {"event": "fill", "order": None}},
        {"event": "fill"},
        {"event": "fill", "order": {}},
        {"event": "fill", "order": "text"},
    ],
)
def test_an_update_without_an_order_gives_none(update: object) -> None:
    """Anything without an order gives None and raises nothing."""
    assert normalize_trade_update(update) is None


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("12.5", 12.5),
        (3, 3.0),
        (-1.62, -1.62),
        ("", None),
        ("x", None),
        ("NaN", None),
        (True, None),
        ([], None),
    ],
)
def test_numbers_come_as_text_or_numbers(given: object, number: float | None) -> None:
    """Text and numbers become floats; anything but a finite number becomes None."""
    row = normalize_trade_update(make_update(price=given, order=make_order(limit_price=given)))
    assert row is not None
    assert (row["fill_price"], row["limit_price"]) == (number, number)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-20T10:00:05-05:00", dt.datetime(2026, 11, 20, 15, 0, 5, tzinfo=dt.UTC)),
        (dt.datetime(2026, 11, 20, 15, 0, 5), dt.datetime(2026, 11, 20, 15, 0, 5, tzinfo=dt.UTC)),  # noqa: DTZ001
        (1_795_000_000_123_456_789, dt.datetime(2026, 11, 18, 11, 6, 40, 123456, tzinfo=dt.UTC)),
        ("yesterday", dt.datetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC)),  # the order's last change
        (None, dt.datetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC)),
    ],
)
def test_times_are_aware_utc(given: object, expected: dt.datetime) -> None:
    """Offsets, naive datetimes and nanoseconds become UTC; the order's time replaces an unreadable one."""
    row = normalize_trade_update(make_update(timestamp=given))
    assert row is not None
    assert row["timestamp"] == expected
    assert row["timestamp"].tzinfo is dt.UTC


def test_an_update_without_any_time_gets_its_time_of_receipt() -> None:
    """If neither update nor order has a time, the time of receipt counts, or else the clock's."""
    received = dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC)
    update = {"event": "new", "order": {"id": "a"}}
    row = normalize_trade_update(update, received_at=received)
    assert row is not None
    assert row["timestamp"] == received
    unaided = normalize_trade_update(update)
    assert unaided is not None
    assert unaided["timestamp"].tzinfo is dt.UTC


class Side(str, Enum):  # noqa: UP042 - alpaca-py's enums are of this kind
    """Like alpaca-py's OrderSide: its str() is "Side.BUY"."""

    BUY = "buy"


@pytest.mark.parametrize("side", [Side.BUY, "BUY", "OrderSide.BUY", " buy "])
def test_words_are_lower_case_and_bare(side: object) -> None:
    """A side is never "orderside.buy"."""
    row = normalize_trade_update(make_update(order=make_order(side=side)))
    assert row is not None
    assert row["side"] == "buy"


def test_objects_are_read_by_attribute() -> None:
    """An object with the SDK's attributes gives the raw update's row, with identifiers as text."""
    data = make_update()["data"]
    order = SimpleNamespace(**{**data["order"], "id": UUID(ORDER_ID), "side": Side.BUY})
    row = normalize_trade_update(SimpleNamespace(**{**data, "order": order}))
    assert row == normalize_trade_update(data)


@pytest.mark.integration
def test_alpaca_py_models_give_the_same_row() -> None:
    """The SDK's TradeUpdate, parsed from the frame, gives the raw frame's figures."""
    models = pytest.importorskip("alpaca.trading.models", reason="alpaca-py is not installed")
    raw = normalize_trade_update(make_update())
    parsed = normalize_trade_update(models.TradeUpdate(**make_update()["data"]))
    assert raw is not None
    assert parsed is not None
    assert {key: parsed[key] for key in raw} == raw


@pytest.mark.integration
def test_alpaca_py_models_of_a_multi_leg_order_give_the_same_row() -> None:
    """The SDK's TradeUpdate of a spread gives the raw frame's row, with its legs."""
    models = pytest.importorskip("alpaca.trading.models", reason="alpaca-py is not installed")
    update = make_multi_leg()
    order = update["data"]["order"]
    for number, part in enumerate((order, *order["legs"])):
        part["id"] = f"{ORDER_ID[:-1]}{number}"
    raw, parsed = normalize_trade_update(update), normalize_trade_update(models.TradeUpdate(**update["data"]))
    assert raw is not None
    assert parsed is not None
    for ours, theirs in ((raw, parsed), *zip(raw.pop("legs"), parsed.pop("legs"), strict=True)):
        assert {key: theirs[key] for key in ours} == ours


def make_multi_leg(**changes: object) -> dict[str, Any]:
    """A fill of a vertical; the fields that Alpaca leaves empty in the parent are empty here too."""
    leg = {"order_class": "mleg", "type": "", "order_type": "", "limit_price": None, "ratio_qty": "1"}
    legs = [
        make_order(**leg, id="leg-1", side="buy", qty="2", filled_qty="1", filled_avg_price="3.1"),
        make_order(
            **leg,
            id="leg-2",
            symbol=HIGHER_CALL,
            side="sell",
            position_intent="sell_to_open",
            qty="2",
            filled_qty="1",
            filled_avg_price="1.48",
        ),
    ]
    parent = make_order(
        id="parent",
        symbol="",
        side="",
        position_intent="",
        asset_class="",
        order_class="mleg",
        qty="2",
        filled_qty="1",
        filled_avg_price="1.62",
        legs=legs,
        **changes,
    )
    return make_update(order=parent, qty="1", position_qty=None)


def test_a_multi_leg_order_is_never_blank() -> None:
    """The parent takes its symbol and side from its legs, and each leg is a row."""
    row = normalize_trade_update(make_multi_leg())
    assert row is not None
    assert (row["symbol"], row["side"], row["order_class"]) == ("AAPL", "buy/sell", "mleg")
    assert (row["position_intent"], row["fill_price"]) == (None, 1.62)
    keys = ("order_id", "symbol", "side", "qty", "ratio_qty", "filled_qty", "filled_avg_price", "status")
    assert [tuple(leg[key] for key in keys) for leg in row["legs"]] == [
        ("leg-1", CALL, "buy", 2.0, 1.0, 1.0, 3.1, "partially_filled"),
        ("leg-2", HIGHER_CALL, "sell", 2.0, 1.0, 1.0, 1.48, "partially_filled"),
    ]
    assert [leg["position_intent"] for leg in row["legs"]] == ["buy_to_open", "sell_to_open"]
    assert [leg["type"] for leg in row["legs"]] == [None, None]


def test_legs_on_several_roots_name_them_all() -> None:
    """Without a common root, the parent names every symbol; a leg that is not an order is left out."""
    update = make_multi_leg()
    legs = update["data"]["order"]["legs"]
    legs[1]["symbol"] = "MSFT"
    legs.append("not a leg")
    row = normalize_trade_update(update)
    assert row is not None
    assert row["symbol"] == f"{CALL} + MSFT"
    assert len(row["legs"]) == 2


def test_replaced_and_rejected_orders_keep_their_links_and_reasons() -> None:
    """The links between replacements, the times and the reason for a rejection are kept."""
    order = make_order(replaced_by=UUID(ORDER_ID), replaces="older", failed_at="2026-11-20T15:01:00Z")
    row = normalize_trade_update(make_update(order=order, reason="insufficient buying power"))
    assert row is not None
    assert (row["replaced_by"], row["replaces"]) == (ORDER_ID, "older")
    assert row["failed_at"] == dt.datetime(2026, 11, 20, 15, 1, tzinfo=dt.UTC)
    assert row["reject_reason"] == "insufficient buying power"


def test_a_bust_names_what_it_undoes() -> None:
    """The id of the execution that a bust or correction refers to is kept."""
    row = normalize_trade_update(make_update(event="trade_bust", previous_execution_id="x-1"))
    assert row is not None
    assert row["previous_execution_id"] == "x-1"


def test_normalizing_does_not_change_its_input() -> None:
    """The given update is not changed."""
    update = make_multi_leg()
    before = copy.deepcopy(update)
    normalize_trade_update(update)
    assert update == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    order=st.dictionaries(st.sampled_from(sorted(make_order())), JSON),
    update=st.dictionaries(st.sampled_from(sorted(make_update()["data"])), JSON),
)
def test_no_payload_raises(order: dict[str, Any], update: dict[str, Any]) -> None:
    """Whatever the fields contain, the result is None or a row with the stable keys and a time."""
    row = normalize_trade_update({**update, "order": order})
    assert row is None or set(row) >= STABLE
    assert row is None or row["timestamp"].tzinfo is dt.UTC
    assert normalize_trade_update(update) is None or "order" in update
    for normalize in (normalize_rest_order, rest_fill_row):
        rest = normalize(order)
        assert rest is None or rest["timestamp"].tzinfo is dt.UTC


def test_a_rest_order_has_the_same_shape() -> None:
    """An order from REST gives the keys of a live row, and its event is its status."""
    row = normalize_rest_order(make_order())
    live = normalize_trade_update(make_update())
    assert row is not None
    assert live is not None
    assert row["event"] == row["status"] == "partially_filled"
    assert row["origin"] == "rest"
    executions = {"execution_id", "fill_qty", "fill_price", "position_qty"}
    assert set(live) - set(row) == executions
    assert {key: row[key] for key in row if key not in {"event", "origin"}} == {
        key: live[key] for key in row if key not in {"event", "origin"}
    }


@pytest.mark.parametrize("order", [None, {}, {"symbol": CALL}, {"id": "a"}])
def test_an_order_without_id_or_time_is_malformed(order: object) -> None:
    """A REST order without an id or a time gives None."""
    assert normalize_rest_order(order) is None


ACTIVITY = {
    "activity_type": "FILL",
    "id": "20261120150005123::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "cum_qty": "2",
    "leaves_qty": "3",
    "order_id": ORDER_ID,
    "order_status": "partially_filled",
    "price": "1.62",
    "qty": "2",
    "side": "buy",
    "symbol": CALL,
    "transaction_time": "2026-11-20T15:00:05.123456Z",
    "type": "partial_fill",
}


def test_an_activity_is_one_execution() -> None:
    """A FILL gives the execution with its order, cumulative quantity and whole quantity."""
    assert rest_fill_row(ACTIVITY) == {
        "timestamp": dt.datetime(2026, 11, 20, 15, 0, 5, 123456, tzinfo=dt.UTC),
        "event": "partial_fill",
        "order_id": ORDER_ID,
        "symbol": CALL,
        "side": "buy",
        "qty": 5.0,
        "filled_qty": 2.0,
        "filled_avg_price": None,
        "status": "partially_filled",
        "fill_qty": 2.0,
        "fill_price": 1.62,
        "activity_id": "20261120150005123::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
        "origin": "rest",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"order_id": None},
        {"cum_qty": "many"},
        {"qty": "0"},
        {"transaction_time": ""},
        {"activity_type": "DIV"},
    ],
)
def test_an_activity_without_its_cumulative_quantity_is_malformed(change: dict[str, Any]) -> None:
    """An activity that is not a fill, or lacks id, quantities or time, gives None."""
    assert rest_fill_row({**ACTIVITY, **change}) is None


def test_an_activity_without_leaves_has_no_total() -> None:
    """Without the remaining quantity, the whole quantity is unknown."""
    row = rest_fill_row({**ACTIVITY, "leaves_qty": None})
    assert row is not None
    assert row["qty"] is None


def test_an_underscore_is_not_part_of_a_number() -> None:
    """Python would read 1_0 as ten, but it is not a number here."""
    assert to_number("1_0") is None
    assert to_decimal("1_0") is None
