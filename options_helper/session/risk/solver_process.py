"""Solves quotes and prices options in a separate process, which does not block the streams and the page.

QuantLib holds the interpreter lock while it prices. The process reads work from a pipe and answers in order;
each message is its length, then MessagePack. It ends when its input does.
"""

from __future__ import annotations

import atexit
import logging
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Literal, NamedTuple

import msgspec

from options_helper.analysis.risk.pricing.implied import Solution, solve
from options_helper.analysis.risk.pricing.model import Model, PriceGrid
from options_helper.analysis.risk.pricing.solver import OptionQuote

logger = logging.getLogger(__name__)

_LENGTH = struct.Struct("<I")
_ANSWER_SECONDS = 20.0  # thousands of quotes take about two
# A rest after each slice, `_REST_SECONDS` in total: solving all quotes at once would take the second of two
# cores from the streams for a tenth of a second, and a page that computes meanwhile would wait for them.
_SLICE_QUOTES = 8
_REST_SECONDS = 0.4
# If programs want more cores than there are, the page and the streams go first. With more than this, a busy
# machine would delay risk until `_ANSWER_SECONDS` have passed.
_NICENESS = 5
# Only these variables are passed on, so that the process never has the API keys.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR", "TEMP")


class _Work(NamedTuple):
    quotes: Sequence[OptionQuote] = ()
    grids: Sequence[PriceGrid] = ()


class _Done(NamedTuple):
    solutions: Sequence[Solution]
    prices: Sequence[Sequence[float]]


_encoder = msgspec.msgpack.Encoder()
_work_decoder = msgspec.msgpack.Decoder(_Work)
_done_decoder = msgspec.msgpack.Decoder(_Done)


class SolverProcess:
    """A solver in a separate process, or in this one once that has failed; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_usable = True

    def solve_many(self, quotes: Sequence[OptionQuote]) -> Sequence[Solution]:
        """Return the solution of each quote, in order."""
        return self._delegate(_Work(quotes=quotes)).solutions

    def price_all(self, grids: Sequence[PriceGrid]) -> Sequence[Sequence[float]]:
        """Return the prices of each grid, in order."""
        return self._delegate(_Work(grids=grids)).prices

    def close(self) -> None:
        """End the process; the next request starts another one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _delegate(self, work: _Work) -> _Done:
        with self._lock:
            if self._is_usable:
                try:
                    return self._ask(work)
                except (OSError, RuntimeError) as error:  # the latter without a thread for the deadline
                    logger.warning("The solver's process has ended (%s); this process solves instead.", error)
                    self._is_usable = False
        return _do(Model(), work)

    def _ask(self, work: _Work) -> _Done:
        process = self._process = self._process or _start()
        if process.stdin is None or process.stdout is None:
            raise OSError("it has no pipes")
        # A suspended process would block every reader; killing it ends its output.
        deadline = threading.Timer(_ANSWER_SECONDS, process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            _send(process.stdin, work)
            answer = _receive(process.stdout)
        finally:
            deadline.cancel()
        if answer is None:
            raise OSError("its answer ends early")
        return _done_decoder.decode(answer)


@cache
def shared_process(work: Literal["quotes", "grids"] = "quotes") -> SolverProcess:  # noqa: ARG001 - the key
    """Return the child process for one kind of work, started once and closed at exit.

    Quotes and grids have one each, because otherwise either could wait for seconds for the other.
    """
    process = SolverProcess()
    atexit.register(process.close)
    return process


def _start() -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[3]
    known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", "-m", __spec__.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**known, "PYTHONPATH": str(root)},
        start_new_session=True,  # Ctrl+C in the terminal is for this process, which closes the other's input
    )


def _send(sink: IO[bytes], message: _Work | _Done) -> None:
    data = _encoder.encode(message)
    sink.write(_LENGTH.pack(len(data)))
    sink.write(data)
    sink.flush()


def _receive(source: IO[bytes]) -> bytes | None:
    """Return the next message, None once the source ends."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    data = source.read(length)
    return data if len(data) == length else None


def _do(model: Model, work: _Work) -> _Done:
    solutions = [solve(model, each.option, *each.prices) for each in work.quotes]
    return _Done(solutions, model.price_all(work.grids))


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer requests until the source ends."""
    model = Model()
    while (message := _receive(source)) is not None:
        _send(sink, _do_in_slices(model, _work_decoder.decode(message)))


def _do_in_slices(model: Model, work: _Work) -> _Done:
    done = _do(model, work._replace(quotes=()))
    slices = [work.quotes[at : at + _SLICE_QUOTES] for at in range(0, len(work.quotes), _SLICE_QUOTES)]
    solutions: list[Solution] = []
    for quotes in slices:
        solutions += _do(model, _Work(quotes=quotes)).solutions
        time.sleep(_REST_SECONDS / len(slices))
    return done._replace(solutions=solutions)


if __name__ == "__main__":
    if sys.platform != "win32":
        os.nice(_NICENESS)
    serve(sys.stdin.buffer, sys.stdout.buffer)
