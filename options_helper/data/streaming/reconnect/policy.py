"""When to try again: two pure functions and one table."""

from __future__ import annotations

from options_helper.errors import StreamRejected

BASE_SECONDS = 0.5
CAP_SECONDS = 30.0
_JITTER = 0.25

# Alpaca's error codes after which another try would change nothing (websocket documentation, "Errors";
# 405 and 409 to 413 hang on the plan or on the request, which stay the same until the next Start).
FINAL_CODES = frozenset({400, 401, 402, 403, 405, 408, 409, 410, 411, 412, 413})


def compute_backoff_seconds(
    failures: int, *, base_seconds: float = BASE_SECONDS, cap_seconds: float = CAP_SECONDS, draw: float = 0.5
) -> float:
    """The wait before the next attempt: base doubled with each failure, capped, with jitter.

    Args:
        failures: Consecutive failures so far, at least 1.
        base_seconds: The wait after the first failure.
        cap_seconds: No wait is longer, jitter included.
        draw: A uniform random number in [0, 1); 0.5 means no jitter.
    """
    exponential = base_seconds * 2.0 ** min(failures - 1, 32)
    return float(min(cap_seconds, min(cap_seconds, exponential) * (1 + _JITTER * (2 * draw - 1))))


def is_final_code(code: int) -> bool:
    """Whether an error frame with this code ends the stream for good."""
    return code in FINAL_CODES


def is_retryable(error: BaseException) -> bool:
    """Whether a stream that ended with this error is tried again; an unknown error is."""
    return not isinstance(error, StreamRejected)
