"""The previous close: the rows of the rule's table, the same for the tables and for the account's day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from options_helper.analysis.account.day_result import day_of
from options_helper.analysis.tables.view import compute_view
from options_helper.analysis.valuation.previous_closes import ChosenClose, CloseBasis, choose_close
from options_helper.market import (
    BrokerFill,
    BrokerPosition,
    Dividend,
    LiveSnapshot,
    PreviousClose,
    Quote,
    Split,
)
from options_helper.models import EquityPosition, Portfolio, Position

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
TODAY, BEFORE = dt.date(2026, 11, 20), dt.date(2026, 11, 19)
CALL = "AAPL261218C00250000"
LATE = dt.datetime(2026, 11, 19, 20, 40, tzinfo=dt.UTC)  # 15:40 in New York
EARLY = dt.datetime(2026, 11, 19, 15, 0, tzinfo=dt.UTC)


def world(
    close: PreviousClose | None, broker: float | None = None, *, symbol: str = CALL, **more: Any
) -> LiveSnapshot:
    """A snapshot with a daily close, and with a position that reports its own."""
    held = {} if broker is None else {symbol: BrokerPosition(symbol, 2.0, 3.0, 600.0, 2.0, broker)}
    known = {
        "as_of": NOW,
        "trading_date": TODAY,
        "previous_trading_date": BEFORE,
        "previous_closes": {} if close is None else {symbol: close},
        "broker_positions": held,
        "broker_positions_at": NOW,
    }
    return LiveSnapshot(**(known | more))


def closed(price: float, *, at: dt.datetime | None = None, trades: int = 9, **more: Any) -> PreviousClose:
    """A daily close of the day before."""
    return PreviousClose(price, BEFORE, trades, at, **more)


TABLE = {
    "the broker's": (closed(1.5, at=LATE, mid=1.6), 2.5, ChosenClose(2.5, CloseBasis.BROKER)),
    "a broker's of 0": (closed(1.5, at=LATE), 0.0, ChosenClose(1.5, CloseBasis.TRADE)),
    "the closing quote": (closed(1.5, at=LATE, mid=1.6), None, ChosenClose(1.6, CloseBasis.QUOTE)),
    "a quote, no trade": (closed(1.6, trades=0, mid=1.6), None, ChosenClose(1.6, CloseBasis.QUOTE)),
    "a late trade": (closed(1.5, at=LATE), None, ChosenClose(1.5, CloseBasis.TRADE)),
    "of an unknown time": (closed(1.5), None, ChosenClose(1.5, CloseBasis.TRADE)),
    "an early trade": (closed(1.5, at=EARLY), None, ChosenClose(None, CloseBasis.EARLY)),
    "the only trade": (closed(1.5, trades=1), None, ChosenClose(None, CloseBasis.EARLY)),
    "an older day": (
        PreviousClose(1.5, BEFORE - dt.timedelta(days=1), 9, LATE), None, ChosenClose(None, CloseBasis.OLD)
    ),
    "none": (None, None, ChosenClose(None, CloseBasis.UNKNOWN)),
}  # fmt: skip


@pytest.mark.parametrize(("close", "broker", "chosen"), TABLE.values(), ids=TABLE)
def test_the_first_row_that_applies_is_used(
    close: PreviousClose | None, broker: float | None, chosen: ChosenClose
) -> None:
    """For a contract, the rows of the table in the function's docstring apply in order."""
    assert choose_close(CALL, world(close, broker)) == chosen


def test_on_a_half_day_the_last_half_hour_is_before_one() -> None:
    """A trade at 12:35 is late if the session ended at 13:00, and early if it ended at 16:00."""
    at = dt.datetime(2026, 11, 19, 17, 35, tzinfo=dt.UTC)
    half = dt.datetime(2026, 11, 19, 18, 0, tzinfo=dt.UTC)
    assert choose_close(CALL, world(closed(1.5, at=at), previous_session_close=half)).price == 1.5
    assert choose_close(CALL, world(closed(1.5, at=at))).basis is CloseBasis.EARLY


def test_a_broker_read_on_another_day_is_ignored() -> None:
    """The broker's close may be from another day, so the daily close is used."""
    seen = world(closed(1.5, at=LATE), 2.5, broker_positions_at=NOW - dt.timedelta(days=1))
    assert choose_close(CALL, seen) == ChosenClose(1.5, CloseBasis.TRADE)


@pytest.mark.parametrize(
    ("date", "stock", "contract"),
    [
        (TODAY, ChosenClose(50.0, CloseBasis.DAILY), ChosenClose(None, CloseBasis.SPLIT)),
        (BEFORE, ChosenClose(100.0, CloseBasis.BROKER), ChosenClose(1.5, CloseBasis.TRADE)),
    ],
)
def test_a_split_since_the_close_is_applied(date: dt.date, stock: ChosenClose, contract: ChosenClose) -> None:
    """The stock's close is divided, and its contracts' closes are withheld."""
    splits = (Split(symbol="AAPL", new=Decimal(2), old=Decimal(1), date=date),)
    assert choose_close("AAPL", world(closed(100.0), 100.0, symbol="AAPL", splits=splits)) == stock
    assert choose_close(CALL, world(closed(1.5, at=LATE), splits=splits)) == contract


def test_a_spin_off_withholds_the_close_of_the_stock_too() -> None:
    """A spin-off changes the price by an unknown amount, but not the number of shares."""
    splits = (Split(symbol="AAPL", new=Decimal(1), old=Decimal(1), date=TODAY),)
    seen = world(closed(100.0), 100.0, symbol="AAPL", splits=splits)
    assert choose_close("AAPL", seen) == ChosenClose(None, CloseBasis.SPLIT)


@pytest.mark.parametrize(("ex_date", "is_said"), [(TODAY, True), (TODAY + dt.timedelta(days=1), False)])
def test_shares_say_that_p_l_day_counts_a_dividend_as_a_move(ex_date: dt.date, is_said: bool) -> None:
    """A short position that owes $5 a share shows a gain of $5 on the ex-dividend day, with a warning."""
    seen = world(
        None,
        previous_closes={"AAPL": closed(100.0)},
        stock_quotes={"AAPL": Quote("AAPL", 94.9, 95.1, 1, 1, NOW, NOW)},
        dividends=(Dividend(symbol="AAPL", amount=Decimal(5), ex_date=ex_date),),
    )
    short = EquityPosition(id="s", symbol="AAPL", shares=-100, cost_basis=90)
    view = compute_view(Portfolio(positions=[short]), seen, stale_after_seconds=30.0)
    (row,) = view.positions.to_dict("records")
    assert row["pnl_day"] == pytest.approx(500.0)
    assert ("ex_dividend" in row["warnings"]) == is_said


def test_tables_and_account_count_from_the_same_close() -> None:
    """After a split of 2 : 1, the shares show +$2 each, and their contract's close is withheld as split."""
    symbols = {"AAPL": (51.9, 52.1), CALL: (3.0, 3.2)}
    quotes = {name: Quote(name, bid, ask, 1, 1, NOW, NOW) for name, (bid, ask) in symbols.items()}
    seen = world(
        None,
        splits=(Split(symbol="AAPL", new=Decimal(2), old=Decimal(1), date=TODAY),),
        previous_closes={"AAPL": closed(100.0), CALL: closed(1.5, at=LATE)},
        stock_quotes={"AAPL": quotes["AAPL"]},
        option_quotes={CALL: quotes[CALL]},
        broker_positions={
            "AAPL": BrokerPosition("AAPL", 10.0, 52.0, 520.0, 40.0, 100.0),
            CALL: BrokerPosition(CALL, 1.0, 3.1, 310.0, 1.0, 1.5),
        },
        broker_history_since=BEFORE,
    )
    call = Position(
        id="c", symbol="AAPL", option_type="call", expiry=dt.date(2026, 12, 18), strike=250,
        contracts=1, cost_basis=1,
    )  # fmt: skip
    shares = EquityPosition(id="s", symbol="AAPL", shares=10, cost_basis=40)
    view = compute_view(Portfolio(positions=[call, shares]), seen, stale_after_seconds=30.0)
    option, stock = (view.positions.iloc[number] for number in (0, 1))
    assert (stock["pnl_day"], stock["previous_close"]) == (pytest.approx(20), 50.0)
    assert (list(stock["warnings"]), list(option["warnings"])) == ([], ["previous_close_jump"])
    assert view.totals.day_pnl.partial == pytest.approx(20)
    day = day_of(seen)
    assert day is not None
    assert day.known == 20


def test_the_day_takes_todays_executions_only() -> None:
    """Yesterday's execution belongs to the opening quantity; without the history, there is no result."""
    fills = [
        BrokerFill(symbol=CALL, quantity=Decimal(1), price=Decimal(2), at=at, order_id="o")
        for at in (LATE, NOW)
    ]
    seen = LiveSnapshot(
        as_of=NOW,
        previous_trading_date=BEFORE,
        broker_positions={CALL: BrokerPosition(CALL, 2.0, 3.0, 600.0, 2.0, 2.5)},
        broker_positions_at=NOW,
        broker_fills=fills,
        broker_history_since=BEFORE,
        broker_cash_since=NOW.date(),
    )
    day = day_of(seen)
    assert day is not None
    # Held at the start: 1 at 2.50, now 3.00; bought today: 1 at 2.00.
    assert (day.known, day.complete) == (50 + 100, True)
    assert day_of(LiveSnapshot(broker_positions_at=NOW)) is None
