"""The alerts panel: the status of each alert, acknowledging, adding one, and one toast per raise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.alerts.alert_words import describe_status
from apps.streamlit.components.alerts.alerts_panel import choose_listed
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.alerts.records import (
    AlertEvent,
    AlertFill,
    AlertPhase,
    Alerts,
    AlertStatus,
    AlertView,
    Outcome,
)
from options_helper.analysis.alerts.rules import OF_POSITION, OF_UNDERLYING, AlertMetric, AlertRule
from options_helper.analysis.alerts.step import step as step_alerts
from options_helper.analysis.alerts.words import describe_event
from options_helper.files.alerts_state import AlertsState
from options_helper.market import LiveSnapshot, Quote
from options_helper.models import Portfolio
from options_helper.session.alert_outlet import AlertOutlet
from options_helper.session.monitor import PortfolioMonitor

pytestmark = pytest.mark.portal

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
MINUS = "\N{MINUS SIGN}"
UNBROKEN = f"{MINUS}\N{WORD JOINER}"
CALL = "AAPL991218C00250000"
PORTFOLIO = Portfolio.model_validate(
    {
        "positions": [
            {
                "id": "call_1",
                "symbol": "AAPL",
                "option_type": "call",
                "expiry": "2099-12-18",
                "strike": 250,
                "contracts": 1,
                "cost_basis": 10.0,
            }
        ]
    }
)
LOSS = AlertRule(
    id="loss", position="call_1", metric="pnl_abs", comparison="below", threshold=-100, pending_seconds=10
)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (AlertStatus(), "no data"),
        (AlertStatus(outcome=Outcome.NOT_MET, value=120.0), "normal · now +$120"),
        (AlertStatus(outcome=Outcome.MARKET_CLOSED, value=120.0), "market closed, last +$120"),
        (
            AlertStatus(AlertPhase.PENDING, NOW, Outcome.MET, 4.0, -120.0),
            f"pending for 4 of 10 s · now {MINUS}$120",
        ),
        (
            AlertStatus(AlertPhase.RAISED, NOW, Outcome.NO_DATA, 9.0, -120.0, NOW, -110.0),
            f"raised 17:00:00 at {MINUS}$110 · no data, last {MINUS}$120",
        ),
        (
            AlertStatus(AlertPhase.ACKNOWLEDGED, NOW, Outcome.MET, 9.0, -120.0),
            f"acknowledged · now {MINUS}$120",
        ),
        (
            AlertStatus(outcome=Outcome.NOT_WATCHED, value=120.0, value_at=NOW - dt.timedelta(minutes=5)),
            "not watched, last +$120 at 16:55:00",
        ),
    ],
)
def test_a_status_in_words(status: AlertStatus, words: str) -> None:
    """The status has the phase, the figures, and what is unknown."""
    assert describe_status(status, LOSS, dt.UTC) == words


def test_an_alert_on_unwatched_fills_says_so() -> None:
    """Before Start and after Stop, a quiet alert on fills would look watched."""
    rule = AlertRule(metric="fill")
    assert describe_status(AlertStatus(outcome=Outcome.NOT_WATCHED), rule, dt.UTC) == "not watched"
    assert describe_status(AlertStatus(outcome=Outcome.NOT_MET), rule, dt.UTC) == "normal"


def test_an_alert_on_an_incomplete_sum_says_why_it_is_not_compared() -> None:
    """The page shows a partial sum, so a bare "no data" below it would look like a fault."""
    rule = AlertRule(metric="day_pnl", comparison="below", threshold=-500)
    assert describe_status(AlertStatus(), rule, dt.UTC) == "no data: some positions lack this figure"


def test_an_alert_on_an_event_says_which_event_raised_it() -> None:
    """The order's name and the reason stay readable after the toast has disappeared."""
    stepped = step_alerts(Alerts((AlertRule(id="no", metric="order_rejected"),)), AlertView(NOW))[0]
    text = "SPY 630 put: insufficient buying power"
    rejected = AlertFill("1", NOW, text=text, metric=AlertMetric.ORDER_REJECTED)
    stepped = step_alerts(stepped, AlertView(NOW + dt.timedelta(seconds=1), fills=(rejected,)))[0]
    words = describe_status(stepped.status_of("no"), stepped.rules[0], dt.UTC, text=stepped.event_text("no"))
    assert words == f"raised 17:00:01: {text}"


def test_an_alert_raised_on_another_day_has_its_day() -> None:
    """An alert raised on Friday shows its day on Monday."""
    raised = AlertStatus(AlertPhase.RAISED, NOW, Outcome.NO_DATA, raised_at=NOW, raised_value=-110.0)
    words = describe_status(raised, LOSS, dt.UTC, NOW + dt.timedelta(days=3))
    assert words.startswith(f"raised {NOW:%a} 17:00:00 at")


def test_an_event_in_words() -> None:
    """An event names its subject, condition and value, and a fill has its own words."""
    event = AlertEvent(1, NOW, LOSS, AlertPhase.RAISED, -110.0)
    assert describe_event(event, {}) == f"call_1 · P/L Open below {MINUS}$100 for 10 s · {MINUS}$110"
    fill = AlertEvent(1, NOW, AlertRule(metric="fill"), AlertPhase.RAISED, 1.0, "sell AAPL 1 @ 2.00")
    assert describe_event(fill, {}) == "Whole portfolio · Fill · sell AAPL 1 @ 2.00"


def _page(monitor: object) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    import streamlit as st

    from apps.streamlit.components.alerts import alerts_panel

    @st.fragment
    def panel() -> None:
        alerts_panel.render(monitor, zone=dt.UTC)

    panel()


class _AlertsDesk:
    """A monitor of one call whose mid the test sets, and its panel."""

    def __init__(self, *rules: AlertRule, problem: str = "", outlet: AlertOutlet | None = None) -> None:
        self.now, self.mid = NOW, 12.0
        self.monitor = PortfolioMonitor(
            PORTFOLIO, self._take, rules=rules, alerts_problem=problem, outlet=outlet
        )
        self.panel = AppTest.from_function(_page, args=(self.monitor,), default_timeout=20)
        for name in ("new", "history"):
            self.panel.session_state[f"live-alert-{name}"] = True  # opened
        self.panel.run()

    def _take(self) -> LiveSnapshot:
        quote = Quote(CALL, self.mid - 0.05, self.mid + 0.05, timestamp=self.now, received_at=self.now)
        return LiveSnapshot(
            as_of=self.now,
            version=int(self.now.timestamp()),
            running=True,
            market_phase="open",
            option_quotes={CALL: quote},
        )

    def pass_seconds(self, seconds: int, mid: float) -> None:
        """Look each second, then draw the panel."""
        self.mid = mid
        for _ in range(seconds):
            self.now += dt.timedelta(seconds=1)
            self.monitor.look()
        self.panel.run()
        assert not self.panel.exception

    @property
    def text(self) -> str:
        """Return the panel's words."""
        html = [str(each.proto.body) for each in self.panel.get("html")]
        return "\n".join([*html, *(each.value for each in self.panel.markdown)])

    def button(self, key: str) -> Any:
        """Return one of the panel's buttons."""
        return self.panel.button(key=key)


def test_alerts_that_were_not_restored_are_named(tmp_path: Path) -> None:
    """A saved alert that can no longer be used is reported, not silently dropped."""
    state = AlertsState(tmp_path, tmp_path / "portfolio.json")
    state.path.write_text('{"alerts": {"rules": [{"id": "old", "metric": "moon"}]}, "own": ["old"]}')
    desk = _AlertsDesk(LOSS, outlet=AlertOutlet(state))
    assert [each.value for each in desk.panel.warning] == [in_markdown(desk.monitor.state_problem)]
    assert desk.monitor.state_problem.startswith("1 saved alert can no longer be used: ")
    assert "1 · 0 raised" in desk.text


def test_a_raised_alert_is_toasted_once_and_acknowledged() -> None:
    """A raised alert causes one toast, and acknowledging it reduces the count."""
    desk = _AlertsDesk(LOSS)
    desk.pass_seconds(1, 8.0)
    assert "1 · 0 raised" in desk.text
    desk.pass_seconds(11, 8.0)
    assert "1 · 1 raised" in desk.text
    assert [toast.value for toast in desk.panel.toast] == [
        rf"AAPL 250 call 18 Dec · P/L Open below {UNBROKEN}\$100 for 10 s · {UNBROKEN}\$200"
    ]
    desk.pass_seconds(3, 8.0)
    assert len(desk.panel.toast) == 0
    desk.button("live-alert-ack-loss").click().run()
    assert "1 · 0 raised" in desk.text
    assert "acknowledged · now" in desk.text


def test_a_later_session_gets_no_toast_for_earlier_alerts() -> None:
    """A reload does not repeat earlier toasts."""
    desk = _AlertsDesk(LOSS)
    desk.pass_seconds(12, 8.0)
    later = AppTest.from_function(_page, args=(desk.monitor,), default_timeout=20).run()
    assert len(later.toast) == 0


def _two_portfolios(monitors: list[object]) -> None:
    """Run inside the harness: the panel of one portfolio, chosen by a number."""
    import datetime as dt

    import streamlit as st

    from apps.streamlit.components.alerts import alerts_panel

    alerts_panel.render(monitors[int(st.number_input("Portfolio", value=0))], zone=dt.UTC)


def test_a_portfolio_that_is_opened_again_gets_toasts_for_new_alerts() -> None:
    """Each portfolio counts its own events, so another one's history is not repeated."""
    busy, quiet = _AlertsDesk(LOSS), _AlertsDesk(LOSS)
    busy.pass_seconds(12, 8.0)
    both = AppTest.from_function(_two_portfolios, args=([busy.monitor, quiet.monitor],), default_timeout=20)

    def look_at(number: int) -> int:
        both.run() if not both.number_input else both.number_input[0].set_value(number).run()
        assert not both.exception
        return len(both.toast)

    assert [look_at(0), look_at(1), look_at(0), look_at(1)] == [0, 0, 0, 0]
    busy.button("live-alert-ack-loss").click().run()
    busy.pass_seconds(1, 12.0)
    busy.pass_seconds(12, 8.0)
    assert [look_at(0), look_at(0)] == [1, 0]


def test_an_alert_can_be_added_and_removed_on_the_page() -> None:
    """Percentages are entered as percent, and the rule is kept in memory."""
    desk = _AlertsDesk()
    assert "none" in desk.text
    panel = desk.panel
    panel.selectbox[0].set_value("call_1")
    panel.selectbox[1].set_value("pnl_pct")
    panel.segmented_control[0].set_value("above")
    panel.number_input[0].set_value(50.0)
    panel.number_input[1].set_value(5.0)
    next(each for each in panel.button if each.label == "Add alert").click().run()
    assert not panel.exception
    (rule,) = desk.monitor.view().alerts.rules
    assert (rule.position, rule.metric, rule.comparison, rule.threshold) == (
        "call_1",
        "pnl_pct",
        "above",
        0.5,
    )
    assert rule.pending_seconds == 5.0
    panel.run()
    desk.button(f"live-alert-remove-{rule.id}").click().run()
    assert desk.monitor.view().alerts.rules == ()


def test_an_alert_that_cannot_work_is_refused_with_its_reason() -> None:
    """The form says what is missing and adds nothing."""
    desk = _AlertsDesk()
    desk.panel.selectbox[1].set_value("mark")
    next(each for each in desk.panel.button if each.label == "Add alert").click().run()
    assert [error.value for error in desk.panel.error] == ["Mark needs a position."]
    desk.panel.selectbox[1].set_value("day_pnl")
    next(each for each in desk.panel.button if each.label == "Add alert").click().run()
    assert [error.value for error in desk.panel.error] == ["P/L Day needs a value."]
    assert desk.panel.segmented_control[0].proto.required, "a second click on a side must not deselect it"
    assert desk.monitor.view().alerts.rules == ()


def _refusal(subject: str, metric: str, value: float | None = 1.0, held: float = 0.0) -> str:
    """Return what the form says about an alert that is raised above a value."""
    desk = _AlertsDesk()
    panel = desk.panel
    panel.selectbox[0].set_value(subject)
    panel.selectbox[1].set_value(metric)
    panel.segmented_control[0].set_value("above")
    panel.number_input[0].set_value(value)
    panel.number_input[1].set_value(held)
    next(each for each in panel.button if each.label == "Add alert").click().run()
    assert not panel.exception
    assert desk.monitor.view().alerts.rules == ()
    (error,) = panel.error
    return str(error.value)


@pytest.mark.parametrize(
    ("subject", "metric", "value", "held", "words"),
    [
        (
            "call_1",
            "pnl_pct",
            99_999,
            0,
            f"P/L % takes a value from {MINUS}2,000% to +2,000%, not +99,999%.",
        ),
        (
            "call_1",
            "strike_distance_pct",
            -2000.5,
            0,
            f"Distance to the strike takes a value from {MINUS}2,000% to +2,000%, not {MINUS}2,000.5%.",
        ),
        ("call_1", "spread_pct", -1, 0, "Spread is never below 0.0%, so the alert would always be raised."),
        (
            "call_1",
            "quote_age_seconds",
            -5,
            0,
            "Quote age is never below 0 s, so the alert would always be raised.",
        ),
        (
            "\N{NO-BREAK SPACE}AAPL",
            "spot_change_pct",
            -101,
            0,
            f"Change in the underlying is never below {MINUS}100.0%, so the alert would always be raised.",
        ),
        ("call_1", "mark", 1, -1, "Held for (s) takes a number from 0 to 86,400."),
        ("call_1", "mark", 1, 86_401, "Held for (s) takes a number from 0 to 86,400."),
        ("call_1", "mark", None, 0, "Mark needs a value."),
        ("call_1", "stream_lost_seconds", 1, 0, "Stream lost applies only to the whole portfolio."),
        (
            "\N{NO-BREAK SPACE}AAPL",
            "pnl_abs",
            1,
            0,
            "P/L Open cannot be watched for an underlying alone.",
        ),
    ],
)
def test_the_form_refuses_in_its_own_words(
    subject: str, metric: str, value: float | None, held: float, words: str
) -> None:
    """A refusal has the field's label and the percentage as typed, not the words for the alerts file."""
    assert _refusal(subject, metric, value, held) == in_markdown(words)


def test_an_alert_that_exists_is_not_added_again() -> None:
    """The form says that the alert exists, even if the file gives it another name."""
    desk = _AlertsDesk(LOSS.model_copy(update={"pending_seconds": 0.0}))
    panel = desk.panel
    panel.selectbox[0].set_value("call_1")
    panel.selectbox[1].set_value("pnl_abs")
    panel.number_input[0].set_value(-100.0)
    next(each for each in panel.button if each.label == "Add alert").click().run()
    words = f"This alert already exists: AAPL 250 call 18 Dec · P/L Open below {MINUS}$100."
    assert [error.value for error in panel.error] == [in_markdown(words)]
    assert [rule.id for rule in desk.monitor.view().alerts.rules] == ["loss"]
    panel.number_input[0].set_value(-200.0)
    next(each for each in panel.button if each.label == "Add alert").click().run()
    assert (len(panel.error), len(desk.monitor.view().alerts.rules)) == (0, 2)


def test_an_underlying_can_be_watched_from_the_page() -> None:
    """The choice lists positions as the table names them, and each underlying."""
    desk = _AlertsDesk()
    panel = desk.panel
    assert panel.selectbox[0].options == [
        "Whole portfolio",
        "AAPL 250 call 18 Dec",
        "AAPL or all positions on it",
    ]
    panel.selectbox[0].set_value("\N{NO-BREAK SPACE}AAPL")
    panel.selectbox[1].set_value("spot")
    panel.number_input[0].set_value(240.0)
    next(each for each in panel.button if each.label == "Add alert").click().run()
    (rule,) = desk.monitor.view().alerts.rules
    assert (rule.symbol, rule.position, rule.condition) == (
        "AAPL",
        None,
        "Price of the underlying below $240.00",
    )


def _bar(monitor: object) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    from apps.streamlit.components.alerts.alert_bar import render_alert_bar

    render_alert_bar(monitor, dt.UTC)


def test_a_raised_alert_is_a_bar_until_it_is_acknowledged() -> None:
    """The bar names the position as the table does, with the value and the time, and leads to its row."""
    desk = _AlertsDesk(LOSS, *(LOSS.model_copy(update={"id": f"more {number}"}) for number in range(3)))
    desk.panel = AppTest.from_function(_bar, args=(desk.monitor,), default_timeout=20).run()
    assert desk.text == ""
    desk.pass_seconds(12, 8.0)
    assert (
        rf"**Alert: AAPL 250 call 18 Dec** P/L Open below {UNBROKEN}\$100 for 10 s · raised 17\:00\:"
        in desk.text
    )
    assert desk.text.endswith("and 1 more alert, listed under Alerts")
    requests = []
    for _ in range(2):
        desk.button("live-alert-show-loss").click().run()
        requests.append(desk.panel.session_state["positions-table-reveal"])
    assert [request["id"] for request in requests] == ["call_1", "call_1"]
    assert requests[0]["number"] < requests[1]["number"]
    for rule in desk.monitor.view().alerts.rules:
        desk.monitor.acknowledge(rule.id)
    desk.panel.run()
    assert desk.text == ""


def test_an_alert_on_an_underlying_leads_to_its_group_and_one_on_the_whole_to_no_row() -> None:
    """An underlying's sum is in the row of its group; a sum of the whole portfolio has no row."""
    above = {"comparison": "above", "threshold": -1e9}
    rules = [
        AlertRule(id="spot", symbol="AAPL", metric="spot", comparison="above", threshold=0),
        AlertRule(id="exposure", symbol="AAPL", metric="dollar_delta", **above),
        AlertRule(id="whole", metric="pnl_abs", **above),
    ]
    desk = _AlertsDesk(*rules)
    status = AlertStatus(AlertPhase.RAISED, NOW, Outcome.MET, raised_at=NOW)
    desk.monitor.continue_alerts(Alerts(tuple(rules), {rule.id: status for rule in rules}))
    desk.panel = AppTest.from_function(_bar, args=(desk.monitor,), default_timeout=20).run()
    keys = {button.key for button in desk.panel.button if button.label == "Show row"}
    assert keys == {"live-alert-show-spot", "live-alert-show-exposure"}
    desk.button("live-alert-show-spot").click().run()
    request = desk.panel.session_state["positions-table-reveal"]
    assert (request["id"], request["group"]) == ("call_1", "AAPL")


def test_the_form_is_above_the_alerts() -> None:
    """Below a long list, the form would open outside the window."""
    labels = [button.label for button in _AlertsDesk(LOSS).panel.button]
    assert labels.index("Add alert") < labels.index("Remove")


def test_the_urgent_ones_of_many_alerts_are_listed() -> None:
    """Of many alerts, the 50 most urgent are listed, in the file's order."""
    rules = tuple(LOSS.model_copy(update={"id": f"loss-{number}"}) for number in range(3000))
    raised = AlertStatus(AlertPhase.RAISED, NOW, Outcome.MET, 9.0, -120.0, NOW, -110.0)
    listed = choose_listed(Alerts(rules, {"loss-2999": raised, "loss-7": raised}))
    assert len(listed) == 50
    assert [listed[0], listed[7], listed[-1]] == [rules[0], rules[7], rules[2999]]
    assert choose_listed(Alerts(rules[:50])) == list(rules[:50])


def test_an_unusable_alerts_file_is_reported() -> None:
    """The panel shows the place and the reason in the words of the file's error."""
    desk = _AlertsDesk(problem="alerts.json: line 1: is not JSON")
    assert in_markdown("alerts.json: line 1: is not JSON") in desk.panel.error[0].value


def test_an_alert_on_a_position_that_is_not_held_says_so() -> None:
    """An alert on a position that is not in the portfolio says so, or it would look like a quiet market."""
    elsewhere = LOSS.model_copy(update={"id": "slip", "position": "call_l"})
    desk = _AlertsDesk(LOSS, elsewhere)
    assert desk.text.count("not in the portfolio") == 1
    desk = _AlertsDesk(LOSS, AlertRule(metric="fill"))
    assert "not in the portfolio" not in desk.text


def test_every_figure_can_be_watched_from_the_page() -> None:
    """The form can make a rule for each metric, with the subject that the metric needs."""
    subjects = {"position": "call_1", "symbol": "\N{NO-BREAK SPACE}AAPL", "all": "Whole portfolio"}
    for metric in AlertMetric:
        desk = _AlertsDesk()
        panel = desk.panel
        of = "position" if metric in OF_POSITION else "symbol" if metric in OF_UNDERLYING else "all"
        panel.selectbox[0].set_value(subjects[of])
        panel.selectbox[1].set_value(str(metric))
        panel.number_input[0].set_value(5.0)
        next(each for each in panel.button if each.label == "Add alert").click().run()
        assert [rule.metric for rule in desk.monitor.view().alerts.rules] == [metric], panel.error
