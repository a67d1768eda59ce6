"""The causes of differences between the file and the account, found among the account's newest changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from options_helper.analysis.account.records import Change, when_of
from options_helper.analysis.contracts.products import is_adjusted
from options_helper.analysis.osi import (
    contract_root,
    is_contract_symbol,
    parse_contract_symbol,
    underlying_of,
)
from options_helper.analysis.text.figures import MINUS
from options_helper.analysis.text.order_words import contract_words, plain, price_words
from options_helper.analysis.text.wording import format_day, format_minute, join_words
from options_helper.market import BrokerEvent, BrokerFill, EventKind, Split
from options_helper.times import NEW_YORK, new_york_date


class CauseKind(StrEnum):
    """The kinds of causes of a difference."""

    FILLED_TODAY = "filled today"
    EARLIER_FILL = "filled on an earlier day"
    ASSIGNED = "assigned"
    EXERCISED = "exercised"
    EXPIRED = "expired"
    SHARES = "shares from an assignment or exercise"
    SPLIT = "split"
    ADJUSTED = "adjusted contract"
    OTHER = "corporate action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The cause of a difference.

    Attributes:
        words: The cause in words, such as "sold 2 @ 1.50 today at 10:31 New York".
        date: The New York date of its newest change.
    """

    kind: CauseKind
    words: str
    date: dt.date


class Sides(Protocol):
    """The quantities of one symbol in the file and at the broker."""

    @property
    def symbol(self) -> str:
        """The symbol of the contract or stock."""
        ...

    @property
    def in_file(self) -> Decimal:
        """The file's signed quantity."""
        ...

    @property
    def at_broker(self) -> Decimal:
        """The broker's signed quantity."""
        ...


Step = Change | Split
_KINDS = {
    EventKind.ASSIGNMENT: CauseKind.ASSIGNED,
    EventKind.EXERCISE: CauseKind.EXERCISED,
    EventKind.EXPIRY: CauseKind.EXPIRED,
    EventKind.SHARES: CauseKind.SHARES,
    EventKind.CASH_SETTLEMENT: CauseKind.EXPIRED,
}
_VERBS = {CauseKind.ASSIGNED: "assigned", CauseKind.EXERCISED: "exercised", CauseKind.EXPIRED: "expired"}
_MOST_WORDS = 3


def find_cause(
    row: Sides,
    changes: Iterable[Step],
    groups: Mapping[str, BrokerEvent],
    *,
    today: dt.date,
    saved_at: dt.datetime | None,
) -> Cause | None:
    """Return the cause of a difference between the account and the file, or None if no change explains it.

    Args:
        row: The symbol and both quantities.
        changes: The account's executions and events in the symbol, and the splits of the stock.
        groups: Assignments and exercises by group id, to name the one that delivered shares.
        today: The New York date.
        saved_at: When the file was saved.
    """
    newest_first = sorted(changes, key=_when, reverse=True)
    before = row.at_broker
    for number, change in enumerate(newest_first, 1):
        if isinstance(change, Split):
            before = before * change.old / change.new
        else:
            before -= change.quantity
        if before == row.in_file:
            return _cause(newest_first[:number], groups, today, saved_at)
    expiry = parse_contract_symbol(row.symbol).expiry if is_contract_symbol(row.symbol) else today
    if expiry < today:
        return Cause(kind=CauseKind.EXPIRED, words=f"expired on {format_day(expiry)}", date=expiry)
    return None


def find_adjustment(row: Sides, swapped: Iterable[Sides], today: dt.date) -> Cause | None:
    """Return the contract adjustment that explains a difference, or None.

    The file holds one of the two contracts, the broker the same quantity of the other.

    Args:
        row: The symbol and both quantities.
        swapped: The rows whose quantities are the same the other way round.
        today: The New York date.
    """
    symbol, in_file = row.symbol, row.in_file
    for other in swapped if not (in_file and row.at_broker) else ():
        if _is_adjusted_twin(symbol, other.symbol):
            old, new = (symbol, other.symbol) if in_file else (other.symbol, symbol)
            words = f"adjusted: {contract_root(old)} became {contract_root(new)}"
            return Cause(kind=CauseKind.ADJUSTED, words=words, date=today)
    return None


def find_traded_adjustment(
    row: Sides,
    others: Iterable[Sides],
    changes: Mapping[str, Sequence[Step]],
    groups: Mapping[str, BrokerEvent],
    *,
    today: dt.date,
    saved_at: dt.datetime | None,
) -> Cause | None:
    """Return the contract adjustment and the later changes that together explain a difference, or None.

    The file holds one of two contracts, and the broker's quantities of both, without the newest changes in
    both, add up to it.

    Args:
        row: The symbol and both quantities.
        others: The rows that may be the adjusted form of this one, or the other way round.
        changes: The account's changes, keyed by symbol.
        groups: As for `find_cause`.
        today: The New York date.
        saved_at: When the file was saved.
    """
    for other in others:
        if bool(row.in_file) == bool(other.in_file) or not _is_adjusted_twin(row.symbol, other.symbol):
            continue
        file, absent = (row, other) if row.in_file else (other, row)
        steps = [*changes.get(row.symbol, ()), *changes.get(other.symbol, ())]
        together = _Sum(file.symbol, file.in_file, row.at_broker + other.at_broker)
        cause = find_cause(together, steps, groups, today=today, saved_at=saved_at)
        if cause is not None and steps:
            words = f"adjusted: {contract_root(file.symbol)} became {contract_root(absent.symbol)}"
            return Cause(kind=CauseKind.ADJUSTED, words=f"{words}; {cause.words}", date=cause.date)
    return None


@dataclass(frozen=True, slots=True)
class _Sum:
    """Two contracts as one."""

    symbol: str
    in_file: Decimal
    at_broker: Decimal


def _is_adjusted_twin(one: str, other: str) -> bool:
    """Return whether one contract is the other's adjusted form: same expiry and type, a different root."""
    if not (is_contract_symbol(one) and is_contract_symbol(other)):
        return False
    first, second = parse_contract_symbol(one), parse_contract_symbol(other)
    roots = (contract_root(one), contract_root(other))
    return (
        is_adjusted(roots[0]) != is_adjusted(roots[1])
        and underlying_of(one) == underlying_of(other)
        and (first.expiry, first.option_type) == (second.expiry, second.option_type)
    )


def _cause(
    newest_first: Sequence[Step],
    groups: Mapping[str, BrokerEvent],
    today: dt.date,
    saved_at: dt.datetime | None,
) -> Cause:
    newest = newest_first[0]
    words = [_words(change, groups, today) for change in reversed(newest_first[:_MOST_WORDS])]
    if len(newest_first) > _MOST_WORDS:
        words.insert(0, f"{len(newest_first) - _MOST_WORDS:,} earlier changes")
    after = _after(newest_first[-1], saved_at)
    return Cause(kind=_kind(newest, today), words=join_words(words) + after, date=_when(newest)[0])


def _when(change: Step) -> tuple[dt.date, bool, dt.datetime]:
    """Return the sort key of changes: a split comes before the executions of its day."""
    if isinstance(change, Split):
        return change.date, False, dt.datetime.min.replace(tzinfo=dt.UTC)
    return when_of(change)


def _kind(change: Step, today: dt.date) -> CauseKind:
    if isinstance(change, Split):
        return CauseKind.SPLIT
    if isinstance(change, BrokerEvent):
        return _KINDS.get(change.kind, CauseKind.OTHER)
    return CauseKind.FILLED_TODAY if new_york_date(change.at) >= today else CauseKind.EARLIER_FILL


def _words(change: Step, groups: Mapping[str, BrokerEvent], today: dt.date) -> str:
    day = _when(change)[0]
    when = "today" if day >= today else f"on {format_day(day)}"
    if isinstance(change, Split):
        return f"split {change.words} {when}"
    quantity = plain(float(abs(change.quantity)))
    if isinstance(change, BrokerFill):
        if day >= today:
            when = f"{when} at {format_minute(change.at, NEW_YORK)} New York"
        verb = "bought" if change.quantity > 0 else "sold"
        return f"{verb} {quantity} @ {price_words(float(change.price))} {when}"
    kind = _KINDS.get(change.kind, CauseKind.OTHER)
    if kind is CauseKind.SHARES:
        source = groups.get(change.group_id or "")
        what = f"{'+' if change.quantity > 0 else MINUS}{quantity} shares"
        if source is None:
            return f"{what} from an assignment or exercise {when}"
        verb = _VERBS.get(_KINDS.get(source.kind, CauseKind.OTHER), "settled")
        return f"{what}: {contract_words(source.symbol)} {verb} {when}"
    return f"{quantity} {_VERBS.get(kind, 'changed by a corporate action')} {when}"


def _after(oldest: Step, saved_at: dt.datetime | None) -> str:
    """Return ", after the file was saved" if every change certainly happened later, else ""."""
    if saved_at is None:
        return ""
    if isinstance(oldest, BrokerFill):
        return ", after the file was saved" if oldest.at > saved_at else ""
    return ", after the file was saved" if oldest.date > new_york_date(saved_at) else ""
