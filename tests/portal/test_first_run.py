"""A session's first run leaves parts of the page out until the table's first rows are on it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.view import first_run

pytestmark = pytest.mark.portal


class Session:
    """A browser's session: its time zone, its state, the choices it brings, and the reruns so far."""

    def __init__(self) -> None:
        self.session_state: dict[str, Any] = {}
        self.context = SimpleNamespace(timezone="America/New_York")
        self.chosen: list[str] = []
        self.reruns = 0

    def rerun(self) -> None:
        """Count the request to run the page again."""
        self.reruns += 1

    def run(self) -> bool:
        """Begin a run of the page, and return whether it leaves parts out."""
        first_run.begin_run()
        return first_run.leaves_out()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A browser's session before its first run."""
    session = Session()
    context = SimpleNamespace(session_state=SimpleNamespace(get_widget_states=lambda: session.chosen))
    monkeypatch.setattr(first_run, "st", session)
    monkeypatch.setattr(first_run, "get_script_run_ctx", lambda **_: context)
    return session


def test_the_first_run_leaves_parts_out_and_the_second_none(session: Session) -> None:
    """The page is run again once, however often its rows are reported."""
    assert session.run()
    first_run.draw_whole()
    assert session.reruns == 1
    assert not session.run()
    first_run.draw_whole()
    assert session.reruns == 1


def test_choices_that_a_returning_browser_brings_are_kept(session: Session) -> None:
    """Streamlit would otherwise forget the choices of the widgets that are left out."""
    session.chosen = ["a choice"]
    assert not session.run()


def test_without_a_browser_nothing_is_left_out(session: Session) -> None:
    """A script that runs the page gets all of it in one run."""
    session.context.timezone = None
    assert not session.run()


def _compare_settings() -> None:
    import streamlit as st

    from apps.streamlit.components.inputs.credentials import find_credentials
    from apps.streamlit.components.inputs.sidebar import default_settings, render_sidebar

    credentials = find_credentials()
    st.session_state["settings"] = default_settings(credentials), render_sidebar(credentials)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OH_ALPACA_OPTIONS_FEED": "opra", "OH_ALPACA_STOCK_FEED": "sip"},
        {"OH_RELAY": "nats://localhost"},
    ],
)
def test_a_sidebar_that_is_left_out_is_set_as_it_will_be(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The first run has the settings that the sidebar shows when it is drawn."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    script = AppTest.from_function(_compare_settings).run(timeout=60)
    assert not script.exception
    left_out, drawn = script.session_state["settings"]
    assert left_out == drawn
