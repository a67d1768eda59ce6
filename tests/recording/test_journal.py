"""Tests for a run's events: one time for each, and looks only between them."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from itertools import count

from options_helper.recording import records
from options_helper.recording.journal import Journal

START = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)


def handed(at: int, elapsed: int) -> records.Record:
    """Return the record of an event."""
    return records.Handed(at, elapsed, 1)


def ticking() -> tuple[Journal, list[records.Record]]:
    """Return a journal whose clock moves a second with each reading, and its records."""
    seconds, found = count(), list[records.Record]()
    return Journal(
        lambda: START + dt.timedelta(seconds=next(seconds)), lambda one, _: found.append(one)
    ), found


def test_an_event_has_one_time() -> None:
    """Within an event, and in threads that continue it, the time is that of its record."""
    journal, found = ticking()
    with journal.event(handed):
        now = journal.now()
        with journal.event(handed):
            assert journal.now() == now
        assert journal.now() == now
    assert found[0].elapsed == found[1].elapsed
    assert dt.timedelta(microseconds=found[0].elapsed - journal.began) == now - journal.started_at
    assert journal.now() != now
    journal.hand_over()
    journal.take_over(now)
    assert journal.now() == now
    journal.end()
    assert journal.look(journal.now)[1]


def test_a_look_waits_briefly_for_the_end_of_an_event() -> None:
    """If an event does not end soon, the look is taken anyway but not recorded."""
    journal, found = ticking()
    journal.begin(handed)
    assert journal.look(lambda: 5) == (5, False)
    journal.end()
    assert journal.look(lambda: 6) == (6, True)
    assert [type(each).__name__ for each in found] == ["Handed", "Looked"]


def test_nothing_is_counted_without_a_recorder() -> None:
    """Without a recorder there are no events, and the time is the clock's."""
    journal = Journal(lambda: START)
    with journal.event(handed):
        assert journal.now() == START
    assert not journal.is_recording
    assert journal.look(lambda: 1) == (1, False)


def test_no_look_sees_half_an_event() -> None:
    """A look sees an event that spans two threads completely or not at all."""
    journal, found = ticking()
    begun, ended = [0], [0]
    waiting: queue.SimpleQueue[dt.datetime | None] = queue.SimpleQueue()

    def begin() -> None:
        for _ in range(300):
            with journal.event(handed):
                begun[0] += 1
                journal.hand_over()
                waiting.put(journal.now())
        waiting.put(None)

    def end() -> None:
        while (now := waiting.get()) is not None:
            journal.take_over(now)
            ended[0] += 1
            journal.end()

    threads = [threading.Thread(target=each) for each in (begin, end)]
    for thread in threads:
        thread.start()
    looks = [journal.look(lambda: (begun[0], ended[0], len(found))) for _ in range(100)]
    for thread in threads:
        thread.join()
    seen = [view for view, is_recorded in looks if is_recorded]
    assert seen
    assert all(first == second for first, second, _ in seen)
    places = [place for place, record in enumerate(found, 1) if isinstance(record, records.Looked)]
    assert [length for *_, length in seen] == places
