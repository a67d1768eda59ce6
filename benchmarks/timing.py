"""How long calls take, side by side."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def in_turns(calls: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Milliseconds of each call, A B C A B C …, so that a busy machine disturbs all alike.

    CPU time of the thread: the calls wait for nothing, and other processes do not count.
    """
    took: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    gc.collect()
    for _ in range(rounds):
        for call, times in zip(calls, took, strict=True):
            began = time.thread_time()
            call()
            times.append((time.thread_time() - began) * 1e3)
    return took
