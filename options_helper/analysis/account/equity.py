"""The difference between the portfolio's value and the broker's equity, explained to the cent.

Every figure is an exact decimal. The page always shows `rest`, the unexplained part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from options_helper.analysis.account.records import ZERO, size_of
from options_helper.market import BrokerAccount, BrokerPosition

_HALF_A_CENT = Decimal("0.005")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnValue:
    """A leg or single position of the file, at its mark.

    Attributes:
        quantity: Signed contracts or shares.
        mark: Dollars per share; a row with None does not count in the portfolio's value.
        size: Dollars per point of the mark.
    """

    symbol: str
    quantity: Decimal
    mark: Decimal | None
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityBridge:
    """The difference between the portfolio's value and the broker's equity; the parts sum to it exactly.

    Attributes:
        portfolio_value: The file's cash plus the value of its positions at their marks.
        marks: Our marks minus the broker's prices, for everything held on both sides.
        only_in_file: The value of holdings that only the file has.
        only_at_broker: The negated value of holdings that only the broker has.
        unmarked: The negated broker's value of rows without a mark.
        cash: The file's cash minus the broker's.
        between: The value of the broker's positions minus the position value in its equity; prices move and
            orders fill between the two responses. 0 if the account does not report its position value.
        rest: The negated part of the broker's equity that is neither cash nor positions.
        unpriced: The number of positions that the broker reports without a price; they count in `between`.
    """

    portfolio_value: Decimal
    equity: Decimal
    marks: Decimal
    only_in_file: Decimal
    only_at_broker: Decimal
    unmarked: Decimal
    cash: Decimal
    between: Decimal
    rest: Decimal
    unpriced: int

    @property
    def difference(self) -> Decimal:
        """The portfolio's value minus the equity, equal to the sum of all parts."""
        return self.portfolio_value - self.equity

    @property
    def is_exact(self) -> bool:
        """True if nothing is left unexplained."""
        return abs(self.rest) < _HALF_A_CENT


def explain_equity(
    rows: Iterable[OwnValue],
    file_cash: Decimal,
    positions: Mapping[str, BrokerPosition],
    account: BrokerAccount,
) -> EquityBridge | None:
    """Return the parts of the difference, or None if the broker reports no equity or no cash.

    Args:
        rows: Every leg and single position of the file.
        file_cash: The file's cash in dollars.
        positions: The broker's positions, keyed by symbol.
        account: The broker's equity and cash.
    """
    if account.equity is None or account.cash is None:
        return None
    equity, cash = exact(account.equity), exact(account.cash)
    left = {symbol: exact(position.quantity) for symbol, position in positions.items()}
    units = {symbol: _price(position) * size_of(symbol) for symbol, position in positions.items()}
    broker_value = sum((quantity * units[symbol] for symbol, quantity in left.items()), ZERO)
    counted = broker_value if account.position_value is None else exact(account.position_value)
    value, marks, only_in_file, unmarked = file_cash, ZERO, ZERO, ZERO
    for row in rows:
        common = _common(row.quantity, left.get(row.symbol, ZERO))
        booked = common * units.get(row.symbol, ZERO)
        if common:
            left[row.symbol] -= common
        if row.mark is None:
            unmarked -= booked
            continue
        unit = row.mark * row.size
        value += row.quantity * unit
        marks += common * unit - booked
        only_in_file += (row.quantity - common) * unit
    return EquityBridge(
        portfolio_value=value,
        equity=equity,
        marks=marks,
        only_in_file=only_in_file,
        only_at_broker=-sum((quantity * units[symbol] for symbol, quantity in left.items()), ZERO),
        unmarked=unmarked,
        cash=file_cash - cash,
        between=broker_value - counted,
        rest=counted + cash - equity,
        unpriced=sum(position.price is None for position in positions.values()),
    )


def exact(value: float) -> Decimal:
    """Return the decimal of a float's shortest text."""
    return Decimal(repr(value))


def _common(quantity: Decimal, held: Decimal) -> Decimal:
    """Return the quantity held on both sides; 0 if one is long and the other short."""
    return min(quantity, held, key=abs) if quantity * held > 0 else ZERO


def _price(position: BrokerPosition) -> Decimal:
    return ZERO if position.price is None else exact(position.price)
