"""A process that solves many quotes, so that the streams and the page keep this one's interpreter.

QuantLib holds the interpreter while it prices. Both sides exchange plain doubles over pipes: a count, the
contracts, and their solutions in the same order. The process ends when its input does.
"""

from __future__ import annotations

import atexit
import logging
import os
import struct
import subprocess
import sys
import threading
from array import array
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO

from options_helper.analysis.risk.pricing.implied import Solution, solve
from options_helper.analysis.risk.pricing.model import Model, ModelGreeks, OptionInputs
from options_helper.analysis.risk.pricing.reasons import Reason
from options_helper.analysis.risk.pricing.solver import OptionQuote

logger = logging.getLogger(__name__)

_COUNT = struct.Struct("<I")
_INPUTS, _OUTPUTS = 10, 9
_DOUBLE_BYTES = 8
_ANSWER_SECONDS = 20.0  # thousands of quotes take about two
_REASONS = tuple(Reason)
# Its keys stay here: the process talks to nobody else.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR", "TEMP")


class SolverProcess:
    """Solves quotes in a process of its own, or in this one if that has failed; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_usable = True

    def solve_many(self, quotes: Sequence[OptionQuote]) -> list[Solution]:
        """Return the solutions of some quotes in their order."""
        with self._lock:
            if self._is_usable:
                try:
                    return self._ask(quotes)
                except (OSError, RuntimeError) as error:  # the latter without a thread for the deadline
                    logger.warning(
                        "The process that solves quotes is gone (%s); they are solved here.", error
                    )
                    self._is_usable = False
        model = Model()
        return [solve(model, each.option, *each.prices) for each in quotes]

    def close(self) -> None:
        """End the process; the next quotes start another one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, quotes: Sequence[OptionQuote]) -> list[Solution]:
        process = self._process = self._process or _start()
        if process.stdin is None or process.stdout is None:
            raise OSError("it has no pipes")
        numbers = array("d", (number for each in quotes for number in (*each.option, *each.prices)))
        # A process that was stopped would hold every reader; once killed, its answer ends.
        deadline = threading.Timer(_ANSWER_SECONDS, process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            process.stdin.write(_COUNT.pack(len(quotes)) + numbers.tobytes())
            process.stdin.flush()
            answer = _read(process.stdout, len(quotes) * _OUTPUTS)
        finally:
            deadline.cancel()
        return [_to_solution(answer[at : at + _OUTPUTS]) for at in range(0, len(answer), _OUTPUTS)]


@lru_cache(maxsize=1)
def shared_process() -> SolverProcess:
    """Return the one of this process, which ends with it."""
    process = SolverProcess()
    atexit.register(process.close)
    return process


def _start() -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", "-m", __spec__.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**known, "PYTHONPATH": str(root)},
        start_new_session=True,  # Ctrl+C in the terminal is for this process, which closes the other's input
    )


def _read(source: IO[bytes], count: int) -> array[float]:
    data = source.read(count * _DOUBLE_BYTES)
    if len(data) < count * _DOUBLE_BYTES:
        raise OSError("its answer ends early")
    numbers = array("d")
    numbers.frombytes(data)
    return numbers


def _to_numbers(solution: Solution) -> tuple[float, ...]:
    reason = -1 if solution.reason is None else _REASONS.index(solution.reason)
    return (solution.iv, solution.bid_iv, solution.ask_iv, *solution.greeks, float(reason))


def _to_solution(numbers: Sequence[float]) -> Solution:
    iv, bid_iv, ask_iv, *greeks, reason = numbers
    return Solution(iv, bid_iv, ask_iv, ModelGreeks(*greeks), None if reason < 0 else _REASONS[int(reason)])


def _to_option(numbers: Sequence[float]) -> OptionInputs:
    is_put, strike, spot, years, rate, dividend_yield, european = numbers
    return OptionInputs(bool(is_put), strike, spot, years, rate, dividend_yield, bool(european))


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer until the source ends."""
    model = Model()
    while head := source.read(_COUNT.size):
        numbers = _read(source, _COUNT.unpack(head)[0] * _INPUTS)
        answer = array("d")
        for at in range(0, len(numbers), _INPUTS):
            option, prices = _to_option(numbers[at : at + 7]), numbers[at + 7 : at + _INPUTS]
            answer.extend(_to_numbers(solve(model, option, *prices)))
        sink.write(answer.tobytes())
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
