"""The comparison of the portfolio file with the account, with the known cause of each difference.

If a symbol's newest changes sum to its difference, they are the cause: the file shows the account as it
was before them.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from options_helper.analysis.account.causes import (
    Cause,
    Step,
    find_adjustment,
    find_cause,
    find_traded_adjustment,
)
from options_helper.analysis.account.file_parts import FilePart, compared_positions, parts_of
from options_helper.analysis.account.records import ZERO, held_fills
from options_helper.analysis.osi import is_contract_symbol, parse_contract_symbol, underlying_of
from options_helper.analysis.text.figures import format_count, format_quantity
from options_helper.market import BrokerEvent, BrokerFill, LiveSnapshot, Split, is_unsure
from options_helper.models import Portfolio
from options_helper.times import new_york_date


class Agreement(StrEnum):
    """The relation between the file's and the broker's quantity of one symbol."""

    EQUAL = "equal"
    DIFFERS = "differs"
    ONLY_IN_FILE = "only in the file"
    ONLY_AT_BROKER = "only at the broker"
    UNKNOWN = "not known"


_NO_DIFFERENCE = frozenset({Agreement.EQUAL, Agreement.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One contract or stock on both sides; quantities are signed.

    Attributes:
        position_ids: The positions in the file that hold the symbol.
        cause: The cause of the difference; None if the sides are equal or nothing explains it.
        is_unsure: True if an unreadable row of the broker may hold the symbol.
    """

    symbol: str
    in_file: Decimal
    at_broker: Decimal
    position_ids: tuple[str, ...]
    cause: Cause | None = None
    is_unsure: bool = False

    @property
    def agreement(self) -> Agreement:
        """The relation between the two sides."""
        if self.is_unsure:
            return Agreement.UNKNOWN
        if self.in_file == self.at_broker:
            return Agreement.EQUAL
        if not self.at_broker:
            return Agreement.ONLY_IN_FILE
        return Agreement.DIFFERS if self.position_ids else Agreement.ONLY_AT_BROKER


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountComparison:
    """Every contract and stock in the file or the account.

    Attributes:
        rows: Sorted by symbol, differences first.
        discrepancies: What the broker holds of each differing position, in words, keyed by position id.
        not_held: The ids of positions that the broker does not hold at all.
        left_out: The number of positions that the file excludes from the comparison.
        as_of: The time the broker's positions were read.
    """

    rows: tuple[Comparison, ...]
    discrepancies: Mapping[str, str]
    not_held: frozenset[str]
    left_out: int
    as_of: dt.datetime

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """The rows that are known to differ."""
        return tuple(row for row in self.rows if row.agreement not in _NO_DIFFERENCE)

    @property
    def unsure(self) -> tuple[Comparison, ...]:
        """The rows with an unknown quantity at the broker."""
        return tuple(row for row in self.rows if row.is_unsure)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSide:
    """The account's side of the comparison.

    Attributes:
        quantities: Signed quantities, keyed by symbol.
        as_of: The time the quantities were read.
        fills, events: Executions and events of the last days, in any order.
        splits: Recent stock splits.
        unread: The symbols of rows that could not be read; "" stands for a row without a symbol.
    """

    quantities: Mapping[str, Decimal]
    as_of: dt.datetime
    fills: Sequence[BrokerFill] = ()
    events: Sequence[BrokerEvent] = ()
    splits: Sequence[Split] = ()
    unread: frozenset[str] = frozenset()

    @classmethod
    def of(cls, live: LiveSnapshot) -> BrokerSide | None:
        """Return the account in a snapshot, or None while its positions are unknown."""
        if live.broker_positions_at is None:
            return None
        return cls(
            quantities={
                symbol: Decimal(repr(position.quantity)) for symbol, position in live.broker_positions.items()
            },
            as_of=live.broker_positions_at,
            fills=held_fills(live),
            events=live.broker_events,
            splits=live.splits,
            unread=live.broker_unread,
        )


def compare_account(
    portfolio: Portfolio, broker: BrokerSide, *, saved_at: dt.datetime | None = None
) -> AccountComparison:
    """Compare the file with the account, contract by contract and stock by stock.

    Args:
        portfolio: The file; positions marked `"account": "none"` are left out.
        broker: The account.
        saved_at: The time the file was saved, if known.
    """
    positions = list(compared_positions(portfolio))
    parts = {position.id: parts_of(position) for position in positions}
    in_file, ids = _sum_up(itertools.chain(*parts.values()))
    apart = portfolio.account is not None
    symbols = () if apart else sorted({*in_file, *broker.quantities} - _elsewhere(portfolio, in_file))
    rows = [
        Comparison(
            symbol=symbol,
            in_file=in_file[symbol],
            at_broker=broker.quantities.get(symbol, ZERO),
            position_ids=tuple(ids[symbol]),
            is_unsure=is_unsure(symbol, broker.quantities, broker.unread),
        )
        for symbol in symbols
    ]
    explained = _explain(rows, broker, saved_at)
    explained.sort(key=lambda row: row.agreement is Agreement.EQUAL)
    held = {row.symbol: row for row in explained}
    return AccountComparison(
        rows=tuple(explained),
        discrepancies={name: words for name, own in parts.items() if (words := _discrepancy(own, held))},
        not_held=frozenset(name for name, own in parts.items() if _is_absent(own, held)),
        left_out=len(portfolio.positions) - len(positions),
        as_of=broker.as_of,
    )


def _sum_up(
    parts: Iterable[FilePart],
) -> tuple[defaultdict[str, Decimal], defaultdict[str, dict[str, None]]]:
    """Return two mappings keyed by symbol: the file's quantity, and the ids of the positions that hold it."""
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    ids: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for part in parts:
        quantities[part.symbol] += part.quantity
        ids[part.symbol][part.position_id] = None
    return quantities, ids


def _elsewhere(portfolio: Portfolio, in_file: Mapping[str, Decimal]) -> frozenset[str]:
    """Return the symbols that the file holds only in positions excluded from the comparison."""
    apart = (position for position in portfolio.positions if position.account is not None)
    return frozenset(part.symbol for position in apart for part in parts_of(position)) - set(in_file)


def _explain(
    rows: Iterable[Comparison], broker: BrokerSide, saved_at: dt.datetime | None
) -> list[Comparison]:
    rows = list(rows)
    changes: defaultdict[str, list[Step]] = defaultdict(list)
    splits = (split for split in broker.splits if split.ratio != 1)  # a spin-off moves no quantity
    steps: list[Step] = [*broker.fills, *broker.events, *splits]
    for step in steps:
        changes[step.symbol].append(step)
    today = new_york_date(broker.as_of)
    groups = {event.group_id: event for event in broker.events if event.group_id and event.price is None}
    by_sides: defaultdict[tuple[Decimal, Decimal], list[Comparison]] = defaultdict(list)
    for row in rows:
        by_sides[row.in_file, row.at_broker].append(row)
    by_terms = _by_terms(rows, changes)
    found = []
    for row in rows:
        cause = None
        if row.agreement not in _NO_DIFFERENCE:
            swapped = by_sides.get((row.at_broker, row.in_file), ())
            cause = (
                find_adjustment(row, swapped, today)
                or find_cause(row, changes[row.symbol], groups, today=today, saved_at=saved_at)
                or find_traded_adjustment(
                    row,
                    _of_same_terms(row.symbol, by_terms),
                    changes,
                    groups,
                    today=today,
                    saved_at=saved_at,
                )
            )
        found.append(replace(row, cause=cause))
    return found


_Terms = tuple[str, dt.date, str]


def _by_terms(rows: Sequence[Comparison], changes: Iterable[str]) -> dict[_Terms, dict[str, Comparison]]:
    """Return the contracts by underlying, expiry and type, even those that only the changes have."""
    known = {row.symbol: row for row in rows}
    gone = (symbol for symbol in changes if symbol not in known)
    known |= {
        symbol: Comparison(symbol=symbol, in_file=ZERO, at_broker=ZERO, position_ids=()) for symbol in gone
    }
    found: defaultdict[_Terms, dict[str, Comparison]] = defaultdict(dict)
    for symbol, row in known.items():
        if is_contract_symbol(symbol):
            found[_terms(symbol)][symbol] = row
    return found


def _of_same_terms(symbol: str, by_terms: Mapping[_Terms, Mapping[str, Comparison]]) -> Iterable[Comparison]:
    """Return the other contracts with the same underlying, expiry and type, those with the strike first."""
    if not is_contract_symbol(symbol):
        return ()
    strike = parse_contract_symbol(symbol).strike
    others = (row for row in by_terms[_terms(symbol)].values() if row.symbol != symbol)
    return sorted(others, key=lambda row: parse_contract_symbol(row.symbol).strike != strike)


def _terms(symbol: str) -> _Terms:
    contract = parse_contract_symbol(symbol)
    return underlying_of(symbol), contract.expiry, contract.option_type


def _held(part: FilePart, rows: Mapping[str, Comparison]) -> Decimal:
    """Return the quantity of a part that the account holds; 0 if it holds nothing or the opposite side."""
    at_broker = rows[part.symbol].at_broker
    return min(at_broker, part.quantity, key=abs) if at_broker * part.quantity > 0 else ZERO


def _discrepancy(parts: Sequence[FilePart], rows: Mapping[str, Comparison]) -> str:
    """Return the difference in words, such as `broker holds 2 of 5`, or "" if every part agrees."""
    differing = [part for part in parts if rows[part.symbol].agreement not in _NO_DIFFERENCE]
    if not differing:
        return ""
    if any(rows[part.symbol].is_unsure for part in parts):
        return f"{len(differing)} of {len(parts)} legs differ from the broker"
    if _is_absent(parts, rows):
        return "not held at the broker"
    shares = {_held(part, rows) / part.quantity for part in parts}
    if len(shares) == 1 and not shares & {0, 1}:
        part = min(parts, key=lambda part: abs(part.quantity))
        return f"broker holds {_count(abs(_held(part, rows)))} of {_count(abs(part.quantity))}"
    if len(parts) == 1:
        row = rows[parts[0].symbol]
        write = _count if row.at_broker * row.in_file > 0 else _signed
        return f"broker holds {write(row.at_broker)}, the file {write(row.in_file)}"
    return f"{len(differing)} of {len(parts)} legs differ from the broker"


def _is_absent(parts: Sequence[FilePart], rows: Mapping[str, Comparison]) -> bool:
    """Return whether the account holds nothing of any part, not even the opposite side."""
    return all(rows[part.symbol].agreement is Agreement.ONLY_IN_FILE for part in parts)


def _signed(quantity: Decimal) -> str:
    return format_quantity(float(quantity))


def _count(quantity: Decimal) -> str:
    return format_count(float(quantity))
