"""Assignments, exercises and expiries: facts about a position that are no fills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from options_helper.analysis.osi import parse_contract_symbol
from options_helper.analysis.text.fills import contract_words, plain, price_words
from options_helper.errors import ContractSymbolError
from options_helper.times import start_of_day

_TYPES = {"opasn": "assignment", "opexc": "exercise", "opexp": "expiry"}
_VERBS = {"assignment": "Assigned", "exercise": "Exercised", "expiry": "Expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionEvent:
    """One assignment, exercise or expiry.

    Attributes:
        type: "assignment", "exercise" or "expiry".
        symbol: The contract.
        quantity: Contracts, above zero.
        at: When Alpaca booked it; New York's midnight if only the date is known.
    """

    type: str
    symbol: str
    quantity: float
    at: dt.datetime
    words: str


def build_option_events(rows: Iterable[Mapping[str, Any]], day: dt.date) -> tuple[OptionEvent, ...]:
    """Return the events of one New York day, newest first.

    Args:
        rows: As `normalize_option_event` makes them; share trades are paired with their event by `group_id`.
        day: The New York date.
    """
    mine = [row for row in rows if row["date"] == day]
    trades = {row["group_id"]: row for row in mine if row["type"] == "optrd" and row["group_id"]}
    events = (_event(row, trades.get(row["group_id"])) for row in mine if row["type"] in _TYPES)
    return tuple(sorted(events, key=lambda event: (event.at, event.symbol), reverse=True))


def _event(row: Mapping[str, Any], trade: Mapping[str, Any] | None) -> OptionEvent:
    kind, quantity = _TYPES[row["type"]], abs(row["qty"])
    words = f"{_VERBS[kind]}: {plain(quantity)} \N{MULTIPLICATION SIGN} {_contract(row['symbol'])}"
    if trade is not None:
        sign = "+" if trade["qty"] > 0 else "\N{MINUS SIGN}"
        words += f" → {sign}{plain(abs(trade['qty']))} {trade['symbol']}"
        words += f" at {price_words(trade['price'])}" if trade["price"] is not None else ""
    at = row["timestamp"] or start_of_day(row["date"])
    return OptionEvent(type=kind, symbol=row["symbol"], quantity=quantity, at=at, words=words)


def _contract(symbol: str) -> str:
    """Return `AAPL 255 put`: on the day of its event the expiry goes without saying."""
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return contract_words(symbol)
    return f"{contract.underlying} {plain(contract.strike)} {contract.option_type}"
