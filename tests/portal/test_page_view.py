"""One refresh's use of the portfolio's monitor."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")


from apps.streamlit.components.status.status_line import choose_spoken
from apps.streamlit.components.view.part import Part
from options_helper.market import BrokerAccount, MarketPhase, Quote, StreamHealth, StreamName
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.registry import _monitors

if TYPE_CHECKING:
    from conftest import PortalDesk
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.portal

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
CONTRACT = "AAPL991218C00250000"


def _quote(bid: float) -> Quote:
    return Quote(CONTRACT, bid_price=bid, ask_price=bid + 0.1, timestamp=NOW, received_at=NOW)


def _monitor_of(desk: PortalDesk) -> PortfolioMonitor:
    return _monitors[desk.portfolio.resolve()]


def test_alerts_and_curves_use_the_sidebars_threshold(desk: PortalDesk) -> None:
    """A changed threshold applies too; of two tabs, the one that refreshed last counts."""
    desk.own(desk.CALL)
    first = desk.page()
    assert _monitor_of(desk).stale_after_seconds == 30.0
    first.number_input(key="stale-after").set_value(300).run()
    assert _monitor_of(desk).stale_after_seconds == 300.0
    desk.page()
    assert _monitor_of(desk).stale_after_seconds == 30.0
    first.run()
    assert _monitor_of(desk).stale_after_seconds == 300.0


def test_the_table_receives_the_number_of_raised_alerts(desk: PortalDesk) -> None:
    """A hidden tab's title counts raised alerts that are not acknowledged."""
    desk.own(desk.CALL)
    rule = {"id": "far", "metric": "dte", "comparison": "above", "threshold": 1}
    (desk.folder / "alerts.json").write_text(json.dumps({"alerts": [rule]}))
    desk.monkeypatch.setattr("options_helper.session.monitor.LOOK_EVERY_SECONDS", 3600.0)  # the test looks
    page = desk.page()
    assert _table_data(page)["raised"] == 0
    _monitor_of(desk).look()
    assert _table_data(page.run())["raised"] == 1
    _monitor_of(desk).acknowledge("far")
    assert _table_data(page.run())["raised"] == 0


def _table_data(page: AppTest) -> dict[str, Any]:
    (table,) = (
        element.proto
        for element in page.get("bidi_component")
        if element.proto.component_name == "options-helper.positions_table"
    )
    data: dict[str, Any] = json.loads(table.bytes)
    return data


WHOLE = {Part.TOTALS, Part.TABLE}
RATE = {StreamName.OPTIONS: StreamHealth(StreamName.OPTIONS, rate=9.0)}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({}, set()),
        ({"version": 8, "option_quotes": {CONTRACT: _quote(25.0)}}, {*WHOLE, Part.BARS}),
        ({"broker": BrokerAccount(equity=1.0, as_of=NOW)}, {*WHOLE, Part.ACCOUNT}),
        ({"options_feed": "opra"}, {*WHOLE, Part.HEAD}),
        ({"health": RATE}, {*WHOLE, Part.STREAMS}),
    ],
    ids=["nothing", "a price", "the account's money", "another feed", "a stream's rate"],
)
def test_a_refresh_draws_what_changed_and_nothing_else(
    desk: PortalDesk, change: dict[str, Any], parts: set[Part]
) -> None:
    """Each change redraws totals and table; a price also redraws the bars, and a rate the streams' panel."""
    desk.own(desk.CALL)
    desk.manager.now = replace(
        desk.manager.now,
        running=True,
        started_at=NOW,
        version=7,
        option_quotes={CONTRACT: _quote(20.0)},
        market_phase=MarketPhase.OPEN,
        as_of=NOW,
        broker_positions_at=NOW,
    )
    desk.monkeypatch.setattr("options_helper.session.monitor.LOOK_EVERY_SECONDS", 3600.0)
    desk.monkeypatch.setattr(desk.manager, "snapshot", lambda: desk.manager.now)
    page = desk.page().run()
    before = page.session_state["redraw-numbers"]
    changed = {"version": desk.manager.now.version + bool(change), **change}
    desk.manager.now = replace(desk.manager.now, as_of=NOW + dt.timedelta(seconds=2), **changed)
    after = page.run().session_state["redraw-numbers"]
    assert {part for part in after if after[part] != before[part]} == parts


@pytest.mark.parametrize(
    ("before", "headline", "spoken"),
    [
        ("", "Live.", "Live."),
        ("5 of 12 quotes are stale.", "Live.", "Live."),
        ("5 of 12 quotes are stale.", "11 of 12 quotes are stale.", "5 of 12 quotes are stale."),
        (
            "Connected, no option quote yet (45 s).",
            "Connected, no option quote yet (1 m 2 s).",
            "Connected, no option quote yet (45 s).",
        ),
    ],
)
def test_a_screen_reader_hears_a_state_once(before: str, headline: str, spoken: str) -> None:
    """A headline that differs only in figures is not spoken again."""
    assert choose_spoken(headline, before) == spoken
