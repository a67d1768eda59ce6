"""Alerts: one pure step over a sequence of views."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from options_helper.analysis.alerts.records import (
    HISTORY_LENGTH,
    AlertEvent,
    AlertFill,
    AlertPhase,
    Alerts,
    AlertView,
    Outcome,
)
from options_helper.analysis.alerts.rules import AlertMetric, AlertRule
from options_helper.analysis.alerts.step import acknowledge, step, with_rules

START = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
LOSS = AlertRule(id="loss", metric="pnl_abs", position="p", comparison="below", threshold=-800)


def _at(second: float) -> dt.datetime:
    return START + dt.timedelta(seconds=second)


def _view(second: float, reading: float | Outcome | None, rule: AlertRule = LOSS) -> AlertView:
    readings = {} if reading is None else {(rule.position, rule.metric): reading}
    return AlertView(as_of=_at(second), readings=readings)


def _alerts_of(*rules: AlertRule) -> Alerts:
    return with_rules(Alerts(), rules)


def _run(alerts: Alerts, *views: AlertView) -> tuple[Alerts, list[AlertEvent]]:
    raised: list[AlertEvent] = []
    for each in views:
        alerts, events = step(alerts, each)
        raised += events
    return alerts, raised


def _phase(alerts: Alerts, rule_id: str = "loss") -> AlertPhase:
    return alerts.status_of(rule_id).phase


def test_a_condition_met_without_a_pending_time_is_raised_at_once_and_only_once() -> None:
    """A met condition raises one event, however long it stays met."""
    alerts, raised = _run(_alerts_of(LOSS), *(_view(second, -900.0) for second in range(5)))
    assert _phase(alerts) is AlertPhase.RAISED
    assert [(event.at, event.value, event.rule) for event in raised] == [(_at(0), -900.0, LOSS)]


@pytest.mark.parametrize(("value", "met"), [(-800.01, True), (-800.0, False), (0.0, False)])
def test_the_threshold_itself_is_not_met(value: float, met: bool) -> None:
    """A value equal to the threshold does not meet the condition."""
    assert LOSS.is_met_by(value) is met


def test_a_pending_alert_is_raised_when_the_condition_has_held_long_enough() -> None:
    """The pending time must pass with the condition met throughout."""
    rule = LOSS.model_copy(update={"pending_seconds": 3.0})
    alerts, raised = _run(_alerts_of(rule), *(_view(second, -900.0) for second in range(3)))
    assert (_phase(alerts), raised) == (AlertPhase.PENDING, [])
    alerts, raised = _run(alerts, _view(3, -900.0))
    assert _phase(alerts) is AlertPhase.RAISED
    assert len(raised) == 1


def test_a_pending_alert_starts_over_once_its_condition_passes() -> None:
    """Time held before a break does not count."""
    rule = LOSS.model_copy(update={"pending_seconds": 3.0})
    alerts, raised = _run(
        _alerts_of(rule),
        _view(0, -900.0),
        _view(2, -900.0),
        _view(3, 0.0),
        _view(4, -900.0),
        _view(6, -900.0),
    )
    assert (_phase(alerts), raised) == (AlertPhase.PENDING, [])


@pytest.mark.parametrize("blind", [Outcome.NO_DATA, Outcome.MARKET_CLOSED, None])
def test_time_without_data_counts_towards_nothing(blind: Outcome | None) -> None:
    """A pending alert pauses while data is missing, and then resumes."""
    rule = LOSS.model_copy(update={"pending_seconds": 3.0})
    alerts, _ = _run(
        _alerts_of(rule),
        _view(0, -900.0),
        _view(2, -900.0),
        *(_view(second, blind) for second in range(3, 60)),
    )
    assert _phase(alerts) is AlertPhase.PENDING
    assert alerts.status_of("loss").outcome is (blind or Outcome.NO_DATA)
    assert alerts.status_of("loss").value == -900.0
    alerts, raised = _run(alerts, _view(60, -900.0))
    assert raised == []
    alerts, raised = _run(alerts, _view(61, -900.0))
    assert len(raised) == 1


@pytest.mark.parametrize("blind", [Outcome.NO_DATA, Outcome.MARKET_CLOSED])
def test_no_data_and_a_closed_market_resolve_nothing(blind: Outcome) -> None:
    """A raised or acknowledged alert keeps its state while data is missing."""
    raised_alerts, _ = _run(_alerts_of(LOSS), _view(0, -900.0), _view(1, blind))
    assert _phase(raised_alerts) is AlertPhase.RAISED
    acknowledged, _ = _run(acknowledge(raised_alerts, "loss", _at(2)), _view(3, blind))
    assert _phase(acknowledged) is AlertPhase.ACKNOWLEDGED


def test_a_raised_alert_waits_for_its_acknowledgement() -> None:
    """A raised alert stays raised when its condition no longer holds."""
    alerts, _ = _run(_alerts_of(LOSS), _view(0, -900.0), _view(1, 500.0))
    assert _phase(alerts) is AlertPhase.RAISED
    assert alerts.status_of("loss").outcome is Outcome.NOT_MET
    assert alerts.status_of("loss").raised_value == -900.0
    assert alerts.raised_count == 1


def test_an_acknowledged_alert_re_arms_once_the_condition_has_passed() -> None:
    """An acknowledged alert stays quiet while its condition holds, and re-arms after a break."""
    alerts, _ = _run(_alerts_of(LOSS), _view(0, -900.0))
    alerts = acknowledge(alerts, "loss", _at(1))
    assert alerts.raised_count == 0
    alerts, raised = _run(alerts, _view(2, -950.0))
    assert (_phase(alerts), raised) == (AlertPhase.ACKNOWLEDGED, [])
    alerts, _ = _run(alerts, _view(3, 0.0))
    assert _phase(alerts) is AlertPhase.NORMAL
    alerts, raised = _run(alerts, _view(4, -900.0))
    assert len(raised) == 1
    assert [event.phase for event in alerts.history] == [
        AlertPhase.RAISED,
        AlertPhase.ACKNOWLEDGED,
        AlertPhase.NORMAL,
        AlertPhase.RAISED,
    ]
    assert [event.serial for event in alerts.history] == [1, 2, 3, 4]


def test_only_a_raised_alert_can_be_acknowledged() -> None:
    """Acknowledging anything else, or an unknown rule, changes nothing."""
    alerts, _ = _run(_alerts_of(LOSS), _view(0, 0.0))
    assert acknowledge(alerts, "loss", _at(1)) is alerts
    assert acknowledge(alerts, "unknown", _at(1)) is alerts


def test_a_pause_that_nobody_observed_does_not_count_as_held() -> None:
    """After a computer's sleep, time without observations does not count towards an alert."""
    rule = LOSS.model_copy(update={"pending_seconds": 60.0})
    alerts, raised = _run(_alerts_of(rule), _view(0, -900.0), _view(3600, -900.0))
    assert (_phase(alerts), raised) == (AlertPhase.PENDING, [])


@pytest.mark.parametrize("pending_seconds", [0.0, 3.0])
def test_a_raised_alert_stays_as_it_is_while_its_condition_is_met(pending_seconds: float) -> None:
    """While the condition holds, every step returns an equal status, so nothing is redrawn."""
    rule = LOSS.model_copy(update={"pending_seconds": pending_seconds})
    alerts, _ = _run(_alerts_of(rule), *(_view(second, -900.0) for second in range(6)))
    assert _phase(alerts) is AlertPhase.RAISED
    later, _ = _run(alerts, *(_view(second, -900.0) for second in range(6, 60)))
    assert later.status == alerts.status


def test_a_clock_that_goes_back_undoes_nothing() -> None:
    """The held time never decreases."""
    rule = LOSS.model_copy(update={"pending_seconds": 5.0})
    alerts, _ = _run(_alerts_of(rule), _view(10, -900.0), _view(12, -900.0), _view(5, -900.0))
    assert alerts.status_of("loss").held_seconds == pytest.approx(2.0)


def test_a_clock_that_was_set_back_delays_no_alert() -> None:
    """After the clock was set back, however far, time counts as before."""
    rule = LOSS.model_copy(update={"pending_seconds": 10.0})
    _, raised = _run(
        _alerts_of(rule), _view(0, -900.0), *(_view(second, -900.0) for second in range(-3600, -3580))
    )
    assert [event.at for event in raised] == [_at(-3590)]


FILL = AlertRule(id="fill", metric="fill", position="p")


def _fills(second: float, *keys: tuple[str, float, str]) -> AlertView:
    made = tuple(
        AlertFill(key=key, at=_at(when), positions=frozenset({position}), text=f"{key} filled")
        for key, when, position in keys
    )
    return AlertView(as_of=_at(second), fills=made)


def test_each_new_fill_of_the_position_raises_its_alert_with_its_words() -> None:
    """Each new fill of the position raises the alert once; fills of other positions do not."""
    alerts, raised = _run(
        _alerts_of(FILL), _fills(0), _fills(1, ("a", 1, "p")), _fills(2, ("a", 1, "p"), ("b", 2, "other"))
    )
    assert [(event.text, event.value) for event in raised] == [("a filled", 1.0)]
    alerts, raised = _run(alerts, _fills(3, ("a", 1, "p"), ("c", 3, "p")))
    assert [event.text for event in raised] == ["c filled"]


def test_fills_from_before_the_first_view_raise_nothing() -> None:
    """Fills from the morning that a backfill reports do not raise the alert."""
    _, raised = _run(
        _alerts_of(FILL), _fills(0, ("a", -60, "p")), _fills(1, ("a", -60, "p"), ("late", -30, "p"))
    )
    assert raised == []


def test_fills_from_before_a_fill_alert_was_added_raise_nothing() -> None:
    """The fills in a new alert's first view raise nothing, and neither do earlier ones reported later."""
    morning = ("morning", 10, "p")
    alerts, _ = _run(_alerts_of(LOSS), _fills(0), _fills(60))
    alerts, raised = _run(
        with_rules(alerts, [LOSS, FILL]), _fills(61, morning), _fills(62, morning, ("late", 20, "p"))
    )
    assert raised == []
    _, raised = _run(alerts, _fills(63, morning, ("new", 63, "p")))
    assert [event.text for event in raised] == ["new filled"]


def test_a_fill_alert_that_was_removed_and_added_again_starts_over() -> None:
    """Fills between an alert's removal and its return do not raise it, but other fill alerts see them."""
    other = AlertRule(id="other", metric="fill", position="q")
    alerts, _ = _run(_alerts_of(FILL, other), _fills(0))
    alerts, raised = _run(with_rules(alerts, []), _fills(1), _fills(2))
    between = [("a", 1, "p"), ("b", 1, "q")]
    alerts, raised = _run(with_rules(alerts, [other]), _fills(3, *between))
    assert raised == []
    between.append(("c", 4, "q"))
    _, raised = _run(with_rules(alerts, [FILL, other]), _fills(4, ("d", 4, "p"), *between))
    assert [(event.rule.id, event.text) for event in raised] == [("other", "c filled")]


def test_fills_after_the_clock_was_set_back_raise_their_alert() -> None:
    """If the clock is set back, fills reported since then still raise the alert."""
    _, raised = _run(_alerts_of(FILL), _fills(3600), _fills(0), _fills(1, ("a", 1, "p")))
    assert [event.text for event in raised] == ["a filled"]


def test_only_the_days_fills_are_remembered_as_seen() -> None:
    """The set of seen fills does not grow from day to day; without news, it stays the same object."""
    day = 86_400
    alerts, raised = _run(_alerts_of(FILL), _fills(0), _fills(1, ("a", 1, "p"), ("b", 1, "p")))
    again, _ = _run(alerts, _fills(2, ("a", 1, "p")))
    assert again.seen_fills is alerts.seen_fills
    alerts, raised = _run(again, _fills(day), _fills(day + 1, ("c", day + 1, "p")))
    assert alerts.seen_fills == {"c"}
    assert [event.text for event in raised] == ["c filled"]


def test_a_fill_that_vanishes_and_comes_back_is_not_news() -> None:
    """A fill is reported once, even if it disappears while two sources are being merged."""
    _, raised = _run(
        _alerts_of(FILL), _fills(0), _fills(1, ("a", 1, "p")), _fills(2), _fills(3, ("a", 1, "p"))
    )
    assert len(raised) == 1


def test_a_fill_alert_of_the_portfolio_sees_every_fill_and_re_arms_when_acknowledged() -> None:
    """An alert without a position is raised by any fill."""
    rule = AlertRule(metric="fill")
    alerts, raised = _run(_alerts_of(rule), _fills(0), _fills(1, ("a", 1, "p"), ("b", 1, "q")))
    assert [(event.text, event.value) for event in raised] == [("a filled; b filled", 2.0)]
    alerts, _ = _run(acknowledge(alerts, rule.id, _at(2)), _fills(3))
    assert _phase(alerts, rule.id) is AlertPhase.NORMAL


def test_changing_the_rules_keeps_the_status_of_those_that_stayed() -> None:
    """A rule with a new threshold starts over; an unchanged one stays raised."""
    other = LOSS.model_copy(update={"id": "other"})
    alerts, _ = _run(_alerts_of(LOSS, other), _view(0, -900.0))
    changed = other.model_copy(update={"threshold": -10.0})
    alerts = with_rules(alerts, [LOSS, changed])
    assert (_phase(alerts), _phase(alerts, "other")) == (AlertPhase.RAISED, AlertPhase.NORMAL)
    assert with_rules(alerts, []).raised_count == 0


def test_history_is_bounded_and_keeps_the_newest() -> None:
    """The oldest events are dropped."""
    views = [_view(second, -900.0 if second % 2 else 0.0) for second in range(2 * HISTORY_LENGTH)]
    alerts = _alerts_of(LOSS)
    for each in views:
        alerts, _ = step(alerts, each)
        alerts = acknowledge(alerts, "loss", each.as_of)
    assert len(alerts.history) == HISTORY_LENGTH
    assert alerts.history[-1].serial == alerts.serial > HISTORY_LENGTH


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"metric": "fill", "threshold": 3}, "takes no comparison"),
        ({"metric": "pnl_abs"}, "needs a comparison"),
        ({"metric": "pnl_pct", "comparison": "above", "threshold": 50}, "write 0.5 for 50 %"),
        ({"metric": "mark", "comparison": "above", "threshold": 5}, "needs a position"),
        ({"metric": "dte", "comparison": "below", "threshold": 5, "treshold": 6}, "Extra inputs"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields: dict[str, object], words: str) -> None:
    """An invalid rule is refused, and the error gives the reason."""
    with pytest.raises(ValidationError, match=words):
        AlertRule.model_validate(fields)


def test_a_rule_says_its_condition_in_words() -> None:
    """The condition has units, a true minus sign and the pending time."""
    rule = LOSS.model_copy(update={"pending_seconds": 90.0})
    assert rule.condition == "P/L Open below \N{MINUS SIGN}$800 for 1 m 30 s"
    assert FILL.condition == "Fill"
    spread = AlertRule(metric="spread_pct", position="p", comparison="above", threshold=0.25)
    assert (spread.condition, spread.id) == ("Spread above 25.0%", "p spread_pct above 0.25")
    assert AlertMetric.DTE.format_value(3.0) == "3"


readings = st.sampled_from([-900.0, -801.0, -799.0, 0.0, Outcome.NO_DATA, Outcome.MARKET_CLOSED, None])
pending = st.sampled_from([0.0, 2.0, 4.0])


@given(pending, st.lists(st.tuples(readings, st.booleans()), max_size=40))
def test_an_alert_lives_by_the_diagram(
    pending_seconds: float, ticks: list[tuple[float | Outcome | None, bool]]
) -> None:
    """For any observations and acknowledgements, each change of phase is one that the diagram allows."""
    allowed = {
        AlertPhase.NORMAL: {AlertPhase.PENDING, AlertPhase.RAISED},
        AlertPhase.PENDING: {AlertPhase.NORMAL, AlertPhase.RAISED},
        AlertPhase.RAISED: set(),
        AlertPhase.ACKNOWLEDGED: {AlertPhase.NORMAL},
    }
    rule = LOSS.model_copy(update={"pending_seconds": pending_seconds})
    alerts = _alerts_of(rule)
    for second, (reading, pressed) in enumerate(ticks):
        before = alerts.status_of("loss")
        alerts, raised = step(alerts, _view(second, reading))
        after = alerts.status_of("loss")
        if after.phase is not before.phase:
            assert after.phase in allowed[before.phase]
            assert isinstance(reading, float)
            assert alerts.history[-1].phase is after.phase
        assert [event.rule.id for event in raised] == (
            ["loss"] if after.phase is AlertPhase.RAISED is not before.phase else []
        )
        if pressed:
            alerts = acknowledge(alerts, "loss", _at(second))
            assert _phase(alerts) is not AlertPhase.RAISED


@given(pending, st.lists(readings, max_size=40))
def test_times_without_data_never_raise_an_alert_earlier_or_resolve_it(
    pending_seconds: float, seen: list[float | Outcome | None]
) -> None:
    """An alert is raised only if every view met the condition during the whole pending time."""
    rule = LOSS.model_copy(update={"pending_seconds": pending_seconds})
    _, raised = _run(_alerts_of(rule), *(_view(second, reading) for second, reading in enumerate(seen)))
    for event in raised:
        second = int((event.at - START).total_seconds())
        known = [reading for reading in seen[: second + 1] if isinstance(reading, float)]
        needed = int(pending_seconds) + 1
        assert len(known) >= needed
        assert all(reading < -800 for reading in known[-needed:])


@given(st.lists(readings, max_size=30))
def test_a_step_depends_only_on_its_input(seen: list[float | Outcome | None]) -> None:
    """The same views lead to the same alerts, and no step changes its inputs."""
    views = [_view(second, reading) for second, reading in enumerate(seen)]
    first = _alerts_of(LOSS)
    copy = _alerts_of(LOSS)
    assert _run(first, *views) == _run(copy, *views)
    assert first == copy
