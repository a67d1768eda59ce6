"""The cost of one refresh's tables, compared with building DataFrames of the same columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from statistics import median

import pandas as pd
from report import Figure
from timing import in_turns

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.data.streaming.subscriptions import build_subscription_plan
from options_helper.market import LiveSnapshot
from options_helper.models import Leg, MultiLegPosition, Portfolio, Position
from options_helper.quote_tables import QuoteTable
from options_helper.times import to_microseconds

_STOCKS = 25


def measure(*, quick: bool) -> Iterator[Figure]:
    """All tables and totals of one refresh, against one DataFrame of the positions table's columns."""
    medians: dict[int, float] = {}
    for size in (250, 5000):
        refresh, rebuild_one, rebuild_all = _tables_of(size)
        mine, one, every = in_turns([refresh, rebuild_one, rebuild_all], 100 if quick else 400)
        medians[size] = median(mine)
        yield Figure(f"tables of {size} positions", medians[size], "ms")
        yield Figure(
            f"tables of {size} / one DataFrame like their positions table", medians[size] / median(one), "x"
        )
        yield Figure(
            f"tables of {size} / DataFrames like the tables", medians[size] / median(every), "x", "<= 5"
        )
    yield Figure("growth from 250 to 5000 positions", medians[5000] / medians[250], "x", "<= 5")


def _tables_of(size: int) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
    """A refresh of all tables over ever newer snapshots, and the DataFrames they come to."""
    portfolio = _portfolio(size)
    snapshots = _Snapshots(portfolio)

    def refresh() -> list[pd.DataFrame]:
        live = snapshots.next()
        positions = compute_live_position_rows(portfolio, live, stale_after_seconds=10)
        structures, legs = compute_live_multileg_rows(portfolio, live, stale_after_seconds=10)
        underlyings = compute_live_underlying_rows(
            portfolio, live, positions, structures, legs, stale_after_seconds=10
        )
        compute_live_totals(portfolio, positions, structures, legs)
        return [positions, structures, legs, underlyings]

    columns = [{name: frame[name].array.copy() for name in frame} for frame in refresh()]
    return refresh, lambda: pd.DataFrame(columns[0]), lambda: [pd.DataFrame(each) for each in columns]


class _Snapshots:
    """Snapshots of a portfolio's symbols, each with new prices and a later time."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._at = dt.datetime(2026, 11, 18, 15, 30, tzinfo=dt.UTC)
        plan = build_subscription_plan(
            portfolio,
            stream_stocks=True,
            stream_options=True,
            max_option_contracts=100_000,
            today=self._at.date(),
        )
        self._plan = plan
        self._options = QuoteTable.empty(plan.option_contracts)
        self._stocks = QuoteTable.empty(plan.stocks)
        self._version = 0

    def next(self) -> LiveSnapshot:
        """A snapshot in which every quote is new."""
        self._at += dt.timedelta(seconds=1)
        self._version += 1
        self._options, self._stocks = self._filled(self._options), self._filled(self._stocks)
        return LiveSnapshot(
            as_of=self._at,
            running=True,
            status="running",
            version=self._version,
            option_quotes=self._options,
            stock_quotes=self._stocks,
            options_feed="opra",
            stock_feed="sip",
            market_phase="open",
        )

    def _filled(self, table: QuoteTable) -> QuoteTable:
        rows = table.rows.copy()
        bid = 1.0 + self._version % 100 / 100
        for name, value in (
            ("bid_price", bid),
            ("ask_price", bid + 0.1),
            ("bid_size", 5.0),
            ("ask_size", 7.0),
        ):
            rows[name] = value
        rows["timestamp"] = rows["received_at"] = to_microseconds(self._at) - 200_000
        rows["present"] = True
        return type(table)(table.index, rows)


def _portfolio(size: int) -> Portfolio:
    """Four fifths single options, one fifth vertical spreads, on `_STOCKS` stocks."""
    expiry = dt.date(2027, 1, 15)
    positions: list[Position | MultiLegPosition] = []
    for number in range(size):
        symbol, strike = f"ST{chr(65 + number % _STOCKS)}", 50.0 + number
        if number % 5:
            positions.append(
                Position(
                    id=f"p{number}",
                    symbol=symbol,
                    option_type="call",
                    expiry=expiry,
                    strike=strike,
                    contracts=1 + number % 3,
                    cost_basis=1.25,
                )
            )
        else:
            legs = [
                Leg(side=side, option_type="put", expiry=expiry, strike=strike + shift, contracts=1)
                for side, shift in (("long", 0.0), ("short", -0.5))
            ]
            positions.append(MultiLegPosition(id=f"p{number}", symbol=symbol, legs=legs, net_debit=40.0))
    return Portfolio(positions=positions)
