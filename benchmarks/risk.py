"""The cost of risk: implied volatilities and Greeks of many contracts, if all prices or none have moved."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from collections.abc import Iterator
from statistics import median

from harness import Figure

from options_helper.analysis.osi import contract_symbol
from options_helper.analysis.risk.live_risk import solve_live_risk
from options_helper.analysis.risk.pricing.model import Model, OptionInputs
from options_helper.analysis.risk.pricing.solver import Solver
from options_helper.market import LiveSnapshot, Quote
from options_helper.models import Portfolio, Position
from options_helper.session.risk.solver_process import shared_process

_AT = dt.datetime(2026, 11, 18, 15, 30, tzinfo=dt.UTC)
_RATE = 0.03625
_LIMITS = {250: "<= 150", 5000: "<= 3000"}
_WATCH_SECONDS = 0.0002


def measure_risk(*, quick: bool) -> Iterator[Figure]:
    """Yield the time for the risk of American contracts, half of them puts, if all or no prices moved."""
    for size, limit in _LIMITS.items():
        rounds = (3 if quick else 7) if size > 1000 else (10 if quick else 30)
        held, solver = moving_portfolio(size), Solver()
        lives = [moved_snapshot(held, number) for number in range(rounds)]
        first, moved = _solve(held, lives[:1], solver), _solve(held, lives[1:], solver)
        assert len(first) == 1
        yield Figure(f"risk of {size} contracts, all moved", median(moved), "ms CPU", limit)
        elsewhere = Solver(shared_process().solve_many)
        _solve(held, lives[:1], elsewhere)  # starts the process
        spared = _solve(held, lives[1:], elsewhere)
        yield Figure(f"the same, solved in its own process: CPU here, {size}", median(spared), "ms CPU")
        still = _solve(held, [lives[-1]] * 10, solver)
        yield Figure(f"risk of {size} contracts, none moved", median(still), "ms CPU")
    held = moving_portfolio(250)
    yield Figure("longest pause of another thread meanwhile", _pause(held), "ms")


def compute_again_and_again(solver: Solver, seconds: float, off: threading.Event) -> None:
    """Compute the risk of 250 contracts with new prices at this interval, until the event is set."""
    held = moving_portfolio(250)
    lives = [moved_snapshot(held, number) for number in range(20)]
    for number in itertools.count():
        solve_live_risk(held, lives[number % len(lives)], _RATE, 30.0, solver)
        if off.wait(seconds):
            return


def _solve(held: Portfolio, lives: list[LiveSnapshot], solver: Solver) -> list[float]:
    """Return this thread's CPU time for each snapshot, in milliseconds."""
    took = []
    for live in lives:
        began = time.thread_time()
        risk = solve_live_risk(held, live, _RATE, 30.0, solver)
        took.append(1000 * (time.thread_time() - began))
        assert int(risk.total["covered_legs"]) == len(held.positions)
    return took


def _pause(held: Portfolio) -> float:
    """Return the longest wait of another thread for the interpreter in milliseconds, as a median of runs."""
    pauses: list[float] = []
    for number in range(9):
        live, solver, ended = moved_snapshot(held, number), Solver(), threading.Event()
        longest = 0.0

        def solve(live: LiveSnapshot = live, solver: Solver = solver, ended: threading.Event = ended) -> None:
            solve_live_risk(held, live, _RATE, 30.0, solver)
            ended.set()

        thread = threading.Thread(target=solve)
        thread.start()
        while not ended.is_set():
            began = time.perf_counter()
            time.sleep(_WATCH_SECONDS)
            longest = max(longest, time.perf_counter() - began - _WATCH_SECONDS)
        thread.join()
        pauses.append(longest)
    return 1000 * median(pauses)


def moving_portfolio(size: int) -> Portfolio:
    """Return a portfolio of single American options, half of them puts, 50 per stock."""
    positions = [
        Position(
            id=f"p{number}",
            symbol=f"S{chr(65 + number // 1300)}{chr(65 + number // 50 % 26)}",
            option_type="put" if number % 2 else "call",
            expiry=dt.date(2027, 1, 15) + dt.timedelta(days=28 * (number % 5)),
            strike=80.0 + number % 41,
            contracts=1 if number % 3 else -1,
            cost_basis=3.0,
        )
        for number in range(size)
    ]
    return Portfolio(positions=positions)


def moved_snapshot(held: Portfolio, number: int) -> LiveSnapshot:
    """Return a snapshot in which every spot and every quote differs from those of the previous number."""
    at = _AT + dt.timedelta(seconds=2 * number)
    spot = 100.0 + 0.05 * (number % 20)
    stocks = {
        each.symbol: Quote(each.symbol, spot - 0.01, spot + 0.01, 1, 1, at, at) for each in held.positions
    }
    return LiveSnapshot(
        as_of=at, version=number, stock_quotes=stocks, option_quotes=_option_quotes(held, spot, at)
    )


_prices: dict[tuple[object, ...], float] = {}
_model = Model()


def _option_quotes(held: Portfolio, spot: float, at: dt.datetime) -> dict[str, Quote]:
    quotes = {}
    for each in held.positions:
        assert isinstance(each, Position)
        key = (each.option_type, each.strike, each.expiry, spot)
        if key not in _prices:
            years = (each.expiry - _AT.date()).days / 365
            option = OptionInputs(
                each.option_type == "put", each.strike, spot, years, _RATE, 0.0, european=False
            )
            _prices[key] = _model.price(option, 0.3)
        symbol = contract_symbol(each.symbol, each)
        quotes[symbol] = Quote(symbol, _prices[key] - 0.01, _prices[key] + 0.01, 1, 1, at, at)
    return quotes
