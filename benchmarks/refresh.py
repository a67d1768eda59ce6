"""The cost of a refresh: a snapshot, its tables, and one more order update."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pandas as pd
from feed import order_update
from harness import Figure, in_turns, portfolio

from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
    compute_live_totals,
    compute_live_underlying_rows,
)
from options_helper.analysis.tables.view import compute_view
from options_helper.data.calendar.market_clock import ExchangeCalendar
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.data.streaming.normalize.wire import WireQuote
from options_helper.data.streaming.run.live_run import LiveRun
from options_helper.data.streaming.subscriptions import build_subscription_plan
from options_helper.data.streaming.trading_normalizers import normalize_trade_update
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.quote_tables import QuoteTable
from options_helper.times import to_microseconds

_POSITIONS = 250


def measure_tables(*, quick: bool) -> Iterator[Figure]:
    """Yield the time for all tables and totals of one refresh, compared with plain DataFrames of the same."""
    medians: dict[int, float] = {}
    for size in (250, 5000):
        refresh, figures, rebuild_one, rebuild_all = _tables_of(size)
        calls = [refresh, figures, rebuild_one, rebuild_all]
        mine, bare, one, every = in_turns(calls, 100 if quick else 400)
        medians[size] = median(mine)
        yield Figure(f"tables of {size} positions", medians[size], "ms")
        yield Figure("their figures without DataFrames, as the page reads them", median(bare), "ms")
        yield Figure(
            f"tables of {size} / one DataFrame like their positions table", medians[size] / median(one), "x"
        )
        yield Figure(
            f"tables of {size} / DataFrames like the tables", medians[size] / median(every), "x", "<= 5"
        )
    yield Figure("growth from 250 to 5000 positions", medians[5000] / medians[250], "x", "<= 5")


def _tables_of(size: int) -> tuple[Callable[[], object], ...]:
    """Return calls that compute all tables of a new snapshot, the page's view of one, plain DataFrames."""
    held = Portfolio.model_validate(portfolio(size))
    snapshots = _Snapshots(held)

    def refresh() -> list[pd.DataFrame]:
        live = snapshots.next()
        positions = compute_live_position_rows(held, live, stale_after_seconds=10)
        structures, legs = compute_live_multileg_rows(held, live, stale_after_seconds=10)
        underlyings = compute_live_underlying_rows(
            held, live, positions, structures, legs, stale_after_seconds=10
        )
        compute_live_totals(held, positions, structures, legs)
        return [positions, structures, legs, underlyings]

    columns = [{name: frame[name].array.copy() for name in frame} for frame in refresh()]
    return (
        refresh,
        lambda: compute_view(held, snapshots.next(), stale_after_seconds=10),
        lambda: pd.DataFrame(columns[0]),
        lambda: [pd.DataFrame(each) for each in columns],
    )


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
        """Return a snapshot with a new quote of every symbol."""
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


def measure_snapshot(*, quick: bool) -> Iterator[Figure]:
    """Yield the time of `snapshot()` with many symbols, at rest and while batches arrive."""
    for symbols, target in ((250, "<= 0.1"), (5000, "<= 1")):
        tables = FullTables(symbols)
        (at_rest,) = in_turns([tables.manager.snapshot], 1000 if quick else 5000)
        with tables.batches_arriving():
            (busy,) = in_turns([tables.manager.snapshot], 1000 if quick else 5000)
        yield Figure(f"snapshot(), {symbols} symbols", median(at_rest), "ms", target)
        yield Figure(f"snapshot(), {symbols} symbols, 50 full batches/s", median(busy), "ms", target)
        tables.manager.stop()


class FullTables:
    """A manager with full tables and a known calendar, fed by a streamer of this benchmark."""

    def __init__(self, symbols: int) -> None:
        self.symbols = [f"AAPL261218C{number:08d}" for number in range(1000, 1000 + symbols)]
        self._made: list[_Streamer] = []
        self.manager = LiveStreamManager(
            option_streamer_factory=self._make,
            stock_streamer_factory=self._make,
            trading_streamer_factory=self._make,
            backfill_factory=lambda _config, run: _Calendar(run),
        )
        self.manager.start(LiveStreamConfig(option_contracts=tuple(self.symbols), stream_fills=False))
        while not self._made or self._made[0].on_quotes is None:
            time.sleep(0.001)
        self._offer()
        while len(self.manager.snapshot().option_quotes) < symbols:
            time.sleep(0.001)

    def _make(self, **arguments: Any) -> _Streamer:  # noqa: ANN401 - the streamers' arguments
        self._made.append(_Streamer(arguments["on_quotes"]))
        return self._made[-1]

    def _offer(self) -> None:
        now = dt.datetime.now(dt.UTC)
        self._made[0].on_quotes([WireQuote(symbol, 1.0, 1.1, 5.0, 5.0, now) for symbol in self.symbols])

    def batches_arriving(self) -> Arrivals:
        """Return a context in which another thread offers a quote of every symbol every 20 ms."""
        return Arrivals(self._offer)


class Arrivals:
    """A thread that makes a call fifty times a second while its `with` block runs."""

    def __init__(self, offer: Callable[[], None]) -> None:
        self._offer = offer
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            self._offer()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class _Calendar:
    """A stand-in for the background fetch that only provides the calendar, which every snapshot needs."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run

    def start(self) -> None:
        """Provide the calendar."""
        self._run.results.put_market(ExchangeCalendar())

    def stop(self) -> None:
        """Do nothing."""

    def join(self, timeout: float) -> None:
        """Do nothing."""

    def request_quotes(self, stream: object) -> None:
        """Do nothing."""


class _Streamer:
    def __init__(self, on_quotes: Callable[[Any], None]) -> None:
        self.on_quotes = on_quotes
        self._end = threading.Event()

    def subscribe(self, symbols: object) -> None:
        """Do nothing."""

    def run(self) -> None:
        """Wait until `stop` is called."""
        self._end.wait()

    def stop(self) -> None:
        """End `run`."""
        self._end.set()


def measure_fills_of_a_day(*, quick: bool) -> Iterator[Figure]:
    """Yield the time for one more update on a day of many fills, compared with building the whole day."""
    for fills in (200, 2000):
        following, anew = in_turns(list(_ways(fills)), 10 if quick else 40)
        yield Figure(f"order update after {fills} fills, {_POSITIONS} positions", median(following), "ms")
        yield Figure("the same built from scratch", median(anew), "ms")


def _ways(fills: int) -> Iterator[Callable[[], object]]:
    held = Portfolio.model_validate(portfolio(_POSITIONS))
    rows = [normalize_trade_update(order_update(number)["data"]) for number in range(fills, 0, -1)]
    known = [row for row in rows if row is not None]
    builder = FillDayBuilder()

    def facts(fill_day: FillDay) -> object:
        return fills_for_portfolio(fill_day, held, dt.datetime.now(dt.UTC))

    def follow() -> object:
        known.insert(0, {**known[0], "order_id": f"next-{len(known)}"})
        return facts(builder.build(known))

    yield follow
    yield lambda: facts(FillDayBuilder().build(known))
