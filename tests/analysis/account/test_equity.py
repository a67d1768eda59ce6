"""The difference between the portfolio's value and the broker's equity, explained to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.account.equity import EquityBridge, OwnValue, explain_equity
from options_helper.market import BrokerAccount, BrokerPosition

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
CALL, PUT, STOCK, OTHER = "AAPL261218C00250000", "AAPL261218P00240000", "AAPL", "KO"
SYMBOLS = (CALL, PUT, STOCK, OTHER)
CENTS = st.integers(0, 50_000).map(lambda cents: Decimal(cents) / 100)
MONEY = st.integers(-9_000_000, 9_000_000).map(lambda cents: Decimal(cents) / 100)


def size(symbol: str) -> Decimal:
    """Dollars per point."""
    return Decimal(100 if len(symbol) > 10 else 1)


@st.composite
def own_rows(draw: st.DrawFn) -> list[OwnValue]:
    """Rows of a file; each symbol has one mark, or none."""
    marks = {symbol: draw(st.none() | CENTS) for symbol in SYMBOLS}
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), max_size=6))
    return [
        OwnValue(
            symbol=symbol,
            quantity=Decimal(draw(st.integers(-5, 5).filter(bool))),
            mark=marks[symbol],
            size=size(symbol),
        )
        for symbol in symbols
    ]


@st.composite
def holdings(draw: st.DrawFn) -> dict[str, BrokerPosition]:
    """The broker's positions, some without a price."""
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), unique=True))
    return {
        symbol: BrokerPosition(
            symbol,
            float(draw(st.integers(-8, 8).filter(bool))),
            None if draw(st.integers(0, 5)) == 0 else float(draw(CENTS)),
        )
        for symbol in symbols
    }


def bridge(
    rows: list[OwnValue], cash: Decimal, positions: dict[str, BrokerPosition], account: BrokerAccount
) -> EquityBridge:
    """Return the parts of the difference."""
    found = explain_equity(rows, cash, positions, account)
    assert found is not None
    return found


@given(own_rows(), MONEY, holdings(), MONEY, MONEY, st.none() | MONEY)
@settings(max_examples=500, deadline=None)
def test_the_parts_sum_to_the_difference(
    rows: list[OwnValue],
    cash: Decimal,
    positions: dict[str, BrokerPosition],
    equity: Decimal,
    broker_cash: Decimal,
    counted: Decimal | None,
) -> None:
    """In 500 random accounts, the parts sum exactly to value minus equity, and each equals its definition."""
    account = BrokerAccount(
        equity=float(equity),
        cash=float(broker_cash),
        position_value=None if counted is None else float(counted),
        as_of=NOW,
    )
    found = bridge(rows, cash, positions, account)
    parts = (found.marks, found.only_in_file, found.only_at_broker, found.unmarked)
    others = found.cash + found.between + found.rest
    assert sum(parts) + others == found.difference == found.portfolio_value - equity
    # The same once more, contract by contract, with each on its own.
    value = cash + sum(
        (row.quantity * row.size * row.mark for row in rows if row.mark is not None), Decimal(0)
    )
    assert found.portfolio_value == value
    one_by_one = dict.fromkeys(("marks", "file", "broker", "unmarked"), Decimal(0))
    left = {symbol: int(position.quantity) for symbol, position in positions.items()}
    for row in rows:
        sign = 1 if row.quantity > 0 else -1
        for _ in range(abs(int(row.quantity))):
            price = Decimal(0)
            held = left.get(row.symbol, 0) * sign > 0
            if held:
                left[row.symbol] -= sign
                price = Decimal(str(positions[row.symbol].price or 0)) * size(row.symbol) * sign
            if row.mark is None:
                one_by_one["unmarked"] -= price
            elif held:
                one_by_one["marks"] += row.mark * row.size * sign - price
            else:
                one_by_one["file"] += row.mark * row.size * sign
    for symbol, quantity in left.items():
        one_by_one["broker"] -= quantity * Decimal(str(positions[symbol].price or 0)) * size(symbol)
    assert parts == tuple(one_by_one[name] for name in ("marks", "file", "broker", "unmarked"))
    booked = sum(
        (
            Decimal(str(position.quantity)) * Decimal(str(position.price or 0)) * size(position.symbol)
            for position in positions.values()
        ),
        Decimal(0),
    )
    assert found.between == (0 if counted is None else booked - counted)
    assert found.rest == (booked if counted is None else counted) + broker_cash - equity
    assert found.unpriced == sum(position.price is None for position in positions.values())


def test_equal_holdings_at_equal_prices_have_nothing_to_explain() -> None:
    """With equal holdings, prices and cash, every part is zero."""
    row = OwnValue(symbol=CALL, quantity=Decimal(2), mark=Decimal("3.10"), size=Decimal(100))
    account = BrokerAccount(equity=1620.0, cash=1000.0, as_of=NOW)
    found = bridge([row], Decimal(1000), {CALL: BrokerPosition(CALL, 2.0, 3.1)}, account)
    assert (found.difference, found.rest, found.is_exact) == (0, 0, True)


def test_an_account_without_equity_is_not_explained() -> None:
    """Without the broker's equity or cash, there is no explanation."""
    for account in (BrokerAccount(cash=1.0, as_of=NOW), BrokerAccount(equity=1.0, as_of=NOW)):
        assert explain_equity([], Decimal(0), {}, account) is None
