"""A grid of many legs in the page: what takes its place until it is computed."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from apps.streamlit.components.risk import computed
from options_helper.analysis.risk import LiveRisk, compute_live_risk
from options_helper.analysis.risk.pricing.model import Model, PriceGrid
from options_helper.models import Portfolio
from tests.builders import AT, CALL, quote, single, snapshot
from tests.conftest import WaitUntil

pytestmark = pytest.mark.portal

LEGS = 20


class Gate:
    """A pricing function that waits until the test opens it, or fails."""

    def __init__(self) -> None:
        self.is_open, self.problem = threading.Event(), None

    def price_all(self, grids: Sequence[PriceGrid]) -> Sequence[Sequence[float]]:
        """Return the model's prices once the gate is open."""
        if self.problem is not None:
            raise self.problem
        assert self.is_open.wait(60)
        return Model().price_all(grids)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Put a gate before the prices of large grids, and open it at the end."""
    each = Gate()
    monkeypatch.setattr(computed, "shared_process", lambda _work: each)
    monkeypatch.setattr(computed, "_PATIENCE_SECONDS", 0.01)
    yield each
    each.is_open.set()


def _risk(seconds: int) -> LiveRisk:
    later = AT.replace(second=AT.second + seconds)
    stocks = {"AAPL": quote("AAPL", 271.99, 272.01, at=later)}
    held = Portfolio(positions=[single(id=f"p{number}") for number in range(LEGS)])
    live = replace(snapshot(quote(CALL, 24.8, 25.2, at=later), stock_quotes=stocks), as_of=later)
    return compute_live_risk(held, replace(live, version=seconds))


def _app(risk: object, now: object) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    import streamlit as st

    from apps.streamlit.components.risk.computed import describe_computed
    from apps.streamlit.components.risk.scenario_panel import draw_grid

    draw_grid(risk, range(len(risk.terms)), now, dt.UTC, key="grid", label="Scenarios")
    st.text(str(describe_computed()))


class Panel:
    """The grid in its own page."""

    def __init__(self, risk: LiveRisk) -> None:
        self.test = AppTest.from_function(_app, args=(risk, risk.at), default_timeout=60)
        self.show(risk)

    def show(self, risk: LiveRisk, now: Any = None) -> str:
        """Return what the page shows of a risk."""
        self.test.args = (risk, now or risk.at)
        return self.look()

    def look(self) -> str:
        """Return what the page shows."""
        self.test.run()
        assert not self.test.exception
        html = [element.proto.body for element in self.test.get("html")]
        return " ".join([*(each.value for each in self.test.markdown), *html]).replace("\\", "")

    @property
    def finished(self) -> int:
        """The number of finished computations."""
        self.test.run()
        return int(self.test.text[0].value)


def test_a_large_grid_appears_when_it_is_computed(gate: Gate, wait_until: WaitUntil) -> None:
    """A line stands in for a large grid at first; later pages name the time of the grid's prices."""
    panel = Panel(_risk(0))
    for seconds in (0, 1):
        shown = panel.show(_risk(seconds))
        assert f"Computing 35 cells of {LEGS} legs" in shown
        assert "Worst" not in shown
    gate.is_open.set()
    wait_until(lambda: panel.finished > 0)
    first = _risk(0)
    shown = panel.show(first)
    assert "Worst in this grid" in shown
    wait_until(lambda: "from prices" not in panel.show(first))
    gate.is_open.clear()
    shown = panel.show(_risk(20))
    assert "Worst in this grid" in shown
    assert f"from prices of {first.at.as_of:%H:%M:%S}" in shown
    panel.test.select_slider[0].set_value(5)
    assert "Worst" not in panel.look(), "another shift is another question"
    gate.is_open.set()
    wait_until(lambda: "Worst in this grid" in panel.look())


@pytest.mark.parametrize(("stopped_after", "is_named"), [(2, False), (5, True)])
def test_prices_get_no_older_after_stop(stopped_after: int, *, is_named: bool) -> None:
    """The time of a grid's prices is named only if the page's are clearly newer, however old both are."""
    at = _risk(0).at
    stopped = replace(at, version=9, stopped_at=at.as_of + dt.timedelta(seconds=stopped_after))
    later = replace(stopped, as_of=at.as_of + dt.timedelta(minutes=10))
    words = computed.prices_of(at, later, dt.UTC)
    assert words == (f"from prices of {at.as_of:%H:%M:%S}" if is_named else "")


def test_a_failed_grid_says_so_and_can_be_computed_again(gate: Gate, wait_until: WaitUntil) -> None:
    """The reason and a button take the grid's place; nothing is computed again by itself."""
    gate.problem = RuntimeError("root not bracketed")
    panel = Panel(_risk(0))
    wait_until(lambda: panel.finished > 0)
    for seconds in (0, 1):
        assert f"Could not compute 35 cells of {LEGS} legs: RuntimeError" in panel.show(_risk(seconds))
    assert panel.finished == 1
    gate.problem = None
    gate.is_open.set()
    panel.test.button[0].click()
    wait_until(lambda: "Worst in this grid" in panel.look())
