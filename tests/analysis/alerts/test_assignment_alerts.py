"""Alerts on assignments and exercises, which Alpaca reports late and often only with a date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from options_helper.analysis.alerts.records import AlertEvent, AlertFill, Alerts, AlertView
from options_helper.analysis.alerts.rules import AlertMetric, AlertRule
from options_helper.analysis.alerts.step import step, with_rules
from options_helper.files.alerts_state import AlertsState
from options_helper.times import start_of_day

START = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)  # 10:00 in New York
TODAY, YESTERDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 19)
DAY, HOUR = 86_400.0, 3600.0
RULE = AlertRule(id="assigned", metric="assignment")


def _event(key: str, date: dt.date = TODAY, booked: dt.datetime | None = None) -> AlertFill:
    at = booked or start_of_day(date)
    return AlertFill(
        key, at, frozenset({"p"}), key, metric=AlertMetric.ASSIGNMENT, has_time=booked is not None
    )


def _view(second: float, *events: AlertFill, read: bool = True) -> AlertView:
    return AlertView(START + dt.timedelta(seconds=second), fills=events, has_account_events=read)


def _run(alerts: Alerts, *views: AlertView) -> tuple[Alerts, list[str]]:
    raised: list[AlertEvent] = []
    for each in views:
        alerts, events = step(alerts, each)
        raised += events
    return alerts, [event.text for event in raised]


def _begun(*views: AlertView) -> tuple[Alerts, list[str]]:
    return _run(with_rules(Alerts(), [RULE]), *views)


def _restarted(alerts: Alerts, folder: Path) -> Alerts:
    state = AlertsState(folder, Path("portfolio.json"))
    state.save(alerts, ["assigned"])
    kept = state.load()
    assert kept is not None
    return with_rules(kept.alerts, kept.alerts.rules)


@pytest.mark.parametrize("read", [True, False])
def test_an_assignment_of_the_day_the_alert_began_raises_it_once(*, read: bool) -> None:
    """An assignment dated at midnight, before the alert, raises it, whether or not the account was read."""
    today = _event("today")
    _, raised = _begun(_view(0, read=read), _view(60, today), _view(61, today))
    assert raised == ["today"]


@pytest.mark.parametrize("booked", [None, START - dt.timedelta(hours=5)])
def test_an_event_known_when_the_alert_begins_does_not_raise_it(booked: dt.datetime | None) -> None:
    """An alert that is added to a page with assignments is quiet."""
    known = _event("known", booked=booked)
    _, raised = _begun(_view(0, known), _view(1, known), _view(60, known))
    assert raised == []


def test_events_from_earlier_days_raise_nothing_when_the_account_is_first_read() -> None:
    """The account lists events for a week, and those from earlier days happened before the alert began."""
    old = _event("old", YESTERDAY), _event("booked", booked=START - dt.timedelta(hours=1))
    _, raised = _begun(_view(0, read=False), _view(5, *old), _view(60, *old))
    assert raised == []


@pytest.mark.parametrize("booked", [None, START - dt.timedelta(seconds=30)])
def test_an_event_that_the_read_account_did_not_have_is_new_whatever_its_date(
    booked: dt.datetime | None,
) -> None:
    """Alpaca may report Friday's assignment on Monday, and one from just before the alert a minute late."""
    late = _event("late", YESTERDAY, booked)
    _, raised = _begun(_view(0), _view(60, late), _view(120, late))
    assert raised == ["late"]


@pytest.mark.parametrize("days", [0.0, 1.0, 5.0])
def test_nothing_is_raised_twice_after_a_restart(tmp_path: Path, days: float) -> None:
    """After a restart on any day, the first view has no events, and the next one has those of the week."""
    known, first = _event("known"), _event("first")
    alerts, raised = _begun(_view(0, known), _view(60, known, first))
    assert raised == ["first"]
    alerts, later = _restarted(alerts, tmp_path), days * DAY + HOUR
    alerts, raised = _run(alerts, _view(later, read=False), _view(later + 5, known, first))
    assert raised == []
    meanwhile = _event("meanwhile", YESTERDAY)
    alerts, raised = _run(alerts, _view(later + 60, known, first, meanwhile))
    assert raised == ["meanwhile"]


def test_an_event_from_while_the_process_was_down_raises_the_alert(tmp_path: Path) -> None:
    """The event is new, because the account was read without it before the process stopped."""
    alerts, _ = _begun(_view(0))
    alerts = _restarted(alerts, tmp_path)
    _, raised = _run(alerts, _view(3 * DAY, read=False), _view(3 * DAY + 5, _event("down", YESTERDAY)))
    assert raised == ["down"]


def test_an_alert_that_was_removed_or_changed_starts_over() -> None:
    """Events from before the alert began again are known; a later one on the same day raises it."""
    first, second, third = (_event(key) for key in ("first", "second", "third"))
    alerts, _ = _begun(_view(0), _view(1, first))
    alerts, raised = _run(with_rules(alerts, []), _view(2), _view(3))
    changed = RULE.model_copy(update={"position": "p"})
    alerts, raised = _run(with_rules(alerts, [changed]), _view(4, first, second))
    assert raised == []
    _, raised = _run(alerts, _view(60, first, second, third))
    assert raised == ["third"]


def test_seen_events_are_kept_for_a_month_and_a_view_without_news_keeps_the_object() -> None:
    """The state does not grow forever."""
    alerts, _ = _begun(_view(0), _view(1, _event("first")))
    again, _ = _run(alerts, _view(2, _event("first")))
    assert again.seen_assignments is alerts.seen_assignments
    alerts, _ = _run(again, _view(40 * DAY, _event("second", TODAY + dt.timedelta(days=40))))
    assert set(alerts.seen_assignments) == {"second"}
