"""The receivers' shared parts: the symbols, and the meter of one burst."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time

from frame_pool import END_SYMBOL


class Meter:
    """CPU time of this process from a line on stdin to `stop()`."""

    def __init__(self) -> None:
        self._cpu = 0.0
        threading.Thread(target=self._begin_at_line, daemon=True).start()

    def _begin_at_line(self) -> None:
        sys.stdin.readline()
        self._cpu = time.process_time()

    def stop(self) -> None:
        """Report when the end was seen (monotonic, the same in all processes) and the CPU seconds."""
        finished, cpu = time.monotonic(), time.process_time() - self._cpu
        print(json.dumps({"finished": finished, "cpu": cpu}), flush=True)


def symbols_of(count: int) -> list[str]:
    """Contract symbols, and the one that ends a burst."""
    return [*(f"AAPL261218C{number:08d}" for number in range(1000, 1000 + count)), END_SYMBOL]


def parse_arguments(*flags: str) -> argparse.Namespace:
    """The port, the number of symbols, and flags."""
    parser = argparse.ArgumentParser(description="A receiver to be measured.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--symbols", type=int, default=250)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    return parser.parse_args()
