"""Results computed in background threads: the newest question wins, and nobody waits long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.streamlit.components.risk.background import Answer, Background, Check
from tests.conftest import WaitUntil

KEY, PATIENT = "grid", 30.0


class Slow:
    """A computation that goes on until the test lets it end."""

    def __init__(self, value: object = "value") -> None:
        self.began, self.may_end, self.unwanted = threading.Event(), threading.Event(), threading.Event()
        self.value = value

    def __call__(self, check: Check, _last: object) -> object:
        """Return the value once the test allows it; end at a check if nobody wants it any more."""
        self.began.set()
        try:
            while not self.may_end.wait(0.001):
                check()
        except BaseException:
            self.unwanted.set()
            raise
        return self.value


def at_once(value: object) -> Callable[[Check, Any], object]:
    """Return a computation that takes no time."""
    return lambda _check, _last: value


@pytest.fixture
def background() -> Iterator[Background]:
    """Computations that end with the test."""
    each = Background()
    yield each
    for key in list(each._places):
        each.drop(key)


def test_a_quick_answer_is_returned_by_the_same_call(background: Background) -> None:
    """A short computation is waited for, and not repeated for the same source."""
    source = object()
    first = background.ask(KEY, "q", source, at_once(1), patience_seconds=PATIENT)
    assert first == Answer(1, source)
    assert background.finished == 1
    assert background.ask(KEY, "q", source, at_once(2), patience_seconds=PATIENT) == first
    assert background.ask(KEY, "q", object(), at_once(3), patience_seconds=PATIENT) is not None
    assert background.finished == 2


def test_a_long_computation_is_not_waited_for(background: Background, wait_until: WaitUntil) -> None:
    """There is no answer until the first is known; then each answer stays until the next is known."""
    first, second, old, new = Slow("old"), Slow("new"), object(), object()
    assert background.ask(KEY, "q", old, first, patience_seconds=0.0) is None
    assert first.began.wait(PATIENT)
    assert background.ask(KEY, "q", old, first, patience_seconds=0.0) is None
    before = background.finished
    first.may_end.set()
    wait_until(lambda: background.finished > before)
    assert background.ask(KEY, "q", new, second, patience_seconds=0.0) == Answer("old", old)
    second.may_end.set()
    wait_until(lambda: background.finished > before + 1)
    assert background.ask(KEY, "q", new, at_once("never"), patience_seconds=0.0) == Answer("new", new)


def test_a_newer_source_does_not_end_a_computation(background: Background, wait_until: WaitUntil) -> None:
    """While prices move, a computation is finished for its own source, and the newest source comes next."""
    running = Slow("first")
    background.ask(KEY, "q", "at 1", running, patience_seconds=0.0)
    assert running.began.wait(PATIENT)
    for source in ("at 2", "at 3"):
        background.ask(KEY, "q", source, at_once(source), patience_seconds=0.0)
    running.may_end.set()
    wait_until(lambda: background.finished == 2)
    assert not running.unwanted.is_set()
    assert background.ask(KEY, "q", "at 3", at_once(""), patience_seconds=0.0) == Answer("at 3", "at 3")


def test_a_new_question_replaces_the_old_one(background: Background) -> None:
    """The old question's computation ends at its next check, and its answer is never given."""
    old = Slow("old")
    assert background.ask(KEY, "old", "now", old, patience_seconds=0.0) is None
    assert old.began.wait(PATIENT)
    answer = background.ask(KEY, "new", "now", at_once("new"), patience_seconds=PATIENT)
    assert answer == Answer("new", "now")
    assert old.unwanted.is_set()
    assert background.finished == 1
    again = Slow()
    assert background.ask(KEY, "old", "now", again, patience_seconds=0.0) is None


def test_a_failure_is_an_answer_that_is_not_computed_again(background: Background) -> None:
    """The answer has the error's type, and a computation with another source begins only after a drop."""

    def fail(_check: Check, _last: object) -> object:
        raise ValueError("no root")

    failed = background.ask(KEY, "q", "at 1", fail, patience_seconds=PATIENT)
    assert failed == Answer(None, "at 1", "ValueError")
    assert background.ask(KEY, "q", "at 2", at_once(2), patience_seconds=PATIENT) == failed
    background.drop(KEY)
    assert background.ask(KEY, "q", "at 2", at_once(2), patience_seconds=PATIENT) == Answer(2, "at 2")


def test_a_dropped_key_is_forgotten(background: Background) -> None:
    """A dropped key's computation ends, nobody gets its result, and its thread does not stay."""
    running = Slow()
    background.ask(KEY, "q", "now", running, patience_seconds=0.0)
    assert running.began.wait(PATIENT)
    background.drop(KEY)
    assert running.unwanted.wait(PATIENT)
    assert background.finished == 0
    background.drop("never asked")


def test_a_computation_gets_the_keys_last_value(background: Background) -> None:
    """The key's last value is passed to the next computation, even of another question; it may save work."""
    passed = []

    def note(_check: Check, last: object) -> object:
        passed.append(last)
        return len(passed)

    for question, source in (("q", "a"), ("q", "b"), ("r", "b")):
        background.ask(KEY, question, source, note, patience_seconds=PATIENT)
    assert passed == [None, 1, 2]


def test_keys_do_not_wait_for_each_other(background: Background) -> None:
    """A long computation under one key does not delay another key's."""
    long = Slow()
    background.ask("long", "q", "now", long, patience_seconds=0.0)
    assert background.ask("short", "q", "now", at_once(1), patience_seconds=PATIENT) == Answer(1, "now")
    background.drop("long")


def test_renewing_an_answer_takes_at_most_half_of_the_time(wait_until: WaitUntil) -> None:
    """After a computation, its thread rests for as long as it worked, unless another question comes."""
    now = [0.0]
    background = Background(lambda: now[0])

    def takes(seconds: float) -> Callable[[Check, Any], object]:
        def compute(_check: Check, _last: object) -> object:
            now[0] += seconds
            return seconds

        return compute

    background.ask(KEY, "q", "at 1", takes(10.0), patience_seconds=PATIENT)
    assert background.ask(KEY, "q", "at 2", takes(1.0), patience_seconds=0.05) == Answer(10.0, "at 1")
    assert background.finished == 1
    assert background.ask(KEY, "r", "at 2", takes(2.0), patience_seconds=PATIENT) == Answer(2.0, "at 2")
    background.drop(KEY)
    wait_until(lambda: not background._places)
