"""An account's holdings and its complete history, read over REST with exact figures.

Sources: the schemas `Position` and `Order` of Alpaca's Trading API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from options_helper.analysis.account.records import AccountHistory, Holding
from options_helper.analysis.osi import contract_root, is_contract_symbol
from options_helper.data.account.activities import MOVES_POSITIONS, Row
from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import NOT_FOUND
from options_helper.data.values import to_decimal
from options_helper.errors import AlpacaRestError
from options_helper.times import utc_now

BEGINNING = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)  # before Alpaca's first account

_CRYPTO = "crypto"


@dataclass(frozen=True, slots=True)
class AccountRead:
    """An account's history, and a sentence for each item that could not be used."""

    history: AccountHistory
    left_out: tuple[str, ...]


def read_account(rest: AlpacaRest) -> AccountRead:
    """Return an account's current holdings, multi-leg orders, executions and option events.

    Raises:
        AlpacaRestError: A request failed.
    """
    left_out: list[str] = []
    cash = to_decimal(rest.account().get("cash"))
    rows = rest.positions()
    holdings, others = read_holdings(rows, left_out)
    parents = read_parents(rest.orders())
    log = ActivityLog(rest)
    log.update(utc_now(), BEGINNING)
    left_out += [
        f"An activity could not be read ({row.kind or 'without a type'})."
        for row in log.unreadable.rows
        if row.kind in MOVES_POSITIONS
    ]
    underlyings = _read_underlyings(rest, holdings)
    return AccountRead(
        AccountHistory(
            holdings=holdings,
            unread=others > 0,
            fills=log.fills,
            events=log.events,
            cash=cash,
            parents=parents,
            underlyings=underlyings,
        ),
        tuple(left_out),
    )


def read_holdings(rows: Iterable[object], left_out: list[str]) -> tuple[list[Holding], int]:
    """Return positions with signed quantities, and the number of rows that could not be read.

    Positions that a portfolio file cannot hold are skipped. `left_out` receives a sentence for each row that
    is not returned.
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
            left_out.append(f"{symbol} is crypto, which a portfolio file cannot hold.")
            continue
        signed = -abs(quantity) if fields.get("side") == "short" else quantity
        holdings.append(Holding(symbol=symbol, quantity=signed, entry_price=entry))
    return holdings, unread


def read_parents(orders: Iterable[object]) -> dict[str, str]:
    """Return the multi-leg order's id, keyed by each leg's id; the legs of a bracket are not a structure."""
    parents = {}
    for order in orders:
        if isinstance(order, dict) and order.get("order_class") == "mleg":
            parent = _text(order, "id")
            for leg in order.get("legs") or ():
                name = _text(leg, "id") if isinstance(leg, dict) else None
                if parent is not None and name is not None:
                    parents[name] = parent
    return parents


def _text(row: Row, name: str) -> str | None:
    """Return a field that is text and not empty, or None."""
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _read_underlyings(rest: AlpacaRest, holdings: Iterable[Holding]) -> dict[str, str]:
    """Return Alpaca's underlying for each contract root, asking for one contract of each."""
    # `BRKB` may be a share class, which the contract symbol does not show.
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
