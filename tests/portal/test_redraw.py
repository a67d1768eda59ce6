"""The redraw guard: when the page has fallen behind what it should show."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import RerunData

from apps.streamlit.components.view import redraw

PACE = 1.0
START = dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC)


class Page:
    """A page's session, its clock, and its component's arguments."""

    def __init__(self) -> None:
        self.session_state: dict[str, Any] = {}
        self.seconds = 1000.0
        self.sent: dict[str, Any] = {}
        self.asked: list[list[str]] = []
        self.gone: set[str] = set()
        self.run = ["status"]

    def mount(self, **given: Any) -> None:
        """Stand in for the component, and keep what it is sent."""
        self.sent = given

    def beat(self, shown: object, **shapes: object) -> bool:
        """Run one refresh and return whether the page is overdue."""
        self.run[:] = ["status"]
        self.seconds += PACE
        now = START + dt.timedelta(seconds=self.seconds)
        shown = shown if isinstance(shown, dict) else {"head": shown, "body": shown}
        return redraw.redraw_if_changed(shown, pace_seconds=PACE, now=now, shapes=shapes)

    def draw(self, *parts: str) -> None:
        """Draw these parts, or all."""
        for part in parts or ("head", "body"):
            redraw.mark_drawn(part)

    def request_rerun(self, request: RerunData) -> None:
        """Stand in for the session's queue of runs."""
        assert not request.is_fragment_scoped_rerun, "it would interrupt the run that requests it"
        assert not request.cached_message_hashes, "the browser may have dropped them by then"
        self.asked.append(request.fragment_id_queue)

    def resolve_target(self, part: str) -> list[str]:
        """Stand in for the session's fragments."""
        if part in self.gone:
            raise StreamlitAPIException("No fragment found")
        return [part]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page before its first beat."""
    page = Page()
    context = SimpleNamespace(
        script_requests=page,
        fragment_storage=page,
        fragment_ids_this_run=page.run,
        query_string="",
        page_script_hash="",
        cached_message_hashes=frozenset({"a large message"}),
        context_info=None,
    )
    monkeypatch.setattr(redraw, "st", SimpleNamespace(session_state=page.session_state))
    monkeypatch.setattr(redraw, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(redraw, "time", SimpleNamespace(monotonic=lambda: page.seconds))
    monkeypatch.setattr(redraw, "_component", lambda: page.mount)
    return page


def test_a_page_whose_prices_tick_is_not_behind(page: Page) -> None:
    """If every beat draws its change, nothing else is requested, however long this lasts."""
    for number in range(100):
        assert not page.beat(number)
        redraw.redraw_changed_parts()
        page.draw()
    assert page.asked == [["head", "body"]] * 100


def test_an_unchanged_page_requests_nothing(page: Page) -> None:
    """For an unchanged page, neither a part nor the whole page is redrawn."""
    page.beat("same")
    page.draw()
    assert not any(page.beat("same") for _ in range(100))
    redraw.redraw_changed_parts()
    assert page.asked == []


def test_a_part_that_drew_a_passing_state_is_drawn_again(page: Page) -> None:
    """A part that drew a state between two equal beats, such as that of a new run, is drawn again."""
    page.beat("demo")
    page.draw()
    redraw.mark_drawn("head", "a new run")
    page.beat("demo")
    redraw.redraw_changed_parts()
    assert page.asked == [["head"]]
    redraw.mark_drawn("head", "demo")
    page.beat("demo")
    redraw.redraw_changed_parts()
    assert page.asked == [["head"]]


def test_a_page_that_never_draws_its_change_is_overdue(page: Page) -> None:
    """A change that is never drawn makes the page overdue every ten seconds."""
    page.beat("first")
    page.draw()
    assert [second for second in range(1, 21) if page.beat("second")] == [10, 20]
    page.draw()
    assert not any(page.beat("second") for _ in range(20))


@pytest.mark.parametrize("ticking", [False, True])
def test_a_page_left_for_a_while_is_not_behind(page: Page, *, ticking: bool) -> None:
    """After a visit to the home page, the first change is drawn like any other."""
    for number in range(3):
        page.beat(number if ticking else 0)
        page.draw()
    page.seconds += 600
    assert not page.beat("another")


def test_a_page_that_was_never_drawn_is_overdue(page: Page) -> None:
    """Changes alone do not count as drawing."""
    assert any(page.beat(number) for number in range(20))


def test_the_browser_may_notice_missing_beats(page: Page) -> None:
    """If the browser misses a beat, the next beat redraws everything once."""
    page.beat("same")
    page.draw()
    page.sent["on_late_change"]()
    assert page.beat("same")
    assert not page.beat("same")


def test_only_parts_that_changed_are_requested(page: Page) -> None:
    """The other parts are neither drawn nor sent until they change."""
    page.beat({"head": 1, "body": 1})
    page.draw()
    page.beat({"head": 1, "body": 2})
    redraw.redraw_changed_parts()
    page.draw("body")
    page.beat({"head": 2, "body": 3})
    redraw.redraw_changed_parts()
    assert page.asked == [["body"], ["head", "body"]]


def test_a_part_that_keeps_its_elements_is_drawn_in_the_run_of_the_beat(page: Page) -> None:
    """Only parts that do not keep their elements, or whose elements have changed, have a run of their own."""
    page.beat({"head": 1, "body": 1}, body="one line")
    page.draw()
    page.beat({"head": 2, "body": 2}, body="one line")
    redraw.redraw_changed_parts()
    page.draw()
    assert (page.run, page.asked) == (["status", "body"], [["head"]])
    page.beat({"head": 2, "body": 3}, body="two lines")
    redraw.redraw_changed_parts()
    page.draw()
    assert (page.run, page.asked) == (["status"], [["head"], ["body"]])
    page.beat({"head": 2, "body": 4}, body="two lines")
    redraw.redraw_changed_parts()
    assert (page.run, page.asked) == (["status", "body"], [["head"], ["body"]])


def test_a_part_that_failed_is_drawn_in_its_own_run(page: Page) -> None:
    """Only a run of its own removes the error that the part shows."""
    page.beat({"body": 1}, body=True)
    page.draw("body")
    for number in (2, 3):
        page.beat({"body": number}, body=True)
        redraw.redraw_changed_parts()
    assert (page.run, page.asked) == (["status"], [["body"]])


def test_a_part_that_has_its_own_run_is_not_drawn_twice_in_it(page: Page) -> None:
    """If the run of the beat also draws a clicked part, the part has another run for its newest state."""
    page.beat({"body": 1}, body=True)
    page.draw("body")
    page.beat({"body": 2}, body=True)
    page.run[:] = ["body", "status"]
    redraw.redraw_changed_parts()
    assert (page.run, page.asked) == (["body", "status"], [["body"]])


def test_a_part_has_its_own_run_now_and_then(page: Page) -> None:
    """Until such a run, the browser keeps the large messages of a part."""
    for number in range(100):
        page.beat({"body": number}, body=True)
        redraw.redraw_changed_parts()
        page.draw("body")
    assert page.asked == [["body"]] * 6  # the first, and one in twenty


def test_a_part_that_is_left_out_is_overdue_although_others_are_drawn(page: Page) -> None:
    """No part keeps old figures while others are current."""
    page.beat({"head": 0, "body": 0})
    page.draw()
    behind = []
    for number in range(1, 12):
        behind.append(page.beat({"head": 1, "body": number}))
        page.draw("body")
    assert behind == [False] * 9 + [True] + [False]


def test_a_callback_that_concerns_all_parts_draws_all(page: Page) -> None:
    """Before the first beat, such a callback draws nothing; afterwards, it redraws every part."""
    redraw.redraw_all()
    assert page.asked == []
    page.beat({"head": 1, "body": 1})
    redraw.redraw_all()
    assert page.asked == [["head", "body"]]


def test_a_request_from_a_page_that_was_left_changes_nothing(page: Page) -> None:
    """If the fragments of a request are gone, nothing is redrawn and no error is shown."""
    page.beat("first")
    page.gone = {"head", "body"}
    redraw.redraw_changed_parts()
    assert page.asked == []
