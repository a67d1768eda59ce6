"""Presses of Start, Stop and Restart that fail: what the page says, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

import pytest

from options_helper.errors import SettingsError
from options_helper.session.hub import get_hub
from tests.portal.live_page import SECRET, enabled, live_snapshot, press, status

if TYPE_CHECKING:
    from conftest import PortalDesk
    from streamlit.testing.v1 import AppTest

pytest.importorskip("streamlit", reason="the portal needs streamlit")
pytestmark = pytest.mark.portal


def test_missing_keys_are_reported_at_start(desk: PortalDesk) -> None:
    """Start without keys shows one sentence about what to set and where, and starts nothing."""
    desk.own(desk.CALL)
    page = desk.page()
    assert status(page).startswith("**Not ready.** APCA")
    page = press(page, "start")
    assert status(page).startswith("**Not started.** APCA")
    assert "APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set." in status(page).replace("\\", "")
    assert "config/alpaca.env" in status(page)
    assert desk.manager.configs == []
    assert enabled(page) == {"start"}


def test_a_missing_sdk_is_reported_at_start(desk: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without alpaca-py, Start names the package to install."""
    from apps.streamlit.components.inputs import start_stop

    monkeypatch.setattr(start_stop, "find_spec", lambda _name: None)
    desk.own(desk.CALL)
    page = press(desk.page(), "start")
    assert "The package alpaca-py is not installed." in status(page)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (SettingsError("streams", "There is nothing to stream."), "There is nothing to stream."),
        (RuntimeError(f"token {SECRET}"), "Something unexpected went wrong (RuntimeError)"),
    ],
)
def test_a_failed_start_is_explained(desk: PortalDesk, refusal: Exception, words: str) -> None:
    """A failed Start shows a sentence; an unexpected error shows only its type."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    desk.manager.refusal = refusal
    page = press(desk.page(), "start")
    assert words in status(page)
    assert SECRET not in desk.said(page)


def test_an_unexpected_error_at_stop_does_not_mention_a_start(desk: PortalDesk) -> None:
    """The sentence for unexpected errors is true of every button."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    with mock.patch.object(desk.manager, "stop", side_effect=RuntimeError):
        press(page, "stop")
    assert "**Not stopped.**" in desk.said(page)
    assert "nothing was started" not in desk.said(page)
    assert "Something unexpected went wrong (RuntimeError); see the log." in desk.said(page)


def _problem(page: AppTest) -> str:
    """Return the problem shown below the status line after a failed button press while streams run."""
    (line,) = page.error
    return str(line.value).replace("\\", "")


def test_a_failed_restart_says_so_while_the_earlier_streams_continue(desk: PortalDesk) -> None:
    """The reason stays beside the streams' status until a Restart succeeds or the streams end."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    desk.manager.now = live_snapshot()
    desk.sign_in(OH_ALPACA_STOCK_FEED="foo")
    press(page, "restart")
    for _ in range(2):
        assert _problem(page).startswith(
            "**Not restarted.** The earlier streams continue. OH_ALPACA_STOCK_FEED"
        )
        assert "other settings" not in desk.said(page)
        assert str(page.success[0].value).startswith("**Live.**")
        page.run()
    assert len(desk.manager.configs) == 1
    desk.sign_in(OH_ALPACA_STOCK_FEED="iex")
    press(page, "restart")
    assert (len(page.error), len(desk.manager.configs)) == (0, 2)
    desk.manager.refusal = SettingsError("streams", "There is nothing to stream.")
    press(page, "restart")
    assert _problem(page) == "**Not restarted.** The earlier streams continue. There is nothing to stream."
    assert desk.manager.running


@pytest.mark.parametrize("ends", ["stop", "start"])
def test_what_another_tab_does_clears_a_failed_restart(desk: PortalDesk, ends: str) -> None:
    """The failed Restart disappears when the earlier streams end or another tab starts new ones."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    hub = get_hub()
    desk.sign_in(OH_ALPACA_STOCK_FEED="foo")
    press(page, "restart")
    assert _problem(page).startswith("**Not restarted.**")
    hub.attach("another tab")
    hub.stop("another tab")
    if ends == "start":
        run = hub.run
        hub.start(run.config, session_id="another tab", portfolio_name="mine.json", portfolio=run.portfolio)
    page.run()
    assert len(page.error) == 0
    assert "Not restarted" not in desk.said(page)


def test_the_line_about_missing_keys_disappears_once_they_are_set(desk: PortalDesk) -> None:
    """A press that failed without keys is forgotten once there are keys."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    page = press(desk.page(), "start")
    assert "APCA_API_KEY_ID" in status(page)
    desk.sign_in()
    assert status(page.run()).startswith("**Not started.** 1 contract")
