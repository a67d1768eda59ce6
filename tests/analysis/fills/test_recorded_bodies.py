"""Recorded order updates, orders and activities, fed through the real code, with the expected figures."""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from apps.streamlit.components.fills.orders_list import orders_html
from options_helper.analysis.fills import FillDay, build_fill_day
from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.words import execution_notes, fill_fact_words
from options_helper.analysis.text.order_words import fill_words
from options_helper.data.account.activities import read_activity
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from options_helper.market import BrokerEvent, CashChange, LiveSnapshot
from options_helper.models import Portfolio
from options_helper.times import NEW_YORK, new_york_date
from tests.builders import rest_fill_row
from tests.fakes import order_history
from tests.said import steps_words

REALITY = Path(__file__).parents[2] / "reality"
Json = dict[str, Any]


def names(pattern: str) -> list[str]:
    """The recorded bodies of a kind."""
    return sorted(path.stem for path in REALITY.glob(pattern))


def body(name: str) -> Json:
    """A recorded body."""
    recorded: Json = json.loads((REALITY / f"{name}.json").read_text())["body"]
    return recorded


def update(recorded: Json) -> Json:
    """The row of an order update."""
    row = normalize_trade_update(recorded)
    assert row is not None
    return row


def day_of(*rows: Json, **more: Any) -> FillDay:
    """The day of some order updates, or of the given parts of a snapshot."""
    timed = [*rows, *more.get("rest_fills", ()), *more.get("rest_orders", ())]
    as_of = max(row["timestamp"] for row in timed) + dt.timedelta(seconds=1)
    return build_fill_day(LiveSnapshot(as_of=as_of, fills=rows, **more))


@pytest.mark.parametrize("name", names("tu_*.json"))
def test_every_recorded_update_is_an_order_of_its_day(name: str) -> None:
    """Each update names one order, except `data: null`."""
    row = normalize_trade_update(body(name))
    if name == "tu_null":
        assert row is None
        return
    assert row is not None
    assert len(day_of(row).orders) == 1


def test_a_multi_leg_fill_has_one_execution_per_leg() -> None:
    """Each leg has its own execution id and price, and the position after it."""
    day = day_of(update(body("tu_mleg_fill")))
    parent, *legs = day.executions
    assert (parent.kind.value, parent.price, parent.quantity) == ("parent", 1.62, 1)
    assert [(one.symbol, one.side, one.price, one.position_after) for one in legs] == [
        ("AAPL250321P00200000", "buy", 1.6, 1),
        ("AAPL250321C00380000", "buy", 0.02, 1),
    ]
    assert [one.execution_id for one in legs] == [
        f"000000{end}-0000-4000-8000-0000000000{end}" for end in ("3d", "3e")
    ]
    assert all(one.confirmed and one.price_origin.value == "reported" for one in legs)


def test_a_bust_that_names_a_legs_execution_undoes_only_that_leg() -> None:
    """The line notes the busted leg while another remains; once none remains, the line is void."""
    filled = body("tu_mleg_fill")
    bust = copy.deepcopy(filled)
    bust["data"] |= {
        "event": "trade_bust",
        "timestamp": "2025-01-21T07:40:00Z",
        "execution_id": "bust",
        "previous_execution_id": filled["data"]["legs"][0]["execution_id"],
        "qty": "-1",
        "price": "1.6",
    }
    del bust["data"]["legs"]
    parent, *legs = day_of(update(filled), update(bust)).executions
    assert [one.busted for one in (parent, *legs)] == [False, True, False]
    assert execution_notes(parent) == ("1 leg busted",)
    other = copy.deepcopy(bust)
    other["data"] |= {
        "execution_id": "other",
        "previous_execution_id": filled["data"]["legs"][1]["execution_id"],
        "price": "0.02",
    }
    parent, *legs = day_of(update(filled), update(bust), update(other)).executions
    assert [one.busted for one in (parent, *legs)] == [True, True, True]


def test_a_bust_finds_its_leg_even_if_the_update_lists_no_legs() -> None:
    """The execution's id alone identifies the leg; the other leg remains."""
    filled = body("tu_mleg_fill")
    bust = copy.deepcopy(filled)
    named = filled["data"]["legs"][1]["execution_id"]
    bust["data"] |= {"event": "trade_bust", "previous_execution_id": named, "execution_id": "bust"}
    bust["data"]["order"]["legs"] = None
    del bust["data"]["legs"]
    parent, *legs = day_of(update(filled), update(bust)).executions
    assert [one.busted for one in (parent, *legs)] == [False, False, True]
    assert execution_notes(parent) == ("1 leg busted",)


def test_a_bust_of_the_whole_undoes_legs_of_other_quantities() -> None:
    """The bust's quantity counts units, while REST's leg has twice as many contracts and no id."""
    filled = body("tu_mleg_fill")
    leg = filled["data"]["order"]["legs"][0] | {"qty": "2", "filled_qty": "2", "ratio_qty": "2"}
    filled["data"]["order"]["legs"][0] = leg
    order = normalize_rest_order(filled["data"]["order"])
    assert order is not None
    fills = []
    for number, one in enumerate(filled["data"]["order"]["legs"]):
        row = rest_fill_row(
            {
                "activity_type": "FILL", "id": f"a{number}", "order_id": one["id"], "symbol": one["symbol"],
                "cum_qty": one["qty"], "qty": one["qty"], "leaves_qty": "0", "price": one["filled_avg_price"],
                "side": "buy", "transaction_time": "2025-01-21T07:32:40.7Z",
            }
        )  # fmt: skip
        assert row is not None
        fills.append(row)
    bust = copy.deepcopy(filled)
    bust["data"] |= {"event": "trade_bust", "timestamp": "2025-01-21T07:40:00Z", "qty": "1", "price": "1.62"}
    for one in (bust["data"]["order"], *bust["data"]["order"]["legs"]):
        one |= {"filled_qty": "0", "updated_at": "2025-01-21T07:40:00Z"}
    del bust["data"]["legs"]
    day = day_of(update(bust), rest_fills=fills, rest_orders=[order])
    assert [one.busted for one in day.executions] == [True, True, True]


def test_a_correction_by_leg_changes_that_leg() -> None:
    """`data.legs[]` has the leg's own ids and figures, and a later bust may name its new id."""
    filled = body("tu_mleg_fill")
    correction = copy.deepcopy(filled)
    leg, other = correction["data"]["legs"]
    leg |= {"previous_execution_id": leg["execution_id"], "execution_id": "new", "price": "1.55", "qty": "2"}
    correction["data"] |= {"event": "trade_correct", "timestamp": "2025-01-21T07:40:00Z", "legs": [leg]}
    correction["data"] |= {"previous_execution_id": other["execution_id"], "execution_id": "whole"}
    _, *legs = day_of(update(filled), update(correction)).executions
    assert [(one.price, one.quantity, one.corrected) for one in legs] == [(1.55, 2, True), (0.02, 1, False)]
    bust = copy.deepcopy(correction)
    bust["data"] |= {"event": "trade_bust", "timestamp": "2025-01-21T07:41:00Z", "execution_id": "bust"}
    bust["data"]["legs"] = [leg | {"previous_execution_id": "new", "execution_id": "undone"}]
    _, *legs = day_of(update(filled), update(correction), update(bust)).executions
    assert [one.busted for one in legs] == [True, False]


def test_a_bust_with_a_negative_quantity_undoes_a_fill_that_only_rest_reported() -> None:
    """The sign of the quantity is ignored."""
    bust = update(body("tu_bust_negative"))
    assert bust["fill_qty"] == 1
    activity = {
        "activity_type": "FILL", "id": "a", "order_id": bust["order_id"], "cum_qty": "1", "leaves_qty": "0",
        "qty": "1", "price": "1", "side": "buy", "symbol": "AAPL", "transaction_time": "2025-03-10T14:30:03Z",
    }  # fmt: skip
    fill = rest_fill_row(activity)
    assert fill is not None
    (one,) = day_of(bust, rest_fills=(fill,)).executions
    assert one.busted


def test_the_reason_of_a_refused_cancel_is_not_shown_as_the_orders() -> None:
    """TOO_LATE_TO_CANCEL is the event's reason, not the filled order's."""
    (order,) = day_of(update(body("tu_cancel_rejected"))).orders
    assert (order.status, order.reject_reason) == ("filled", "")
    assert [(step.event, step.reason) for step in order.steps if step.reason] == [
        ("order_cancel_rejected", "TOO_LATE_TO_CANCEL")
    ]


def test_pending_new_comes_before_new() -> None:
    """Steps are in the order of their times."""
    rows = [update(body(name)) for name in ("tu_new_2025", "tu_pending_new_2025")]
    rows[0]["order_id"] = rows[1]["order_id"]
    (order,) = day_of(*rows).orders
    assert steps_words(order) == "pending new → new"


@pytest.mark.parametrize("status", ["pending_new", "accepted", "held"])
def test_an_order_that_is_not_working_yet_is_not_called_new(status: str) -> None:
    """The order's earlier states precede "new", from the stream and from REST."""
    waiting, new = (body(name) for name in ("tu_pending_new_2025", "tu_new_2025"))
    waiting["data"]["event"] = waiting["data"]["order"]["status"] = status
    words = status.replace("_", " ")
    (order,) = day_of(update(waiting)).orders
    assert (order.status, steps_words(order)) == (status, words)
    rest = normalize_rest_order(waiting["data"]["order"])
    assert rest is not None
    (order,) = day_of(rest_orders=(rest,)).orders
    assert (order.status, steps_words(order)) == (status, "")
    new["data"]["order"]["id"] = waiting["data"]["order"]["id"]
    (order,) = day_of(update(new), update(waiting)).orders
    assert (order.status, steps_words(order)) == ("new", f"{words} → new")


@pytest.mark.parametrize("name", [*names("act_fill*.json"), *names("rec_fill*.json")])
def test_every_recorded_fill_is_read(name: str) -> None:
    """Each fill has its quantity, price and side."""
    recorded = body(name)
    row = rest_fill_row(recorded)
    assert row is not None
    assert (row["fill_qty"], row["fill_price"]) == (float(recorded["qty"]), float(recorded["price"]))
    (one,) = day_of(rest_fills=(row,)).leaf_fills[-1:]
    assert one.side == recorded["side"]


@pytest.mark.parametrize("name", [*names("rest_order*.json"), *names("rec_order*.json")])
def test_every_recorded_order_is_read(name: str) -> None:
    """Each row is one order of its day, with its legs below it."""
    recorded = body(name)
    row = normalize_rest_order(recorded)
    assert row is not None
    (order,) = day_of(rest_orders=(row,)).orders
    assert len(order.legs) == len(recorded["legs"] or ())


@pytest.mark.parametrize(
    ("name", "kind", "quantity", "words"),
    [
        ("act_OPASN", "assignment", 1, "Assigned: 1 \N{MULTIPLICATION SIGN} QS 4.5 call"),
        ("act_OPEXP", "expiry", 1, "Expired: 1 \N{MULTIPLICATION SIGN} QS 10.5 call"),
    ],
)
def test_an_assignment_or_expiry_is_an_event(name: str, kind: str, quantity: float, words: str) -> None:
    """The event is in `events` with a positive quantity, and is not a fill."""
    read = read_activity(body(name))
    assert isinstance(read, BrokerEvent)
    day = build_fill_day(LiveSnapshot(broker_events=(read,)), day=dt.date(2024, 3, 1))
    assert day.executions == ()
    (event,) = day.events
    assert (event.type, event.quantity, event.words) == (kind, quantity, words)


def test_an_assignment_names_the_resulting_shares() -> None:
    """The share trade is found by its `group_id`."""
    common = {"date": "2026-11-24", "group_id": "g", "net_amount": "0", "status": "executed"}
    bodies = [
        {**common, "id": "1", "activity_type": "OPASN", "symbol": "AAPL261127P00255000", "qty": "2"},
        {**common, "id": "2", "activity_type": "OPTRD", "symbol": "AAPL", "qty": "200", "price": "255"},
    ]
    read = tuple(one for each in bodies if isinstance(one := read_activity(each), BrokerEvent))
    (event,) = build_fill_day(LiveSnapshot(broker_events=read), day=dt.date(2026, 11, 24)).events
    assert event.words == "Assigned: 2 \N{MULTIPLICATION SIGN} AAPL 255 put → +200 AAPL at 255.00"


@pytest.mark.parametrize("name", ["act_CFEE", "act_DIV", "act_FEE", "act_JNLC"])
def test_other_activities_are_neither_fills_nor_events(name: str) -> None:
    """Fees, dividends and journals are changes in cash."""
    assert isinstance(read_activity(body(name)), CashChange)


# Everyday orders and fills

AT = dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)


def order_update(event: str, second: int, order_id: str, **fields: Any) -> Json:
    """An order update of one contract or stock."""
    execution = {name: fields.pop(name) for name in ("fill", "price") if name in fields}
    at = f"2026-11-24T15:00:{second:02}Z"
    order = {
        "id": order_id, "symbol": "XYZ261218C00050000", "qty": "10",
        "filled_qty": "0", "filled_avg_price": None,
        "status": event, "side": "sell", "type": "limit", "order_class": "simple", "time_in_force": "day",
        "submitted_at": "2026-11-24T15:00:00Z", "updated_at": at, "legs": None, **fields,
    }  # fmt: skip
    data: Json = {"event": event, "timestamp": at, "order": order}
    if execution:
        data |= {
            "qty": execution["fill"],
            "price": execution["price"],
            "execution_id": f"x{order_id}{second}",
        }
    return update({"stream": "trade_updates", "data": data})


@pytest.mark.parametrize(
    ("events", "steps"),
    [
        ([("pending_new", 1), ("new", 2)], [("pending_new", 1), ("new", 2)]),
        ([("pending_new", 1), ("canceled", 4)], [("pending_new", 1), ("new", 1), ("canceled", 4)]),
        ([("new", 2), ("new", 3)], [("new", 2)]),
        ([("new", 2), ("rejected", 4)], [("new", 2), ("rejected", 4)]),
        ([("rejected", 4)], [("rejected", 4)]),
    ],
)
def test_an_order_is_new_from_the_streams_time(
    events: list[tuple[str, int]], steps: list[tuple[str, int]]
) -> None:
    """The stream's first "new" decides; if it was missed, "new" never precedes earlier events."""
    (order,) = day_of(*(order_update(event, second, "o") for event, second in events)).orders
    assert [(step.event, step.at.second) for step in order.steps] == steps


def test_a_replaced_chain_shows_what_the_chain_filled() -> None:
    """4 at 2.00 before the replacement and 10 at 1.90 after it are 14 at 1.93."""
    part = {"filled_qty": "4", "filled_avg_price": "2.00", "limit_price": "2.00"}
    rows = [
        order_update("partial_fill", 1, "A", fill="4", price="2.00", **part),
        order_update("replaced", 2, "A", replaced_by="B", **part),
        order_update("fill", 3, "B", fill="10", price="1.90", filled_qty="10", filled_avg_price="1.90",
                     status="filled", limit_price="1.90", replaces="A"),
    ]  # fmt: skip
    (order,) = day_of(*rows).orders
    assert (order.filled, round(order.average_price or 0, 2)) == (14, 1.93)


def test_an_order_shows_its_own_terms() -> None:
    """The order shows dollars, trail, time in force, extended hours and stop."""
    money = order_update("new", 1, "n", qty=None, notional="250.75", symbol="XYZ", side="buy", type="market")
    trail = order_update("new", 2, "t", type="trailing_stop", trail_percent="1.5", time_in_force="gtc")
    stop = order_update("new", 3, "s", type="stop", stop_price="1.2", extended_hours=True)
    html = orders_html(day_of(money, trail, stop), NEW_YORK)
    for words in ("for $250.75", "trail 1.5%", "GTC", "stop 1.20", "extended hours"):
        assert words in html


def test_a_small_price_is_shown_in_full() -> None:
    """A price of 0.000008765 is never written as 0.00."""
    row = order_update("fill", 1, "c", symbol="SHIB/USD", side="buy", qty="5", filled_qty="5",
                       filled_avg_price="0.000008765", fill="5", price="0.000008765")  # fmt: skip
    (one,) = day_of(row).executions
    assert one.price == 0.000008765
    assert fill_words(5, one.price) == "5 @ 0.000008765"
    assert "0.000008765" in orders_html(day_of(row), NEW_YORK)


def test_a_fill_of_two_lots_is_not_attributed_to_one_of_them() -> None:
    """The sentence about each lot names the other lot."""
    lots = [
        {"id": f"lot{n}", "symbol": "XYZ", "option_type": "call", "expiry": "2026-12-18", "strike": 50,
         "contracts": 2, "cost_basis": n}
        for n in (1, 2)
    ]  # fmt: skip
    portfolio = Portfolio.model_validate({"positions": lots})
    row = order_update("fill", 1, "o", qty="2", filled_qty="2", filled_avg_price="3", fill="2", price="3")
    facts = fills_for_portfolio(day_of(row), portfolio).by_position
    assert [fill_fact_words(facts[name][0], NEW_YORK) for name in ("lot1", "lot2")] == [
        "2 contracts sold 10:00 (in total, including lot2)",
        "2 contracts sold 10:00 (in total, including lot1)",
    ]


class LosingRest:
    """A REST source that leaves a fill out of its pages."""

    def __init__(self) -> None:
        self.asked: list[dt.datetime] = []
        self.fills: list[Json] = []

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[Any]:
        """Return one order, filled in full."""
        del after
        at = "2026-11-24T15:00:00Z"
        order = {"id": "o", "symbol": "XYZ", "qty": "300", "filled_qty": "300", "filled_avg_price": "5",
                 "status": "filled", "side": "buy", "submitted_at": at, "updated_at": at}  # fmt: skip
        return [] if status == "open" else [order]

    def order(self, order_id: str) -> Json:
        """Fail, because no single order may be requested."""
        raise AssertionError(order_id)

    def non_trade_pages(self, after: dt.datetime) -> Any:
        """Yield an empty page."""
        del after
        yield []

    def fill_pages(self, after: dt.datetime) -> Any:
        """Yield the test's fills."""
        self.asked.append(after)
        yield self.fills


def activity(quantity: int, total: int) -> Json:
    """Return a FILL of the order of `LosingRest`."""
    return {"activity_type": "FILL", "id": f"a{total}", "order_id": "o", "cum_qty": str(total),
            "qty": str(quantity), "leaves_qty": "0", "price": "5", "symbol": "XYZ", "side": "buy",
            "transaction_time": "2026-11-24T15:00:00.1Z"}  # fmt: skip


def test_a_hole_that_rest_did_not_fill_is_requested_again_however_old() -> None:
    """Hours later, the fetch still begins before the missing fill, until it is found."""
    rest = LosingRest()
    history = order_history(rest)
    rest.fills = [activity(100, 100), activity(100, 300), {**activity(1, 1), "order_id": "o", "id": "late",
                  "transaction_time": "2026-11-24T18:00:00Z", "cum_qty": "301"}]  # fmt: skip
    rest.fills[2]["qty"] = "0.0000000001"
    for hours in (0, 4):
        history.update(AT + dt.timedelta(hours=hours))
    assert rest.asked[1] <= AT
    rest.fills.append(activity(100, 200))
    history.update(AT + dt.timedelta(hours=5))
    history.update(AT + dt.timedelta(hours=6))
    assert rest.asked[3] > AT + dt.timedelta(hours=2)


def test_the_rows_of_a_snapshot_are_read_only() -> None:
    """Writing to a row or a nested row raises, and the cache stays unchanged."""
    cache = LiveCache()
    row = update(body("tu_mleg_fill"))
    cache.apply_orders([row], now=row["timestamp"])
    kept = cache.state.fills[0]
    for target in (kept, kept["legs"][0], kept["leg_executions"][0], kept["position_qtys"]):
        with pytest.raises(TypeError):
            target["symbol"] = "X"
    assert "X" not in {kept["symbol"], kept["legs"][0]["symbol"]}


def test_updates_from_another_new_york_day_are_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Updates of another New York day are left out, counted and logged."""
    cache = LiveCache()
    row = update(body("tu_fill_2021"))
    cache.apply_orders([row], now=AT)
    assert (cache.state.fills, cache.updates_of_other_days) == ((), 1)
    assert "(since Start: 1)" in caplog.text
    assert new_york_date(row["timestamp"]) == dt.date(2021, 7, 29)
