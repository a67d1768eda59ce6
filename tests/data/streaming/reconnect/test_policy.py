"""The decision to reconnect, and its waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.reconnect.policy import (
    FINAL_CODES,
    choose_base_seconds,
    compute_backoff_seconds,
    is_final,
)
from options_helper.errors import MissingDependency, SettingsError, StreamInterrupted, StreamRejected

failures = st.integers(min_value=1, max_value=10_000)
draws = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_the_wait_doubles_from_half_a_second_to_thirty() -> None:
    """Without jitter, the waits are 0.5, 1, 2, 4, 8, 16, 30 and 30 seconds."""
    waits = [compute_backoff_seconds(number) for number in range(1, 9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@given(failures, draws)
def test_the_wait_is_never_zero_and_never_above_the_cap(number: int, draw: float) -> None:
    """With any jitter, no wait is zero and none is longer than the cap."""
    assert 0.375 <= compute_backoff_seconds(number, draw=draw) <= 30.0


@given(failures, draws)
def test_jitter_stays_within_a_quarter(number: int, draw: float) -> None:
    """Jitter changes a wait by at most 25 %."""
    plain = compute_backoff_seconds(number)
    assert plain * 0.75 <= compute_backoff_seconds(number, draw=draw) <= plain * 1.25


def test_the_jitter_is_used() -> None:
    """Different draws give different waits, so that clients do not return at the same time."""
    assert compute_backoff_seconds(3, draw=0.0) == 1.5
    assert compute_backoff_seconds(3, draw=0.75) == 2.25


@given(failures, st.floats(min_value=0.01, max_value=10), st.floats(min_value=1, max_value=100))
def test_more_failures_never_wait_less(number: int, base: float, more: float) -> None:
    """Without jitter, the wait never decreases while failures continue."""
    cap = base * more
    shorter = compute_backoff_seconds(number, base_seconds=base, cap_seconds=cap)
    assert shorter <= compute_backoff_seconds(number + 1, base_seconds=base, cap_seconds=cap) <= cap


@pytest.mark.parametrize("code", [400, 401, 402, 403, 405, 409, 410, 412, 413])
def test_a_refusal_of_key_plan_or_request_is_final(code: int) -> None:
    """A refusal of the key, the plan or the request is final, because retrying would not help."""
    assert code in FINAL_CODES


@pytest.mark.parametrize("code", [404, 406, 407, 500, 429, 999])
def test_temporary_errors_are_not_final(code: int) -> None:
    """A timeout, another program's connection, a slow reader and an internal error are retried."""
    assert code not in FINAL_CODES


@pytest.mark.parametrize(
    "error",
    [
        StreamRejected("options", "the key was refused", code=402),
        MissingDependency("alpaca-py", "alpaca"),
        SettingsError("APCA_API_KEY_ID", "There is no key."),
    ],
)
def test_errors_that_only_the_user_can_fix_are_final(error: Exception) -> None:
    """Retrying does not help against a refusal, a missing package or a wrong setting."""
    assert is_final(error)


@pytest.mark.parametrize("error", [StreamInterrupted("options", "the connection was reset"), ValueError()])
def test_temporary_errors_are_retried(error: Exception) -> None:
    """An interruption is retried, and so is an unexpected error."""
    assert not is_final(error)


def test_counted_attempts_are_spaced_out() -> None:
    """After HTTP 429, the backoff begins at five seconds, otherwise at the configured time."""
    crowded, lost = (StreamInterrupted("fills", "x", code=code) for code in (429, 503))
    assert [choose_base_seconds(error, 0.5) for error in (crowded, lost, ValueError())] == [5.0, 0.5, 0.5]
