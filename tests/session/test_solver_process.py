"""Quotes solved in a separate process: the same figures, and none lost if it ends."""

from __future__ import annotations

import io
import math
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from options_helper.analysis.risk.pricing.model import Model, OptionInputs, PriceGrid
from options_helper.analysis.risk.pricing.solver import OptionQuote, Solver
from options_helper.session.risk import solver_process
from options_helper.session.risk.solver_process import SolverProcess

QUOTES = [
    OptionQuote(
        f"S{number}",
        OptionInputs(
            bool(number % 2), 80.0 + number, 100.0, 0.25, 0.04, 0.01 * (number % 3), number % 5 == 0
        ),
        (10.0, 10.02, 10.04),
    )
    for number in range(60)
]


@pytest.fixture
def process() -> Iterator[SolverProcess]:
    """A process that ends with the test."""
    each = SolverProcess()
    yield each
    each.close()


def _figures(solver: Solver) -> list[object]:
    return [
        [
            -1.0 if math.isnan(number) else number
            for number in (each.iv, each.bid_iv, each.ask_iv, *each.greeks)
        ]
        + [each.reason]
        for each in solver.solve_all(QUOTES)
    ]


def test_another_process_has_the_same_figures(process: SolverProcess) -> None:
    """Volatilities, Greeks and reasons equal this process's, and only moved contracts are sent."""
    batches: list[int] = []

    def solve_many(quotes):
        batches.append(len(quotes))
        return process.solve_many(quotes)

    solver = Solver(solve_many)
    assert _figures(solver) == _figures(Solver())
    moved = [each._replace(prices=(9.9, 9.92, 9.94)) if at < 55 else each for at, each in enumerate(QUOTES)]
    solver.solve_all(moved)
    solver.solve_all([moved[0]._replace(prices=(9.8, 9.82, 9.84)), *moved[1:]])
    assert batches == [60, 55]  # the last one alone is solved here
    assert solver.solved == 60 + 55 + 1


def test_another_process_has_the_same_prices(process: SolverProcess) -> None:
    """Prices from the other process equal this one's."""
    spots = [80.0 + number for number in range(40)]
    grids = [PriceGrid(each.option, 0.3, spots) for each in QUOTES]
    assert process.price_all(grids) == Model().price_all(grids)
    assert process._process is not None


def test_quotes_are_solved_in_this_process_if_the_other_ends(process: SolverProcess) -> None:
    """If the process is killed, quotes are solved in this one."""
    expected = _figures(Solver())
    assert _figures(Solver(process.solve_many)) == expected
    assert process._process is not None
    process._process.kill()
    process._process.wait()
    assert _figures(Solver(process.solve_many)) == expected
    assert _figures(Solver(process.solve_many)) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
def test_a_process_that_does_not_answer_holds_nobody_up(
    process: SolverProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs is killed at a deadline, and the quotes are solved in this process."""
    expected = _figures(Solver(process.solve_many))
    monkeypatch.setattr(solver_process, "_ANSWER_SECONDS", 0.2)
    assert process._process is not None
    process._process.send_signal(signal.SIGSTOP)
    assert _figures(Solver(process.solve_many)) == expected


@pytest.mark.parametrize("count", [1, 8, 60])
def test_the_process_rests_between_slices(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """For few or many quotes, the rests add up to the same time, and the answers keep their order."""
    rests: list[float] = []
    monkeypatch.setattr(solver_process.time, "sleep", rests.append)
    source, sink = io.BytesIO(), io.BytesIO()
    solver_process._send(source, solver_process._Work(quotes=QUOTES[:count]))
    source.seek(0)
    solver_process.serve(source, sink)
    sink.seek(0)
    answer = solver_process._receive(sink)
    assert answer is not None
    solutions = solver_process._done_decoder.decode(answer).solutions
    assert repr(solutions) == repr(Solver().solve_all(QUOTES[:count]))  # some are NaN
    assert len(rests) == -(-count // 8)
    assert sum(rests) == pytest.approx(0.4)


@pytest.mark.integration
def test_the_process_needs_neither_pandas_nor_the_page() -> None:
    """The solver's process imports only the model, so it starts quickly and stays small."""
    heavy = "{'pandas', 'streamlit', 'numpy', 'alpaca'}"
    code = f"import sys, options_helper.session.risk.solver_process; print({heavy} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout.strip() == "set()"
