"""The interval at which prices that do not stream are fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable

from options_helper.data.rest.symbol_chunks import SYMBOLS_PER_CALL

LEAST_SECONDS = 15.0
# Half of the 200 requests per minute that the free plan allows; the rest is for first quotes, indices and
# other programs.
CALLS_PER_MINUTE = 100
_STEP_SECONDS = 5.0


def choose_poll_seconds(symbols_by_stream: Iterable[int]) -> float:
    """Return the seconds between two fetches of these numbers of symbols, a multiple of 5."""
    calls = sum(math.ceil(number / SYMBOLS_PER_CALL) for number in symbols_by_stream)
    needed = calls * 60 / CALLS_PER_MINUTE
    return max(LEAST_SECONDS, math.ceil(needed / _STEP_SECONDS) * _STEP_SECONDS)
