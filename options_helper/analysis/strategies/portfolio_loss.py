"""The maximum loss of a portfolio at expiry, and the shares that cover a short call.

Options on one underlying with the same expiry count together, and shares join the expiries with calls that
they cover. The losses of expiries and underlyings are added up, so the figure is exact for a single expiry
and an upper bound otherwise.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from options_helper.analysis.osi import stock_symbol
from options_helper.analysis.strategies.payoff import Payoff, sum_options
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.models import AnyPosition, EquityPosition, MultiLegPosition, Portfolio, Position

_CENT_FRACTION = 1e-6


@dataclass(frozen=True, slots=True)
class PortfolioLoss:
    """The maximum loss of a portfolio.

    Attributes:
        value: The maximum loss of the covered positions in dollars; `math.inf` if unlimited.
        covered: The number of positions in the figure.
        positions: The number of positions that have not expired.
    """

    value: float
    covered: int
    positions: int


@dataclass(slots=True)
class _Part:
    """Positions on one underlying with a common expiry, or shares alone, which have none."""

    payoff: Payoff
    positions: int

    @property
    def tail(self) -> float:
        """The change in dollars per dollar of the underlying above all strikes."""
        calls = (one.amount for one in self.payoff.options if one.option_type == "call")
        return self.payoff.shares + math.fsum(calls)


def find_portfolio_loss(portfolio: Portfolio, today: dt.date) -> PortfolioLoss:
    """Return the maximum loss of the positions with a known cost and a single expiry each."""
    alive = [position for position in portfolio.positions if _expiry(position, dt.date.max) >= today]
    by_stock: dict[str, dict[dt.date, list[_Part]]] = {}
    for position in alive:
        payoff = describe_structure(position).payoff
        if payoff is not None:
            parts = by_stock.setdefault(stock_symbol(position.symbol), {})
            parts.setdefault(_expiry(position, dt.date.max), []).append(_Part(payoff, 1))
    losses = [_loss({expiry: _join(each) for expiry, each in parts.items()}) for parts in by_stock.values()]
    return PortfolioLoss(
        math.fsum(loss for loss, _ in losses), sum(covered for _, covered in losses), len(alive)
    )


def _expiry(position: AnyPosition, without: dt.date) -> dt.date:
    """Return the last expiry of a position, or `without` for shares alone."""
    if isinstance(position, EquityPosition):
        return without
    legs = position.option_legs if isinstance(position, MultiLegPosition) else [position]
    return max((leg.expiry for leg in legs), default=without)


def _join(parts: Sequence[_Part]) -> _Part:
    """Return the sum of parts, all at once, because a sum of sums would take a square of the time."""
    payoff = Payoff(
        sum_options(option for part in parts for option in part.payoff.options),
        sum(part.payoff.shares for part in parts),
        sum(part.payoff.cost for part in parts),
    )
    return _Part(payoff, sum(part.positions for part in parts))


def _loss(parts: dict[dt.date, _Part]) -> tuple[float, int]:
    """Return the maximum loss on one underlying and the number of positions in it."""
    shares = parts.pop(dt.date.max, None)
    dated = [parts[expiry] for expiry in sorted(parts)]
    if shares is not None:
        dated = _cover(shares, dated)
    total, covered = 0.0, 0
    for number, part in enumerate(dated):
        if part.tail < -_CENT_FRACTION and _is_covered_later(part, dated[number + 1 :]):
            continue  # a later call limits the loss, but only a model knows by how much
        total += part.payoff.max_loss
        covered += part.positions
    return total, covered


def _is_covered_later(part: _Part, later: Iterable[_Part]) -> bool:
    return part.tail + math.fsum(max(each.tail, 0.0) for each in later) >= -_CENT_FRACTION


def _cover(shares: _Part, dated: list[_Part]) -> list[_Part]:
    """Give each part the shares that its calls need, earliest expiry first; the rest is a separate part."""
    left, each = shares.payoff.shares, shares.payoff.cost / shares.payoff.shares
    joined = []
    for part in dated:
        need = -part.tail
        taken = math.copysign(min(abs(need), abs(left)), left) if need * left > 0 else 0.0
        left -= taken
        joined.append(_join([part, _Part(Payoff((), taken, taken * each), 0)]) if taken else part)
    rest = _Part(Payoff((), left, left * each), shares.positions)
    return [*joined, rest]


@dataclass(frozen=True, slots=True)
class Cover:
    """The shares in the file that cover a single short call.

    Attributes:
        shares: The number of shares that cover the call.
        needed: The number of shares that the call would deliver.
        payoff: The payoff of the call with these shares, if they cover all of it.
    """

    shares: float
    needed: float
    payoff: Payoff | None


def find_cover(portfolio: Portfolio, position: AnyPosition) -> Cover | None:
    """Return the cover of a single short call; None for other positions, or if no shares are left.

    Each share covers only one call; calls take shares in the file's order.
    """
    payoff = _short_call(position)
    if payoff is None:
        return None
    beside = [one for one in portfolio.positions if stock_symbol(one.symbol) == stock_symbol(position.symbol)]
    held = [one for one in beside if isinstance(one, EquityPosition) and one.shares > 0]
    left = math.fsum(one.shares for one in held)
    each = math.fsum(one.shares * one.cost_basis for one in held) / left if left else 0.0
    for other in beside[: beside.index(position)]:
        earlier = _short_call(other)
        left -= 0.0 if earlier is None else -earlier.options[0].amount
    needed = -payoff.options[0].amount
    taken = min(max(left, 0.0), needed)
    if not taken:
        return None
    whole = Payoff(payoff.options, taken, payoff.cost + taken * each) if taken == needed else None
    return Cover(taken, needed, whole)


def _short_call(position: AnyPosition) -> Payoff | None:
    is_call = isinstance(position, Position) and position.option_type == "call" and position.contracts < 0
    return describe_structure(position).payoff if is_call else None
