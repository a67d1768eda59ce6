"""The spans in which order updates may have been missed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.market import FillGap

DAY = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)


def _at(minutes: float) -> dt.datetime:
    return DAY + dt.timedelta(minutes=minutes)


def test_the_day_begins_unconfirmed() -> None:
    """The first gap begins at midnight in New York and has no end."""
    assert FillGaps(DAY).gaps == (FillGap(DAY),)


def test_each_change_of_the_gaps_is_published() -> None:
    """Each change is published at once, beginning with the first."""
    reported: list[tuple[FillGap, ...]] = []
    gaps = FillGaps(DAY, lambda changed: reported.append(changed.gaps))
    gaps.acknowledged(_at(1))
    gaps.failed("HTTP 503")
    gaps.lost(_at(2))
    gaps.confirmed(_at(1))
    first = FillGap(DAY, _at(1))
    failed, lost = FillGap(DAY, _at(1), "HTTP 503"), FillGap(_at(2), None, "HTTP 503")
    assert reported == [(FillGap(DAY),), (first,), (failed,), (failed, lost), (lost,)]


def test_the_acknowledgement_bounds_the_gap() -> None:
    """The acknowledgement ends the gap."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    assert gaps.gaps == (FillGap(DAY, _at(600)),)


def test_rest_confirms_what_ended_before_its_answer() -> None:
    """A gap is closed only when REST has reported everything up to its end."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    gaps.confirmed(_at(599))
    assert gaps.gaps == (FillGap(DAY, _at(600)),)
    gaps.confirmed(_at(600))
    assert gaps.gaps == ()


def test_an_open_gap_is_never_confirmed() -> None:
    """While the stream is down, no answer from REST closes the gap."""
    gaps = FillGaps(DAY)
    gaps.confirmed(_at(10_000))
    assert gaps.gaps == (FillGap(DAY),)


def test_a_loss_opens_a_new_gap_beside_an_unconfirmed_one() -> None:
    """Each loss opens a gap; a second loss during the same outage adds none."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    gaps.lost(_at(610))
    gaps.lost(_at(611))
    assert gaps.gaps == (FillGap(DAY, _at(600)), FillGap(_at(610)))
    gaps.acknowledged(_at(612))
    gaps.acknowledged(_at(613))
    assert gaps.gaps[-1] == FillGap(_at(610), _at(612))


def test_a_loss_after_confirmation_opens_a_separate_gap() -> None:
    """The next loss opens a new gap, and an acknowledgement without a gap does nothing."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    gaps.confirmed(_at(600))
    gaps.acknowledged(_at(605))
    assert gaps.gaps == ()
    gaps.lost(_at(610))
    assert gaps.gaps == (FillGap(_at(610)),)


def test_a_failed_fetch_names_its_reason_and_a_later_one_clears_it() -> None:
    """A gap has the reason why it is unconfirmed."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    gaps.failed("HTTP 503")
    assert gaps.gaps == (FillGap(DAY, _at(600), "HTTP 503"),)
    gaps.failed("")
    assert gaps.gaps == (FillGap(DAY, _at(600)),)


def test_a_gap_that_opens_while_the_fetch_fails_has_its_reason() -> None:
    """A changed reason is published, and a later gap has the current one."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(600))
    gaps.failed("HTTP 503")
    gaps.confirmed(_at(600))
    gaps.lost(_at(610))
    assert gaps.gaps == (FillGap(_at(610), None, "HTTP 503"),)
    gaps.acknowledged(_at(611))
    gaps.failed("")
    gaps.lost(_at(612))
    assert gaps.gaps == (FillGap(_at(610), _at(611)), FillGap(_at(612)))


@given(st.lists(st.sampled_from(["lost", "acknowledged", "confirmed"]), max_size=40))
def test_gaps_are_ordered_and_only_the_last_is_open(steps: list[str]) -> None:
    """For any history, gaps do not overlap, and the last is open only while the stream is down."""
    gaps = FillGaps(DAY)
    down = True
    for minute, step in enumerate(steps, start=1):
        getattr(gaps, step)(_at(minute))
        down = {"lost": True, "acknowledged": False}.get(step, down)
        spans = gaps.gaps
        assert all(span.end is not None for span in spans[:-1])
        assert all(before.end is not None and before.end <= after.start for before, after in pairwise(spans))
        assert bool(spans and spans[-1].end is None) is down


def test_an_update_that_cannot_be_read_leaves_a_gap_until_rest_confirms_it() -> None:
    """The update's content is missing until a fetch that began after it."""
    gaps = FillGaps(DAY)
    gaps.acknowledged(_at(0))
    gaps.confirmed(_at(1))
    gaps.unread(_at(5))
    assert gaps.gaps == (FillGap(_at(5), _at(5)),)
    gaps.confirmed(_at(4))
    assert gaps.gaps
    gaps.confirmed(_at(5))
    assert gaps.gaps == ()
