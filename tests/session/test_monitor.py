"""The monitor: curves and alerts, shared by every tab."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from options_helper.analysis.alerts.fill_watch import watch_fills
from options_helper.analysis.alerts.records import AlertFill, AlertPhase, Outcome
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.history.observation import PORTFOLIO, observe
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.files.alerts_file import AlertsFile
from options_helper.market import (
    BrokerEvent,
    EventKind,
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.models import Portfolio
from options_helper.session import monitor as monitor_module
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.registry import close_all, monitor_for
from options_helper.times import to_microseconds

if TYPE_CHECKING:
    from conftest import WaitUntil

NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
CALL = "AAPL261218C00250000"
LONG, SHORT = "MSFT261218C00480000", "MSFT261218C00500000"
PORTFOLIO_FILE = {
    "cash": 1000.0,
    "positions": [
        {
            "id": "call",
            "symbol": "AAPL",
            "option_type": "call",
            "expiry": "2026-12-18",
            "strike": 250,
            "contracts": 2,
            "cost_basis": 10.0,
        },
        {
            "id": "vertical",
            "symbol": "MSFT",
            "net_debit": 900.0,
            "legs": [
                {
                    "side": side,
                    "option_type": "call",
                    "expiry": "2026-12-18",
                    "strike": strike,
                    "contracts": 1,
                }
                for side, strike in (("long", 480), ("short", 500))
            ],
        },
    ],
}
LOSS = AlertRule(id="loss", position="call", metric="pnl_abs", comparison="below", threshold=-100)
AGE = AlertRule(id="age", position="call", metric="quote_age_seconds", comparison="above", threshold=12)


def _portfolio() -> Portfolio:
    return Portfolio.model_validate(PORTFOLIO_FILE)


def _at(second: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=second)


def _snapshot(
    second: float = 0.0,
    call: float | None = 11.0,
    *,
    quoted: float | None = None,
    phase: str = MarketPhase.OPEN,
    version: int | None = None,
    **more: object,
) -> LiveSnapshot:
    """A snapshot with the call's mid at `call`, quoted at the second `quoted`, heard just now."""
    when = _at(second if quoted is None else quoted)
    mids = {LONG: 20.0, SHORT: 10.0} | ({} if call is None else {CALL: call})
    quotes = {
        symbol: Quote(symbol, mid - 0.05, mid + 0.05, 1, 1, timestamp=when, received_at=when)
        for symbol, mid in mids.items()
    }
    health = StreamHealth(StreamName.OPTIONS, StreamState.RUNNING, last_heard_at=_at(second))
    return LiveSnapshot(
        as_of=_at(second),
        running=True,
        status="running",
        option_quotes=quotes,
        health={"options": health},
        market_phase=phase,
        started_at=NOON,
        version=int(second * 10) if version is None else version,
        **more,
    )


class _Feed:
    """A small manager that returns the test's snapshot and counts the calls."""

    def __init__(self, snapshot: LiveSnapshot) -> None:
        self.snapshot = snapshot
        self.taken = 0

    def __call__(self) -> LiveSnapshot:
        self.taken += 1
        return self.snapshot


def _monitor(*rules: AlertRule) -> tuple[PortfolioMonitor, _Feed]:
    feed = _Feed(_snapshot())
    return PortfolioMonitor(_portfolio(), feed, rules=rules, clock=lambda: feed.snapshot.as_of), feed


def _look(monitor: PortfolioMonitor, feed: _Feed, *snapshots: LiveSnapshot) -> None:
    for snapshot in snapshots:
        feed.snapshot = snapshot
        monitor.look()


def test_the_curves_hold_open_pnl_of_the_portfolio_its_underlyings_and_each_position() -> None:
    """Curves have a point every five seconds, in dollars; a structure's mark is per unit."""
    monitor, feed = _monitor()
    _look(monitor, feed, *(_snapshot(second, 11.0 + second / 10) for second in range(11)))
    view = monitor.view()
    assert view.pnl.columns == (PORTFOLIO, "AAPL", "MSFT")
    assert view.pnl.column("AAPL").tolist() == pytest.approx([200.0, 300.0, 400.0])
    assert view.pnl.column(PORTFOLIO).tolist() == pytest.approx([300.0, 400.0, 500.0])
    assert view.marks.column("call").tolist() == pytest.approx([11.0, 11.5, 12.0])
    assert view.marks.column("vertical").tolist() == pytest.approx([10.0] * 3)
    assert view.position_pnl.column("vertical").tolist() == pytest.approx([100.0] * 3)


@pytest.mark.parametrize(
    "unseen",
    [
        pytest.param({"call": None}, id="no quote"),
        pytest.param({"phase": MarketPhase.CLOSED}, id="market closed"),
        pytest.param({"quoted": -300.0, "health": {}}, id="feed dead"),
    ],
)
def test_the_curve_has_a_gap_while_not_everything_is_current(unseen: dict[str, object]) -> None:
    """A missing, closed or stale mark leaves a gap."""
    monitor, feed = _monitor()
    broken = _snapshot(5, **{key: value for key, value in unseen.items() if key != "health"})
    if "health" in unseen:
        broken = _without_health(broken)
    _look(monitor, feed, _snapshot(0), broken, _snapshot(10))
    values = monitor.view().pnl.column(PORTFOLIO)
    assert np.isnan(values).tolist() == [False, True, False]


def _without_health(snapshot: LiveSnapshot) -> LiveSnapshot:
    return dataclasses.replace(snapshot, health={})


def test_a_quiet_contract_makes_no_gap() -> None:
    """An old quote on a live stream still counts."""
    monitor, feed = _monitor()
    _look(monitor, feed, *(_snapshot(second, quoted=0.0) for second in range(0, 101, 10)))
    assert not np.isnan(monitor.view().pnl.column(PORTFOLIO)).any()


def test_a_new_new_york_day_begins_new_curves() -> None:
    """Yesterday's curve is dropped."""
    monitor, feed = _monitor()
    _look(monitor, feed, _snapshot(0), _snapshot(86_400, 12.0))
    assert monitor.view().pnl.column("AAPL").tolist() == pytest.approx([400.0])


@pytest.mark.slow
def test_a_view_that_was_given_out_never_changes() -> None:
    """A returned view is immutable, so tabs read it without a lock."""
    monitor, feed = _monitor()
    _look(monitor, feed, _snapshot(0))
    before = monitor.view()
    _look(monitor, feed, *(_snapshot(5 * number, 11.0) for number in range(1, 70)))
    assert len(before.pnl) == 1
    assert len(monitor.view().pnl) == 70


def test_nothing_is_computed_again_while_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same version before the next deadline computes no table."""
    calls: list[dt.datetime] = []

    def counted(tables: TablesView) -> object:
        calls.append(tables.at.as_of)
        return observe(tables)

    monkeypatch.setattr("options_helper.session.monitor.observe", counted)
    monitor, feed = _monitor()
    _look(monitor, feed, *(_snapshot(second, quoted=0.0, version=7) for second in range(25)))
    assert calls == [_at(0)]
    _look(monitor, feed, _snapshot(31, quoted=0.0, version=7))
    assert calls == [_at(0), _at(31)]


def test_a_clock_that_was_set_back_keeps_no_old_figures() -> None:
    """After the clock goes back, the same version is observed again, and the curve continues."""
    monitor, feed = _monitor()
    quotes = {"quoted": -7200.0, "version": 7}
    _look(monitor, feed, _snapshot(0, **quotes), _snapshot(-3600, **quotes), _snapshot(-3595, **quotes))
    pnl = monitor.view().pnl
    assert pnl.times.tolist() == [to_microseconds(_at(second)) for second in (-3600, -3595)]
    monitor.add_rule(AGE)
    _look(monitor, feed, _snapshot(-7195, **quotes))
    assert monitor.view().alerts.status_of("age").value == pytest.approx(5.0)


def test_another_threshold_applies_from_the_next_look() -> None:
    """A new threshold applies to curves and alerts even without new data."""
    monitor, feed = _monitor(LOSS)
    old = dataclasses.replace(_snapshot(60, quoted=0.0, version=7), health={})
    _look(monitor, feed, old)
    assert monitor.view().alerts.status_of("loss").outcome is Outcome.NO_DATA
    monitor.use(_portfolio(), 300.0)
    _look(monitor, feed, old)
    assert monitor.view().alerts.status_of("loss").outcome is Outcome.NOT_MET
    assert monitor.view().pnl.column(PORTFOLIO).tolist() == pytest.approx([300.0])


def test_an_alert_is_raised_acknowledged_and_re_armed() -> None:
    """The monitor steps the alerts with each observation."""
    monitor, feed = _monitor(LOSS)
    _look(monitor, feed, _snapshot(0, 11.0))
    assert monitor.view().alerts.status_of("loss").phase is AlertPhase.NORMAL
    _look(monitor, feed, _snapshot(1, 9.0))
    assert monitor.view().alerts.raised_count == 1
    monitor.acknowledge("loss")
    assert monitor.view().alerts.status_of("loss").phase is AlertPhase.ACKNOWLEDGED
    _look(monitor, feed, _snapshot(2, 11.0))
    assert monitor.view().alerts.status_of("loss").phase is AlertPhase.NORMAL


def test_quote_ages_grow_between_two_computations() -> None:
    """An alert on a quote's age is evaluated every second."""
    monitor, feed = _monitor(AGE)
    _look(monitor, feed, *(_snapshot(second, quoted=0.0, version=7) for second in range(14)))
    assert monitor.view().alerts.status_of("age").raised_at == _at(13)


@pytest.mark.parametrize(
    ("snapshot", "outcome"),
    [
        (_snapshot(1, 9.0, phase=MarketPhase.CLOSED), Outcome.MARKET_CLOSED),
        (_snapshot(1, None), Outcome.NO_DATA),
        (_without_health(_snapshot(100, 9.0, quoted=0.0)), Outcome.NO_DATA),
    ],
    ids=["closed", "no quote", "stale"],
)
@pytest.mark.parametrize("position", ["call", None])
def test_a_price_alert_has_no_reading_without_a_current_price(
    snapshot: LiveSnapshot, outcome: Outcome, position: str | None
) -> None:
    """A closed market and missing data are separate outcomes, for a position and for the portfolio."""
    monitor, feed = _monitor(LOSS.model_copy(update={"position": position}))
    _look(monitor, feed, snapshot)
    status = monitor.view().alerts.status_of("loss")
    assert (status.outcome, status.phase) == (outcome, AlertPhase.NORMAL)


def test_the_portfolio_can_be_watched_as_a_whole() -> None:
    """An alert can watch total P/L in dollars or as a fraction, the nearest expiry and the oldest quote."""
    seen = observe(compute_view(_portfolio(), _snapshot(4, 9.0, quoted=0.0), stale_after_seconds=30.0))
    readings = {str(metric): value for (position, metric), value in seen.readings.items() if position is None}
    assert readings == pytest.approx(
        {
            "pnl_abs": -100.0,
            "pnl_pct": -100.0 / 2900.0,
            "day_pnl": Outcome.NO_DATA,
            "dte": 28.0,
            "quote_age_seconds": 4.0,
        }
    )


def test_expired_contracts_are_in_no_curve_and_no_reading() -> None:
    """Expired contracts have no mark and no P/L in the curves, and their readings have no data."""
    later = dt.timedelta(days=40)
    quotes = {"MSFT261218C00480000": Quote("MSFT261218C00480000", 1.0, 1.1, timestamp=NOON + later)}
    live = LiveSnapshot(as_of=NOON + later, option_quotes=quotes, market_phase=MarketPhase.OPEN)
    seen = observe(compute_view(_portfolio(), live, stale_after_seconds=30.0))
    assert seen.pnl[PORTFOLIO] is None
    assert seen.marks == {"call": None, "vertical": None}
    assert set(seen.readings.values()) == {Outcome.NO_DATA}


def _fill(second: float, key: str = "x", symbol: str = CALL) -> dict[str, object]:
    return {
        "timestamp": _at(second),
        "event": "fill",
        "order_id": key,
        "symbol": symbol,
        "side": "sell",
        "qty": 1.0,
        "filled_qty": 1.0,
        "filled_avg_price": 11.0,
        "fill_qty": 1.0,
        "fill_price": 11.0,
        "status": "filled",
        "execution_id": key,
    }


def test_fills_are_read_again_only_after_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a new update, the fills of the last look are reused."""
    seen: list[int] = []

    def watch(portfolio: Portfolio, day: FillDay) -> tuple[AlertFill, ...]:
        seen.append(len(day.fills))
        return watch_fills(portfolio, day)

    monkeypatch.setattr(monitor_module, "watch_fills", watch)
    monitor, feed = _monitor(AlertRule(id="fill", position="vertical", metric="fill"))
    reported = (_fill(0, "first"),)
    _look(monitor, feed, *(_snapshot(second, fills=reported) for second in range(4)))
    _look(monitor, feed, _snapshot(5, fills=(_fill(5, "second"), *reported)))
    assert seen == [1, 2]


def test_a_fill_of_a_position_raises_its_alert_in_words() -> None:
    """A fill of another contract raises nothing, and each fill is reported once."""
    rule = AlertRule(id="fill", position="vertical", metric="fill")
    monitor, feed = _monitor(rule)
    early = (_fill(-60, "early", LONG),)
    _look(monitor, feed, _snapshot(0, fills=early), _snapshot(1, fills=(_fill(1, "other"), *early)))
    assert monitor.view().alerts.raised_count == 0
    _look(monitor, feed, _snapshot(2, fills=(_fill(2, "mine", LONG), *early)))
    (event,) = monitor.view().alerts.history
    assert event.text == "sell MSFT 18 Dec 2026 480 call 1 @ 11.00"


def test_a_fill_alert_that_is_added_later_is_silent_about_the_morning() -> None:
    """Fills from before the first alert on fills raise nothing."""
    monitor, feed = _monitor(LOSS)
    morning = (_fill(1, "morning"),)
    _look(monitor, feed, _snapshot(0), _snapshot(2, fills=morning))
    monitor.add_rule(AlertRule(id="fill", metric="fill"))
    _look(monitor, feed, _snapshot(3, fills=morning), _snapshot(4, fills=morning))
    assert monitor.view().alerts.raised_count == 0
    _look(monitor, feed, _snapshot(5, fills=(_fill(5, "new"), *morning)))
    assert monitor.view().alerts.raised_count == 1


def test_rules_come_and_go_while_the_monitor_runs() -> None:
    """Added and removed rules are kept in memory, and replaced ones start over."""
    monitor, feed = _monitor(LOSS)
    other = LOSS.model_copy(update={"id": "other", "threshold": -50.0})
    monitor.add_rule(other)
    _look(monitor, feed, _snapshot(0, 9.0))
    assert monitor.view().alerts.raised_count == 2
    monitor.remove_rule("loss")
    assert [rule.id for rule in monitor.view().alerts.rules] == ["other"]


def test_another_version_of_the_portfolio_begins_new_curves_and_keeps_the_alerts() -> None:
    """Changed holdings start new curves; equal holdings change nothing."""
    monitor, feed = _monitor(LOSS)
    _look(monitor, feed, _snapshot(0, 9.0))
    monitor.use(_portfolio(), 30.0)
    assert len(monitor.view().pnl) == 1
    smaller = Portfolio.model_validate({"positions": PORTFOLIO_FILE["positions"][:1]})
    monitor.use(smaller, 30.0)
    view = monitor.view()
    assert (len(view.pnl), view.pnl.columns, view.alerts.raised_count) == (0, (PORTFOLIO, "AAPL"), 1)
    assert monitor.portfolio is smaller


def test_the_thread_looks_by_itself_and_ends_on_stop(
    wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread needs no browser; a stopped monitor keeps its last view and does not start again."""
    monkeypatch.setattr("options_helper.session.monitor.LOOK_EVERY_SECONDS", 0.005)
    monitor, feed = _monitor()
    monitor.start()
    monitor.start()
    wait_until(lambda: feed.taken > 3, "four looks")
    assert sum(thread.name == "options-helper-monitor" for thread in threading.enumerate()) == 1
    monitor.stop()
    taken = feed.taken
    monitor.start()
    assert (feed.taken, len(monitor.view().pnl)) == (taken, 1)


def test_a_thread_that_cannot_start_is_reported_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    """Until the thread runs, the view says that alerts are not watched; the next start tries again."""
    monitor, feed = _monitor(LOSS)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        monitor.start()
    assert "allows no more threads" in monitor.view().alerts_problem
    monitor.start()
    wait_until(lambda: feed.taken > 0 and not monitor.view().alerts_problem, "a look")
    monitor.stop()


def test_a_snapshot_that_cannot_be_read_does_not_end_the_day(
    wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page shows the failure while it lasts, and the log records the first of each kind."""
    monkeypatch.setattr("options_helper.session.monitor.LOOK_EVERY_SECONDS", 0.005)
    monitor, feed = _monitor(LOSS)
    good, feed.snapshot = feed.snapshot, LiveSnapshot(as_of=NOON, option_quotes={CALL: object()})
    monitor.start()
    try:
        wait_until(lambda: "failed (AttributeError)" in monitor.view().alerts_problem, "a sentence")
        failed = feed.taken
        wait_until(lambda: feed.taken > failed + 3, "further looks")
        (line,) = [record for record in caplog.records if record.name == monitor_module.__name__]
        assert line.exc_info
        feed.snapshot = good
        wait_until(lambda: len(monitor.view().pnl) == 1, "a point")
        assert monitor.view().alerts_problem == ""
    finally:
        monitor.stop()


def test_no_failed_look_ends_the_watch(
    wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch, portfolio_path: Path
) -> None:
    """A failing disk does not end the monitor, and afterwards the page shows the file's state."""
    monkeypatch.setattr("options_helper.session.monitor.LOOK_EVERY_SECONDS", 0.005)
    portfolio_path.with_name("alerts.json").write_text("{", encoding="utf-8")
    monitor = _watch_beside(portfolio_path)
    good = monitor._take_snapshot

    def fail() -> LiveSnapshot:
        raise OSError("no such disk")

    monitor._take_snapshot = fail
    monitor.start()
    try:
        wait_until(lambda: "failed (OSError)" in monitor.view().alerts_problem, "a sentence")
        monitor._take_snapshot = good
        wait_until(lambda: "is not JSON" in monitor.view().alerts_problem, "the file's sentence")
    finally:
        monitor.stop()


@pytest.fixture
def portfolio_path(tmp_path: Path) -> Path:
    """Return the path of a portfolio with an alerts file beside it."""
    rules = {"alerts": [LOSS.model_dump(mode="json")]}
    (tmp_path / "alerts.json").write_text(json.dumps(rules), encoding="utf-8")
    return tmp_path / "portfolio.json"


def test_each_portfolio_file_has_one_monitor_with_the_alerts_beside_it(portfolio_path: Path) -> None:
    """Two tabs get the same monitor for any spelling of the path, and another file gets its own."""
    try:
        feed = _Feed(_snapshot())
        first = monitor_for(portfolio_path, _portfolio(), feed)
        same = monitor_for(portfolio_path.parent / "." / portfolio_path.name, _portfolio(), feed)
        other = monitor_for(portfolio_path.with_name("other.json"), _portfolio(), feed)
        assert first is same
        assert other is not first
        assert first.view().alerts.rules == (LOSS,)
        assert monitor_for(portfolio_path, _portfolio(), feed, stale_after_seconds=300.0) is first
        assert first.stale_after_seconds == 300.0
    finally:
        close_all()
    close_all()


MINE = AlertRule(metric="pnl_abs", comparison="above", threshold=900)


def _watch_beside(portfolio_path: Path) -> PortfolioMonitor:
    """A monitor without its thread: the test looks."""
    return PortfolioMonitor(_portfolio(), _Feed(_snapshot()), alerts_file=AlertsFile(portfolio_path))


def _save(alerts: Path, *rules: AlertRule) -> None:
    alerts.write_text(json.dumps({"alerts": [rule.model_dump(mode="json") for rule in rules]}))


def test_the_portfolio_is_watched_without_an_unusable_alerts_file(portfolio_path: Path) -> None:
    """The curves continue, and a corrected file is used from the next look."""
    alerts = portfolio_path.with_name("alerts.json")
    alerts.write_text("{", encoding="utf-8")
    monitor = _watch_beside(portfolio_path)
    assert "is not JSON" in monitor.view().alerts_problem
    assert monitor.look().alerts.rules == ()
    _save(alerts, LOSS)
    seen = monitor.look()
    assert (seen.alerts.rules, seen.alerts_problem) == ((LOSS,), "")


def test_a_changed_alerts_file_is_noticed_by_itself(portfolio_path: Path) -> None:
    """New, changed and removed rules apply at the next look; an unchanged rule keeps its status."""
    alerts = portfolio_path.with_name("alerts.json")
    monitor = _watch_beside(portfolio_path)
    before = monitor.look().alerts.status_of(LOSS.id)
    assert before.value is not None
    _save(alerts, MINE, LOSS)
    after = monitor.look().alerts
    assert after.rules == (MINE, LOSS)
    assert after.status_of(LOSS.id).since == before.since
    alerts.unlink()
    assert monitor.look().alerts.rules == ()


def test_a_half_written_alerts_file_does_not_end_the_watch(portfolio_path: Path) -> None:
    """A half-written file loses no alert, and a lasting error is reported at the second look."""
    alerts = portfolio_path.with_name("alerts.json")
    monitor = _watch_beside(portfolio_path)
    alerts.write_text('{"alerts": [')
    seen = monitor.look()
    assert (seen.alerts.rules, seen.alerts_problem) == ((LOSS,), "")
    seen = monitor.look()
    assert seen.alerts.rules == ()
    assert "is not JSON" in seen.alerts_problem


def test_alerts_added_on_the_page_survive_a_change_to_the_file(portfolio_path: Path) -> None:
    """Alerts made on the page are kept until the process ends, or the file has a rule with the same id."""
    alerts = portfolio_path.with_name("alerts.json")
    monitor = _watch_beside(portfolio_path)
    monitor.add_rule(MINE)
    _save(alerts)
    assert monitor.look().alerts.rules == (MINE,)
    named = MINE.model_copy(update={"pending_seconds": 5.0})
    _save(alerts, named)
    assert monitor.look().alerts.rules == (named,)


def test_an_assignment_that_the_account_reports_after_the_alert_began_raises_it() -> None:
    """Alpaca gives only an assignment's date; one of the alert's day or the day before raises the alert."""
    portfolio, rule = _portfolio(), AlertRule(id="assigned", metric="assignment")
    known = {"broker_history_since": _at(0).date(), "version": 1}
    feed = _Feed(_snapshot(0, **known))
    monitor = PortfolioMonitor(portfolio, feed, rules=[rule])
    monitor.look()
    events = tuple(
        BrokerEvent(
            kind=EventKind.ASSIGNMENT,
            symbol=CALL,
            quantity=Decimal(1),
            date=NOON.date() - dt.timedelta(days=day),
            activity_id=str(day),
        )
        for day in (0, 1)
    )
    feed.snapshot = _snapshot(1, **known | {"version": 2}, broker_events=events)
    monitor.look()
    raised = monitor.look().alerts.history
    assert [event.value for event in raised] == [2.0]


def test_after_stop_only_what_the_clock_changes_is_watched() -> None:
    """The figures are frozen, even while their quotes are young; ages and days go on."""
    dte = AlertRule(id="dte", position="call", metric="dte", comparison="below", threshold=7)
    differs = AlertRule(id="differs", metric="quantity_differs")
    feed = _Feed(_snapshot(0, 12.0, broker_positions_at=NOON))
    monitor = PortfolioMonitor(_portfolio(), feed, rules=[LOSS, AGE, dte, differs, AlertRule(metric="fill")])
    watched = monitor.look().alerts
    assert {one.outcome for one in watched.status.values()} <= {Outcome.MET, Outcome.NOT_MET}
    stopped = {"running": False, "status": "stopped", "as_of": _at(5), "stopped_at": _at(4), "version": 2}
    feed.snapshot = dataclasses.replace(feed.snapshot, **stopped)
    watched = monitor.look().alerts
    assert {key: one.outcome for key, one in watched.status.items()} == {
        "loss": Outcome.NOT_WATCHED,
        "differs": Outcome.NOT_WATCHED,
        "fill": Outcome.NOT_WATCHED,
        "age": Outcome.NOT_MET,
        "dte": Outcome.NOT_MET,
    }
    assert (watched.status["loss"].value, watched.status["loss"].value_at) == (400.0, NOON)
