"""Reference data of a fixed list of symbols: multipliers, Greeks, the broker's positions and flags.

Successive snapshots share these mappings until they change, so columns are built once per mapping
(`IdentityMemo`), not once per refresh.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from options_helper.analysis.arrays.memo import IdentityMemo
from options_helper.analysis.arrays.typed_columns import (
    ColumnValues,
    datetimes,
    flags,
    floats,
    integers,
    whole_numbers,
)
from options_helper.analysis.arrays.types import Flags, Floats, Numbers
from options_helper.analysis.holdings.instruments import Instruments, Multipliers
from options_helper.analysis.risk.greek_signs import GREEK_NAMES, sign_by_position
from options_helper.market import BrokerPosition, Greeks, LiveSnapshot
from options_helper.times import new_york_date, to_microseconds


class GreekColumns(NamedTuple):
    """The vendor's Greeks of n rows with the position's sign, implied volatility, and their times."""

    columns: Mapping[str, Floats]
    time: ColumnValues


class BrokerColumns(NamedTuple):
    """The broker's signed quantity and price per share of n rows; NaN if missing."""

    quantity: Floats
    price: Floats


def find_multipliers(rows: Instruments, live: LiveSnapshot) -> Multipliers:
    """Return the multipliers: the file's, else the vendor's, else 100; 1 for shares."""
    if not live.multipliers:
        return rows.multipliers
    return rows.memo.get("multipliers", live.multipliers, lambda: _multipliers(rows, live.multipliers))


def _multipliers(rows: Instruments, vendors: Mapping[str, float]) -> Multipliers:
    vendor = floats(vendors.get(symbol) for symbol in rows.symbols)
    usable = ~rows.multipliers.confirmed & (vendor > 0) & (vendor < np.inf)
    value = np.where(usable, vendor, rows.multipliers.value)
    return Multipliers(value, value * rows.quantity, rows.multipliers.confirmed | usable)


def find_greeks(rows: Instruments, live: LiveSnapshot) -> GreekColumns:
    """Return the vendor's Greeks with the position's sign, and implied volatility."""
    return rows.memo.get("greeks", live.greeks or (), lambda: _greeks(rows, live.greeks))


def _greeks(rows: Instruments, vendors: Mapping[str, Greeks]) -> GreekColumns:
    found = [vendors.get(symbol) for symbol in rows.symbols]
    of_long = {name: floats(getattr(each, name, None) for each in found) for name in GREEK_NAMES}
    columns = sign_by_position(of_long, rows.quantity)
    columns["iv"] = floats(getattr(each, "implied_volatility", None) for each in found)
    times = integers(0 if each is None else to_microseconds(each.timestamp) for each in found)
    return GreekColumns(columns, datetimes(times))


def find_broker_positions(rows: Instruments, live: LiveSnapshot) -> BrokerColumns:
    """Return the broker's positions in these symbols."""
    held = live.broker_positions
    return rows.memo.get("broker", held or (), lambda: _broker_positions(rows, held))


def _broker_positions(rows: Instruments, held: Mapping[str, BrokerPosition]) -> BrokerColumns:
    found = [held.get(symbol) for symbol in rows.symbols]
    return BrokerColumns(
        floats(getattr(each, "quantity", None) for each in found),
        floats(getattr(each, "price", None) for each in found),
    )


def find_unsubscribed(rows: Instruments, live: LiveSnapshot) -> Flags:
    """Return flags for symbols that neither stream nor are polled; none if the subscription is unknown."""
    subscribed = live.subscribed
    if subscribed is None:
        return np.zeros(len(rows.symbols), dtype=np.bool_)

    def look_up() -> Flags:
        return flags(symbol not in subscribed for symbol in rows.symbols)

    return rows.memo.get("subscribed", subscribed, look_up) & ~find_polled(rows, live)


def find_polled(rows: Instruments, live: LiveSnapshot) -> Flags | np.bool_:
    """Return flags for symbols that REST polls instead of a stream; a single flag if there are none."""
    found: Flags | np.bool_ = np.bool_(False)
    for stream, record in live.health.items():
        polled = record.polled
        if polled:
            found = found | rows.memo.get(f"polled {stream}", polled, partial(_find_in, rows, polled))
    return found


def _find_in(rows: Instruments, symbols: frozenset[str]) -> Flags:
    return flags(symbol in symbols for symbol in rows.symbols)


def find_halted(rows: Instruments, live: LiveSnapshot) -> Flags:
    """Return flags for symbols that are halted or have a halted underlying."""
    halted = live.halted
    if not halted:
        return np.zeros(len(rows.symbols), dtype=np.bool_)

    def look_up() -> Flags:
        pairs = zip(rows.symbols, rows.underlyings, strict=True)
        return flags(symbol in halted or stock in halted for symbol, stock in pairs)

    return rows.memo.get("halted", halted, look_up)


def find_ex_dividend(rows: Instruments, live: LiveSnapshot) -> Flags:
    """Return flags for shares that go ex-dividend on the current trading day."""
    today = live.trading_date or new_york_date(live.as_of)

    def look_up() -> Flags:
        paying = {each.symbol for each in live.dividends or () if each.ex_date == today}
        return rows.is_stock & flags(symbol in paying for symbol in rows.symbols)

    return rows.memo.get("ex-dividend", live.dividends or (), look_up, extent=today.toordinal())


def opened_today(opened: Numbers, live: LiveSnapshot) -> Flags:
    """Return flags for rows opened on the current trading day; `opened` has ordinals, 0 if unknown."""
    today: dt.date = live.trading_date or new_york_date(live.as_of)
    return opened >= today.toordinal()


def days_since(opened: Numbers, live: LiveSnapshot, memo: IdentityMemo) -> ColumnValues:
    """Return the days since the rows were opened; `opened` has ordinals, and 0 (unknown) becomes null.

    The memo of the rows keeps the column until the next day.
    """
    today = new_york_date(live.as_of).toordinal()

    def count() -> ColumnValues:
        return whole_numbers(np.maximum(today - opened, 0), opened == 0)

    return memo.get("days since", opened, count, extent=today)
