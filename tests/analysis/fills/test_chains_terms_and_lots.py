"""Replaced orders as one order, each order's own terms, and fills of several lots, in many forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from apps.streamlit.components.fills.orders_list import orders_html
from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.words import fill_fact_words
from options_helper.data.streaming.trading_normalizers import normalize_rest_order, normalize_trade_update
from options_helper.models import Portfolio
from options_helper.times import NEW_YORK

CALL = "XYZ261218C00050000"
Json = dict[str, Any]


def at(second: int) -> str:
    """Return a time of the morning."""
    return f"2026-11-24T15:{second // 60:02}:{second % 60:02}Z"


def order(order_id: str, **fields: Any) -> Json:
    """Return an order as Alpaca writes it."""
    return {
        "id": order_id,
        "symbol": CALL,
        "qty": "10",
        "filled_qty": "0",
        "filled_avg_price": None,
        "status": "new",
        "side": "sell",
        "type": "limit",
        "order_class": "simple",
        "time_in_force": "day",
        "submitted_at": at(0),
        "updated_at": at(0),
        "legs": None,
        **fields,
    }


def update(event: str, second: int, body: Json, **execution: str) -> Any:
    """Return an order update, as the normalizer makes it."""
    more = {"execution_id": f"{body['id']}{second}", **execution} if execution else {}
    data = {"event": event, "timestamp": at(second), "order": {**body, "updated_at": at(second)}, **more}
    return normalize_trade_update({"stream": "trade_updates", "data": data})


def day_of(live: Sequence[Any], orders: Sequence[Any] = ()) -> FillDay:
    """Return the day that these rows make."""
    assert None not in live
    return FillDayBuilder().build([*live][::-1], (), orders)


def text_of(day: FillDay) -> str:
    """Return the list of orders without its markup."""
    return " ".join(re.sub("<[^>]+>", " ", orders_html(day, NEW_YORK)).split())


Chain = list[tuple[str, str | None]]
CHAINS: dict[str, tuple[Chain, float, float | None]] = {
    "a part before": ([("4", "2.00"), ("10", "1.90")], 14, 27 / 14),
    "nothing before": ([("0", None), ("10", "1.90")], 10, 1.90),
    "only before": ([("4", "2.00"), ("0", None)], 4, 2.00),
    "three orders": ([("1", "2.00"), ("2", "1.95"), ("7", "1.90")], 10, (2 + 3.9 + 13.3) / 10),
    "a gap in the middle": ([("3", "2.00"), ("0", None), ("7", "1.90")], 10, (6 + 13.3) / 10),
    "four orders": ([("1", "1"), ("1", "2"), ("1", "3"), ("1", "4")], 4, 2.5),
    "nothing at all": ([("0", None), ("0", None)], 0, None),
    "fractions of a share": ([("0.3", "190"), ("0.6", "191")], 0.9, (57 + 114.6) / 0.9),
    "small prices": ([("500", "0.000008765"), ("500", "0.000008775")], 1000, 0.00000877),
    "equal prices": ([("5", "1.90"), ("5", "1.90")], 10, 1.90),
    "one order": ([("6", "1.85")], 6, 1.85),
    "a price that is not known": ([("4", None), ("10", "1.90")], 14, None),
}


def bodies(chain: Chain, link: str) -> list[Json]:
    """Return the orders of a chain, linked at either end or at both."""
    made = []
    for number, (filled, price) in enumerate(chain):
        is_last = number == len(chain) - 1
        links = {}
        if number and link != "replaced_by":
            links["replaces"] = f"o{number - 1}"
        if not is_last and link != "replaces":
            links["replaced_by"] = f"o{number + 1}"
        status = "replaced" if not is_last else "filled" if filled != "0" else "canceled"
        made.append(
            order(f"o{number}", filled_qty=filled, filled_avg_price=price, status=status, **links)
            | {"submitted_at": at(10 * number)}
        )
    return made


@pytest.mark.parametrize("link", ["both", "replaces", "replaced_by"])
@pytest.mark.parametrize(("chain", "filled", "average"), CHAINS.values(), ids=CHAINS)
def test_a_replaced_chain_is_one_order_with_the_sums_of_the_chain(
    chain: Chain, filled: float, average: float | None, link: str
) -> None:
    """The result is the same from the stream, from REST, and in any order of reports."""
    made = bodies(chain, link)
    live = []
    for number, body in enumerate(made):
        quantity, price = chain[number]
        if quantity != "0" and price is not None:
            event = "fill" if body["status"] == "filled" else "partial_fill"
            live.append(update(event, 10 * number + 1, body, qty=quantity, price=price))
        if body["status"] != "filled":
            live.append(update(body["status"], 10 * number + 2, body))
    rest = [normalize_rest_order({**body, "updated_at": at(50)}) for body in made]
    for day in (day_of(live), day_of(live[::-1]), day_of(live + live), day_of([], rest), day_of(live, rest)):
        (joined,) = day.orders
        assert joined.filled == pytest.approx(filled)
        assert joined.average_price == (None if average is None else pytest.approx(average, rel=1e-9))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"qty": None, "notional": "250.75", "type": "market", "side": "buy"}, "buy for $250.75 market day"),
        ({"qty": None, "notional": "0.5", "type": "market"}, "sell for $0.50 market day"),
        ({"limit_price": "1.65", "position_intent": "sell_to_close"}, "sell to close 10 limit 1.65 day"),
        ({"limit_price": "1.65", "time_in_force": "gtc"}, "limit 1.65 GTC"),
        ({"type": "stop", "stop_price": "1.2"}, "sell 10 stop 1.20 day"),
        ({"type": "stop_limit", "stop_price": "1.2", "limit_price": "1.1"}, "limit 1.10 stop 1.20 day"),
        ({"type": "trailing_stop", "trail_percent": "1.5"}, "trail 1.5% day"),
        ({"type": "trailing_stop", "trail_price": "0.25"}, "trail $0.25 day"),
        ({"type": "market", "time_in_force": "opg"}, "market at the open"),
        ({"type": "market", "time_in_force": "cls"}, "market at the close"),
        ({"limit_price": "190", "extended_hours": True, "symbol": "XYZ"}, "limit 190.00 day extended hours"),
        ({"limit_price": "1.65", "time_in_force": "ioc"}, "limit 1.65 IOC"),
        ({"limit_price": "0.000008765", "symbol": "SHIB/USD"}, "limit 0.000008765 day"),
        ({"qty": "0.819736842", "type": "market", "symbol": "XYZ"}, "sell 0.819736842 market day"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_order_shows_its_own_terms_in_full(fields: Json, words: str) -> None:
    """The terms are the same from the stream and from REST."""
    body = order("o", **fields)
    assert words in text_of(day_of([update("new", 1, body)]))
    assert words in text_of(day_of([], [normalize_rest_order(body)]))


def test_an_order_from_an_earlier_day_shows_its_day() -> None:
    """An order from an earlier day shows its day, because a bare time would be read as today's."""
    old = order("old") | {"submitted_at": "2026-11-20T15:00:00Z", "updated_at": "2026-11-20T15:00:01Z"}
    text = text_of(day_of([update("new", 1, order("o"))], [normalize_rest_order(old)]))
    assert re.findall(r"(?:[A-Z][a-z]{2} )?\d\d:\d\d(?::\d\d)?", text) == ["10:00:01", "Fri 10:00"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"limit_price": "1.60"}, {"limit_price": "1.55"}, "limit 1.60 → 1.55"),
        ({"stop_price": "1.2"}, {"stop_price": "1.1"}, "stop 1.20 → 1.10"),
        ({"qty": "5"}, {"qty": "3"}, "quantity 5 → 3"),
        ({"trail_price": "0.25"}, {"trail_price": "0.5"}, "trail 0.25 → 0.50"),
        ({"trail_percent": "1.5"}, {"trail_percent": "2"}, "trail percent 1.5 → 2"),
        ({"time_in_force": "day"}, {"time_in_force": "gtc"}, "GTC"),
    ],
)
def test_a_replacement_says_what_it_changed(before: Json, after: Json, words: str) -> None:
    """The timeline names each changed term of the order."""
    first = order("o0", status="replaced", replaced_by="o1", **before)
    second = order("o1", replaces="o0", **after) | {"submitted_at": at(2)}
    assert words in text_of(day_of([update("replaced", 2, first), update("new", 3, second)]))


def lot(name: str, **changes: Any) -> Json:
    """Return a single option's entry."""
    return {
        "id": name,
        "symbol": "XYZ",
        "option_type": "call",
        "expiry": "2026-12-18",
        "strike": 50,
        "contracts": 2,
        "cost_basis": 1.5,
        **changes,
    }


def spread(name: str, *strikes: int) -> Json:
    """Return a structure of calls on these strikes."""
    legs = [
        {"side": side, "option_type": "call", "expiry": "2026-12-18", "strike": strike, "contracts": 2}
        for side, strike in zip(("long", "short"), strikes, strict=True)
    ]
    return {"id": name, "symbol": "XYZ", "net_debit": 300, "legs": legs}


def shares(name: str, symbol: str = "XYZ", number: float = 100) -> Json:
    """Return an entry of shares."""
    return {"id": name, "symbol": symbol, "shares": number, "cost_basis": 48}


COVERED = {
    "id": "covered",
    "symbol": "XYZ",
    "net_debit": 4700,
    "legs": [
        {"side": "long", "shares": 100},
        {"side": "short", "option_type": "call", "expiry": "2026-12-18", "strike": 50, "contracts": 1},
    ],
}


@pytest.mark.parametrize(
    ("entries", "symbol", "shared"),
    [
        ([lot("a")], CALL, {"a": ()}),
        ([lot("a"), lot("b")], CALL, {"a": ("b",), "b": ("a",)}),
        ([lot("a"), lot("b", contracts=-1)], CALL, {"a": ("b",), "b": ("a",)}),
        ([lot("a"), lot("b"), lot("c")], CALL, {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")}),
        ([lot("a"), lot("b", strike=55)], CALL, {"a": ()}),
        ([lot("a"), lot("b", option_type="put")], CALL, {"a": ()}),
        ([lot("a"), spread("s", 50, 55)], CALL, {"a": ("s",), "s": ("a",)}),
        ([spread("s", 50, 55), spread("t", 45, 50)], CALL, {"s": ("t",), "t": ("s",)}),
        ([lot("a"), COVERED], CALL, {"a": ("covered",), "covered": ("a",)}),
        ([shares("x"), COVERED], "XYZ", {"x": ("covered",), "covered": ("x",)}),
        ([shares("x"), shares("y", number=50)], "XYZ", {"x": ("y",), "y": ("x",)}),
        ([shares("x", "BRK.B"), shares("y", "BRK-B")], "BRK.B", {"x": ("y",), "y": ("x",)}),
        ([lot("a"), lot("b", root="XYZ")], CALL, {"a": ("b",), "b": ("a",)}),
        ([lot("a"), lot("b", root="XYZ1")], CALL, {"a": ()}),
    ],
    ids=str,
)
def test_a_fill_of_several_lots_names_the_others(
    entries: list[Json], symbol: str, shared: dict[str, tuple[str, ...]]
) -> None:
    """A lot's fact names the other lots of the same contract, but not lots of other contracts."""
    portfolio = Portfolio.model_validate({"positions": entries})
    body = order("o", symbol=symbol, qty="2", filled_qty="2", filled_avg_price="3", status="filled")
    facts = fills_for_portfolio(day_of([update("fill", 1, body, qty="2", price="3")]), portfolio).by_position
    assert {name: fact[0].shared_with for name, fact in facts.items()} == shared
    for name, (fact,) in facts.items():
        sentence = fill_fact_words(fact, NEW_YORK)
        assert all(other in sentence for other in shared[name])
        assert ("in total" in sentence) == bool(shared[name])
