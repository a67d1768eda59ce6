"""An account's holdings and its complete history, read over REST with exact figures.

Sources: the schemas `Position`, `Order` and `TradingActivities` of Alpaca's Trading API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from options_helper.analysis.account.records import ZERO, AccountHistory, Holding
from options_helper.analysis.osi import contract_root, is_contract_symbol
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import NOT_FOUND
from options_helper.errors import AlpacaRestError
from options_helper.market import BrokerEvent, BrokerFill, CashChange, EventKind
from options_helper.times import new_york_date

BEGINNING = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)  # before Alpaca's first account

_EVENTS = {kind.value: kind for kind in EventKind}
_CRYPTO = "crypto"
_SIGNS = {"buy": 1, "sell": -1, "sell_short": -1}
# They move no cash, or the executions and events carry it.
_OF_POSITIONS = {"fill", "split", *(kind.value for kind in EventKind)}
_TRANSFERS = frozenset({"csd", "csw", "csr", "jnl", "jnlc", "acatc", "trans"})
# Other cash, as of a merger, pays for securities.
_INCOME = ("div", "int", "fee", "cfee", "ptc", "ptr")
_WITHOUT_QUANTITY = frozenset({EventKind.CORPORATE, EventKind.CASH_SETTLEMENT})

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AccountRead:
    """An account's history, and a sentence for each item that could not be used."""

    history: AccountHistory
    left_out: tuple[str, ...]


def read_account(rest: AlpacaRest) -> AccountRead:
    """Return an account's current holdings, its multi-leg orders, executions and option events.

    Raises:
        AlpacaRestError: A request failed.
    """
    left_out: list[str] = []
    cash = to_decimal(rest.account().get("cash"))
    rows = rest.positions()
    holdings, others = read_holdings(rows, left_out)
    parents = read_parents(rest.orders())
    pages = rest.fill_pages(BEGINNING)
    fills, events = read_activities((row for page in pages for row in page), left_out)
    underlyings = _read_underlyings(rest, holdings)
    return AccountRead(
        AccountHistory(
            holdings=holdings,
            unread=others > 0,
            fills=fills,
            events=events,
            cash=cash,
            parents=parents,
            underlyings=underlyings,
        ),
        tuple(left_out),
    )


def read_holdings(rows: Iterable[object], left_out: list[str]) -> tuple[list[Holding], int]:
    """Return positions with signed quantities, and how many could not be read.

    Those that no portfolio file can name are reported and skipped.
    """
    holdings, unread = [], 0
    for row in rows:
        fields: Row = row if isinstance(row, dict) else {}
        symbol, quantity = fields.get("symbol"), to_decimal(fields.get("qty"))
        entry = to_decimal(fields.get("avg_entry_price"))
        if not isinstance(symbol, str) or not symbol or quantity is None or entry is None:
            left_out.append(f"A position could not be read ({symbol or 'without a symbol'}).")
            unread += 1
            continue
        if fields.get("asset_class") == _CRYPTO:
            left_out.append(f"{symbol} is crypto, which a portfolio file does not hold.")
            continue
        signed = -abs(quantity) if fields.get("side") == "short" else quantity
        holdings.append(Holding(symbol=symbol, quantity=signed, entry_price=entry))
    return holdings, unread


def read_parents(orders: Iterable[object]) -> dict[str, str]:
    """Return the multi-leg order of each leg's order; the legs of a bracket are not a structure."""
    parents = {}
    for order in orders:
        if isinstance(order, dict) and order.get("order_class") == "mleg":
            parent = _text(order.get("id"))
            for leg in order.get("legs") or ():
                name = _text(leg.get("id"))
                if parent is not None and name is not None:
                    parents[name] = parent
    return parents


def to_decimal(value: object) -> Decimal | None:
    """Return the exact value of a number as Alpaca writes it; None if it is not a number or not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or "_" in str(value):
        return None  # Python would read 1_0 as ten
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def to_date(value: object) -> dt.date | None:
    """Return the date that a text begins with, or None."""
    try:
        return dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def read_activities(
    rows: Iterable[object], left_out: list[str]
) -> tuple[list[BrokerFill], list[BrokerEvent]]:
    """Return the executions and events among activities that stand; unreadable ones are reported."""
    fills: list[BrokerFill] = []
    events: list[BrokerEvent] = []
    for row in rows:
        if not is_canceled(row):
            _read_activity(row, fills, events, left_out)
    return fills, events


def is_canceled(activity: object) -> bool:
    """Return whether Alpaca has taken an activity back; its status is then "canceled", else "executed"."""
    return isinstance(activity, dict) and _text(activity.get("status")) in {"canceled", "cancelled"}


def ids_taken_back(activities: Iterable[object]) -> set[str]:
    """Return the ids of activities that Alpaca has taken back; an earlier look may have read them."""
    return {
        name
        for activity in activities
        if isinstance(activity, dict) and is_canceled(activity) and (name := _text(activity.get("id")))
    }


def _read_activity(
    row: object, fills: list[BrokerFill], events: list[BrokerEvent], left_out: list[str]
) -> None:
    fields: Row = row if isinstance(row, dict) else {}
    kind = str(fields.get("activity_type", "")).lower()
    if kind == "fill":
        fill = read_fill(fields)
        if fill is not None:
            fills.append(fill)
            return
    elif kind in _EVENTS:
        event = read_event(fields, _EVENTS[kind])
        if event is not None:
            events.append(event)
            return
    left_out.append(f"An activity could not be read ({kind or 'without a type'}).")


def read_cash(rows: Iterable[object], left_out: list[str]) -> list[CashChange]:
    """Return the fees, dividends, interest and deposits among activities; unreadable ones are reported."""
    changes = []
    for row in rows:
        fields: Row = row if isinstance(row, dict) else {}
        kind = str(fields.get("activity_type", "")).lower()
        if kind in _OF_POSITIONS or is_canceled(row):
            continue
        amount, date = to_decimal(fields.get("net_amount")), to_date(fields.get("date"))
        is_income = kind in _TRANSFERS or kind.startswith(_INCOME)
        if amount is None or date is None or (amount and not is_income):
            left_out.append(f"An activity could not be read ({kind or 'without a type'}).")
            continue
        changes.append(
            CashChange(
                amount=amount,
                date=date,
                is_transfer=kind in _TRANSFERS,
                activity_id=str(fields.get("id", "")),
            )
        )
    return changes


def read_fill(row: Row) -> BrokerFill | None:
    """Return an execution with a signed quantity, or None if anything of it cannot be read."""
    quantity, price, at = to_decimal(row.get("qty")), to_decimal(row.get("price")), _time(row)
    symbol, order_id, name = (_text(row.get(key)) for key in ("symbol", "order_id", "id"))
    sign = _SIGNS.get((_text(row.get("side")) or "").lower())
    if not quantity or price is None or at is None or sign is None:
        return None
    if symbol is None or order_id is None or name is None:
        return None
    return BrokerFill(
        symbol=symbol, quantity=sign * abs(quantity), price=price, at=at, order_id=order_id, activity_id=name
    )


def read_event(row: Row, kind: EventKind) -> BrokerEvent | None:
    """Return an option event or the share trade that results from one, or None if it cannot be read."""
    quantity, symbol, name = to_decimal(row.get("qty")), _text(row.get("symbol")), _text(row.get("id"))
    if quantity is None and kind in _WITHOUT_QUANTITY:
        quantity = ZERO
    booked_at = _time(row, "created_at")
    date = to_date(row.get("date")) or (None if booked_at is None else new_york_date(booked_at))
    price = to_decimal(row.get("price")) if kind is EventKind.SHARES else None
    if quantity is None or symbol is None or name is None or date is None:
        return None
    if kind is EventKind.SHARES and price is None:
        return None  # without a price they would seem to cost nothing
    return BrokerEvent(
        kind=kind,
        symbol=symbol,
        quantity=quantity,
        date=date,
        price=price,
        amount=to_decimal(row.get("net_amount")) if kind in _WITHOUT_QUANTITY else None,
        group_id=_text(row.get("group_id")),
        activity_id=name,
    )


def _text(value: object) -> str | None:
    """Return a text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def _time(row: Row, name: str = "transaction_time") -> dt.datetime | None:
    text = row.get(name)
    try:
        at = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=dt.UTC) if at is not None and at.tzinfo is None else at


def _read_underlyings(rest: AlpacaRest, holdings: Iterable[Holding]) -> dict[str, str]:
    """Ask for one contract of each root: `BRKB` may be a share class, which no symbol shows."""
    found: dict[str, str] = {}
    symbols = {contract_root(one.symbol): one.symbol for one in holdings if is_contract_symbol(one.symbol)}
    for root, symbol in symbols.items():
        try:
            underlying = rest.option_contract(symbol).get("underlying_symbol")
        except AlpacaRestError as error:
            if error.status != NOT_FOUND:
                raise
            continue
        if isinstance(underlying, str) and underlying:
            found[root] = underlying
    return found
