"""The subscription plan of a portfolio: the symbols that stream within the limit, and those polled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from options_helper.data.streaming.position_needs import PositionNeed, find_need
from options_helper.models import Portfolio
from options_helper.times import new_york_date, utc_now

_MOST_NAMES = 20
_NEAR = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SubscriptionPlan:
    """The symbols to subscribe to.

    Attributes:
        stocks: Alpaca's symbols of the underlyings and shares (`BRK.B`), without duplicates, in file order.
        option_contracts: Alpaca's contract symbols (`BRKB261218C00500000`), also in file order.
        warnings: Sentences for the user.
        truncated: True if the limit keeps contracts from streaming.
        truncated_count: The number of those contracts.
        not_live: By position id, the reason why the position or part of it will not stream.
        polled_contracts: The contracts over the limit; REST fetches their prices at an interval.
        stream_first: All symbols to stream, in order of priority.
    """

    stocks: list[str] = field(default_factory=list)
    option_contracts: list[str] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    truncated: bool = False
    truncated_count: int = 0
    not_live: Mapping[str, str] = field(default_factory=dict)
    polled_contracts: list[str] = field(default_factory=list)
    stream_first: list[str] = field(default_factory=list, compare=False)


def build_subscription_plan(
    portfolio: Portfolio,
    *,
    stream_stocks: bool,
    stream_options: bool,
    max_option_contracts: int,
    today: dt.date | None = None,
) -> SubscriptionPlan:
    """Return a portfolio's subscription plan, with each symbol once.

    Each position streams as a whole or not at all, so that all prices of a structure have the same age.
    Positions that the file pins come first, then those that expire within a week, then the largest; ties
    keep the file's order. A position that does not fit is polled, but a smaller one after it may still fit.

    Args:
        portfolio: The holdings.
        stream_stocks: True to stream stocks; otherwise `stocks` is empty.
        stream_options: True to stream options; otherwise `option_contracts` is empty.
        max_option_contracts: The limit, at least 0: the user's or the feed's, whichever is lower.
        today: The New York date, by default the current one; contracts that expired before it are left out.

    Raises:
        ValueError: `max_option_contracts` is negative.
    """
    if max_option_contracts < 0:
        raise ValueError(f"max_option_contracts must be 0 or more, not {max_option_contracts}")
    day = today or new_york_date(utc_now())
    needs = [find_need(position, day) for position in portfolio.positions]
    by_rank = sorted(needs, key=partial(_rank, today=day))
    stocks = _stocks_of(needs) if stream_stocks else ()
    chosen = _fill(by_rank, max_option_contracts) if stream_options else ()
    wanted = _unique(contract for need in needs for contract in need.contracts) if stream_options else ()
    contracts = [contract for contract in wanted if contract in set(chosen)]
    warnings: list[str] = []
    if stream_options:
        warnings += _limit_warnings(needs, contracts, len(wanted), max_option_contracts)
        warnings += _expired_warnings(needs)
        warnings += [sentence for need in needs for sentence in (*need.unnamed, *need.doubts)]
    if stream_stocks:
        warnings += _index_warnings(needs)
    return SubscriptionPlan(
        stocks=list(stocks),
        option_contracts=contracts,
        warnings=tuple(warnings),
        truncated=len(wanted) > len(contracts),
        truncated_count=len(wanted) - len(contracts),
        not_live=dict(_not_live(needs, stocks, contracts, stream_options=stream_options)),
        polled_contracts=[contract for contract in wanted if contract not in set(chosen)],
        stream_first=[*(_stocks_of(by_rank) if stream_stocks else ()), *chosen],
    )


def positions_not_subscribed(
    portfolio: Portfolio, subscribed: frozenset[str], *, today: dt.date | None = None
) -> dict[str, tuple[str, ...]]:
    """Return, by position id, the symbols that the position's mark needs but that are not subscribed.

    The mark of options needs their contracts, except those that expired before `today`; the mark of shares
    needs their symbol.
    """
    day = today or new_york_date(utc_now())
    missing = {}
    for need in (find_need(position, day) for position in portfolio.positions):
        own = [need.stock] if need.owns_shares else []
        absent = tuple(symbol for symbol in own + need.contracts if symbol not in subscribed)
        if absent:
            missing[need.id] = absent
    return missing


def _unique(symbols: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbols))


def _stocks_of(needs: Iterable[PositionNeed]) -> tuple[str, ...]:
    return _unique(need.stock for need in needs if not need.index)


def _rank(need: PositionNeed, today: dt.date) -> tuple[bool, bool, float]:
    """Return a key that sorts the position with the highest priority first."""
    is_near = need.first_expiry - today <= _NEAR
    return not need.pinned, not is_near, -need.notional


def _fill(needs: Sequence[PositionNeed], limit: int) -> tuple[str, ...]:
    """Return the contracts of every position that fits as a whole; a shared contract counts once."""
    chosen: dict[str, None] = {}
    for need in needs:
        fresh = [contract for contract in need.contracts if contract not in chosen]
        if len(chosen) + len(fresh) <= limit:
            chosen.update(dict.fromkeys(fresh))
    return tuple(chosen)


def _not_live(
    needs: Sequence[PositionNeed], stocks: Sequence[str], contracts: Sequence[str], *, stream_options: bool
) -> Iterator[tuple[str, str]]:
    planned_stocks, planned = set(stocks), set(contracts)
    for need in needs:
        if need.unnamed:
            yield need.id, "no contract symbol can express its terms"
        elif need.expired and not need.contracts:
            yield need.id, "it has expired"
        elif not planned.issuperset(need.contracts):
            limited = "it is over the limit of option contracts, so its prices are polled"
            yield need.id, limited if stream_options else "the option stream is switched off"
        elif need.owns_shares and need.stock not in planned_stocks:
            index = "the stock stream does not carry an index"
            yield need.id, index if need.index else "the stock stream is switched off"


def _limit_warnings(
    needs: Sequence[PositionNeed], contracts: Sequence[str], wanted: int, limit: int
) -> list[str]:
    planned = set(contracts)
    names = [need.id for need in needs if not planned.issuperset(need.contracts)]
    if not names:
        return []
    over = f"{wanted - len(contracts)} of {wanted} option contracts are over the limit of {limit}"
    return [f"{over}; they are polled instead of streamed, in whole positions: {_listed(names)}."]


def _expired_warnings(needs: Sequence[PositionNeed]) -> list[str]:
    names = [f"{contract} ({need.id})" for need in needs for contract in need.expired]
    return [f"Expired and left out: {_listed(names)}."] if names else []


def _index_warnings(needs: Sequence[PositionNeed]) -> list[str]:
    names = list(_unique(need.stock for need in needs if need.index))
    if not names:
        return []
    are, their = ("is an index", "its") if len(names) == 1 else ("are indexes", "their")
    return [
        f"{_listed(names)} {are}, which the stock stream does not carry; {their} options are not affected."
    ]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
