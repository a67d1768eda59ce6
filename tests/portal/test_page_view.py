"""One refresh's use of the portfolio's monitor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")


from apps.streamlit.components.status.status_line import choose_spoken
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.registry import _monitors

if TYPE_CHECKING:
    from conftest import PortalDesk
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.portal


def _monitor_of(desk: PortalDesk) -> PortfolioMonitor:
    return _monitors[desk.portfolio.resolve()]


def test_alerts_and_curves_take_the_threshold_of_the_sidebar(desk: PortalDesk) -> None:
    """Also when it is changed later; of two tabs the last that asked counts."""
    desk.own(desk.CALL)
    first = desk.page()
    assert _monitor_of(desk).stale_after_seconds == 30.0
    first.number_input(key="stale-after").set_value(300).run()
    assert _monitor_of(desk).stale_after_seconds == 300.0
    desk.page()
    assert _monitor_of(desk).stale_after_seconds == 30.0
    first.run()
    assert _monitor_of(desk).stale_after_seconds == 300.0


def test_the_table_is_told_of_the_raised_alerts(desk: PortalDesk) -> None:
    """A hidden tab's title counts raised alerts; acknowledged ones do not count."""
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
    """A headline whose figures alone differ is not spoken again."""
    assert choose_spoken(headline, before) == spoken
