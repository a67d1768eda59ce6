"""A session's first run leaves regions out until the table's first rows are on the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.view import later
from apps.streamlit.components.view.later import Later


class Session:
    """A session, what it has drawn, and the regions for which it has requested a run."""

    def __init__(self) -> None:
        self.session_state: dict[str, Any] = {}
        self.context = SimpleNamespace(timezone="America/New_York")
        self.regions: dict[str, Callable[[], None]] = {}
        self.drawn: list[str] = []
        self.asked: list[str] = []
        self.chosen: list[str] = []

    def fragment(self, *, key: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Stand in for Streamlit's decorator: run the region, and keep it for a run of its own."""

        def decorate(draw: Callable[..., None]) -> Callable[..., None]:
            def run(*args: Any) -> None:
                self.regions[key] = lambda: draw(*args)
                self.regions[key]()

            return run

        return decorate

    def run(self) -> list[str]:
        """Run the whole page, and return the regions that it has drawn."""
        self.drawn.clear()
        later.begin_page()
        for region in Later:
            later.draw_later(region, partial(self.drawn.append, region))
        return self.drawn.copy()

    def run_requested(self) -> list[str]:
        """Run the regions requested since the last call, and return what they have drawn."""
        asked = self.asked.copy()
        self.drawn.clear()
        self.asked.clear()
        for region in asked:
            self.regions[region]()
        return self.drawn.copy()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A browser's session before its first run."""
    session = Session()
    context = SimpleNamespace(session_state=SimpleNamespace(get_widget_states=lambda: session.chosen))
    monkeypatch.setattr(later, "st", session)
    monkeypatch.setattr(later, "get_script_run_ctx", lambda **_: context)
    monkeypatch.setattr(later, "redraw_parts", session.asked.extend)
    return session


def test_the_first_run_leaves_regions_out_until_the_rows_are_reported(session: Session) -> None:
    """They are drawn once, in the run that the report requests, and by every later run."""
    assert session.run() == []
    later.draw_left_out()
    later.draw_left_out()
    assert session.run_requested() == list(Later)
    assert session.run() == list(Later)
    later.draw_left_out()
    assert session.run_requested() == []


def test_a_second_run_before_the_report_leaves_nothing_out(session: Session) -> None:
    """The report of the first rows then has nothing to add."""
    session.run()
    assert session.run() == list(Later)
    later.draw_left_out()
    assert session.run_requested() == []


def test_choices_that_a_returning_browser_brings_are_kept(session: Session) -> None:
    """Streamlit would forget those of the widgets that are left out."""
    session.chosen = ["a choice"]
    assert session.run() == list(Later)


def test_without_a_browser_nothing_is_left_out(session: Session) -> None:
    """A script that runs the page gets all of it in one run."""
    session.context.timezone = None
    assert session.run() == list(Later)


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
