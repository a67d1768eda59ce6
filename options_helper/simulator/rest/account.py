"""The trading API's routes for the account: orders, activities, positions, and the account itself.

Field names: schemas `Order`, `TradingActivities`, `Position` and `Account` of Alpaca's Trading API.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from options_helper.simulator.account.events import AccountEvent, event_row
from options_helper.simulator.account.orders import (
    Execution,
    Order,
    activity_row,
    asset_class,
    asset_id,
    order_row,
    text_of,
    to_cents,
)
from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.rest.application import RestError, read_count
from options_helper.simulator.wire import JsonObject, Nanoseconds
from options_helper.simulator.world import World

_MOST_ORDERS = 500
_MOST_ACTIVITIES = 100
_CASH = Decimal(12400)
_UNCHANGING = {
    "account_number": "PA3SIMULATED",
    "status": "ACTIVE",
    "currency": "USD",
    "initial_margin": "0",
    "maintenance_margin": "0",
    "last_maintenance_margin": "0",
    "multiplier": "2",
    "sma": "0",
    "accrued_fees": "0",
    "options_approved_level": 3,
    "options_trading_level": 3,
    "account_blocked": False,
    "trading_blocked": False,
    "transfers_blocked": False,
    "trade_suspended_by_user": False,
    "shorting_enabled": True,
    "created_at": "2024-01-02T15:04:05.678901Z",
}


def _read_time(query: Mapping[str, str], name: str) -> Nanoseconds | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return Nanoseconds.parse(text)
    except ValueError as error:
        raise RestError(422, f"{name} is not a time", 40010001) from error


def orders(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/orders`: sorted by submission; by default newest first and open orders only."""
    nested = query.get("nested", "false") == "true"
    limit = read_count(query, "limit", 50, _MOST_ORDERS)
    after, until = _read_time(query, "after"), _read_time(query, "until")
    status = query.get("status", "open")
    if status not in {"open", "closed", "all"}:
        raise RestError(422, f"invalid status: {status}", 40010001)
    chosen = [
        order
        for order in world.desk.orders.values()
        if (after is None or order.created_at > after)
        and (until is None or order.created_at < until)
        and status in {"all", "closed" if order.closed else "open"}
        and not (nested and order.parent)
        and not (status == "open" and order.status == "held")
        and _is_of(order, query)
    ]
    if query.get("direction", "desc") == "desc":
        chosen.reverse()
    return [order_row(order, nested=nested) for order in chosen[:limit]]


def _is_of(order: Order, query: Mapping[str, str]) -> bool:
    symbols = {symbol for symbol in query.get("symbols", "").split(",") if symbol}
    own = {order.symbol, *(leg.symbol for leg in order.legs)}
    return (not symbols or bool(symbols & own)) and query.get("side", order.side) == order.side


def order(world: World, path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/orders/{order_id}`."""
    found = world.desk.orders.get(path["order_id"])
    if found is None:
        raise RestError(404, "order not found", 40410000)
    return order_row(found, nested=query.get("nested", "false") == "true")


def activities(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/account/activities`: unbusted executions and account events, in pages of at most 100."""
    limit = read_count(query, "page_size", _MOST_ACTIVITIES, _MOST_ACTIVITIES)
    chosen = sorted(
        _activities_of(world, query),
        key=lambda one: one.activity_id,
        reverse=query.get("direction", "desc") == "desc",
    )
    token = query.get("page_token")
    if token:
        places = [place for place, one in enumerate(chosen) if one.activity_id == token]
        chosen = chosen[places[0] + 1 :] if places else []
    return [event_row(one) if isinstance(one, AccountEvent) else activity_row(one) for one in chosen[:limit]]


def _activities_of(world: World, query: Mapping[str, str]) -> Iterator[Execution | AccountEvent]:
    types = {one for one in query.get("activity_types", "").split(",") if one}
    after, until = _read_time(query, "after") or 0, _read_time(query, "until") or math.inf
    fills = [one for one in world.desk.executions if not one.busted]
    groups: list[tuple[str, Sequence[Execution | AccountEvent]]] = [
        ("trade_activity", fills),
        ("non_trade_activity", world.desk.events.rows),
    ]
    for category, records in groups:
        if query.get("category", category) != category:
            continue
        for one in records:
            kind = one.kind if isinstance(one, AccountEvent) else "FILL"
            is_within = _is_on(query["date"][:10], one.at) if "date" in query else after < one.at < until
            if (not types or kind in types) and is_within:
                yield one


def _is_on(day: str, at: Nanoseconds) -> bool:
    return at.to_new_york().date().isoformat() == day


def positions(world: World, _path: Mapping[str, str], _query: Mapping[str, str]) -> object:
    """`/v2/positions`; options are valued at their last trade, as Alpaca does."""
    rows = (_position(world, symbol, quantity, entry) for symbol, quantity, entry in world.desk.positions)
    return [row for row in rows if row]


def _position(world: World, symbol: str, quantity: Decimal, entry: Decimal) -> JsonObject | None:
    contract = parse_contract(symbol)
    trade = world.tape.latest_trade(symbol)
    last_day = _previous_close(world, symbol)
    if trade is None or last_day is None:
        return None
    price, before = to_cents(trade["p"]), to_cents(last_day)
    size = quantity * (1 if contract is None else 100)
    cost, profit, today = size * entry, size * (price - entry), size * (price - before)
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol,
        "exchange": "NASDAQ" if contract is None else "",
        "asset_class": asset_class(symbol),
        "asset_marginable": contract is None,
        "avg_entry_price": text_of(entry),
        "qty": text_of(quantity),
        "qty_available": text_of(quantity),
        "side": "long" if quantity > 0 else "short",
        "market_value": text_of(size * price),
        "cost_basis": text_of(cost),
        "unrealized_pl": text_of(profit),
        "unrealized_plpc": text_of(profit / abs(cost) if cost else Decimal(0)),
        "unrealized_intraday_pl": text_of(today),
        "unrealized_intraday_plpc": text_of(today / abs(size * before) if before else Decimal(0)),
        "current_price": text_of(price),
        "lastday_price": text_of(before),
        "change_today": text_of((price - before) / before if before else Decimal(0)),
    }


def _changes_of_today(world: World) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield symbol, signed quantity and dollars paid for every change on the current day."""
    today = world.market.today
    for one in world.desk.executions:
        if not one.busted and one.at.to_new_york().date() == today:
            quantity = one.qty if one.side == "buy" else -one.qty
            yield one.symbol, quantity, quantity * one.price * _size(one.symbol)
    for event in world.desk.events.rows:
        if event.at.to_new_york().date() == today:
            yield event.symbol, event.qty, event.qty * event.price - event.cash


def _last_equity(world: World) -> Decimal:
    """Return the account's value at the last close, from the cash and the holdings at that time."""
    held = {symbol: quantity for symbol, quantity, _ in world.desk.positions}
    for symbol, quantity, _ in _changes_of_today(world):
        held[symbol] = held.get(symbol, Decimal(0)) - quantity
    closes = {symbol: _previous_close(world, symbol) for symbol in held}
    values = (
        quantity * to_cents(close) * _size(symbol)
        for symbol, quantity in held.items()
        if (close := closes[symbol]) is not None
    )
    return _CASH + sum(values, Decimal(0))


def _previous_close(world: World, symbol: str) -> float | None:
    contract = parse_contract(symbol)
    if contract is None:
        return world.market.previous_close(symbol)
    return world.market.previous_option_close(contract)


def _size(symbol: str) -> int:
    return 1 if parse_contract(symbol) is None else 100


def account(world: World, path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/account` of an invented paper account; its cash already includes the orders from earlier days."""
    rows = positions(world, path, query)
    values = [Decimal(row["market_value"]) for row in rows] if isinstance(rows, list) else []
    long, short = sum((v for v in values if v > 0), Decimal(0)), sum((v for v in values if v < 0), Decimal(0))
    cash = _CASH - sum((paid for _, _, paid in _changes_of_today(world)), Decimal(0))
    equity, spendable = text_of(cash + long + short), text_of(max(cash, Decimal(0)))
    return {
        **_UNCHANGING,
        "id": world.account_id,
        "cash": text_of(cash),
        "portfolio_value": equity,
        "equity": equity,
        "last_equity": text_of(_last_equity(world)),
        "long_market_value": text_of(long),
        "short_market_value": text_of(short),
        "buying_power": spendable,
        "options_buying_power": spendable,
        "non_marginable_buying_power": spendable,
        "regt_buying_power": spendable,
        "balance_asof": world.session.previous_day(dt.datetime.now(dt.UTC)).isoformat(),
    }
