"""Positions that are left out of curves and scenarios, by name or by a search."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from options_helper.analysis.risk import LiveRisk, compute_live_risk
from options_helper.analysis.tables.view import TablesView, compute_view
from options_helper.models import EquityPosition, Portfolio
from tests.builders import CALL, leg, quote, single, snapshot, vertical

pytestmark = pytest.mark.portal

SHORT = "AAPL261218C00260000"


def _app(risk: object, view: object) -> None:
    """Run inside the harness, which needs the imports here."""
    import datetime as dt

    import streamlit as st

    from apps.streamlit.components.risk import scenario_panel

    def note(_risk: object, kept: list[int], base: float | None, *_: object, **_more: object) -> None:
        st.session_state["kept"], st.session_state["base"] = kept, base

    scenario_panel.render_move_curves = note
    scenario_panel.draw_grid = lambda *_, **_more: None
    st.session_state[scenario_panel.OPENED_SCENARIOS] = True
    st.session_state.pop("kept", None)
    scenario_panel.render_scenarios(risk, view, dt.UTC)


class Panel:
    """The choice of what to leave out of the whole portfolio, in its own page."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *positions: Any) -> None:
        from apps.streamlit.components.risk import scenario_panel

        for name in ("render_move_curves", "draw_grid"):
            monkeypatch.setattr(scenario_panel, name, getattr(scenario_panel, name))
        held = Portfolio(positions=list(positions))
        stocks = {name: quote(name, 271.99, 272.01) for name in ("AAPL", "MSFT")}
        live = snapshot(quote(CALL, 24.8, 25.2), quote(SHORT, 17.9, 18.1), stock_quotes=stocks)
        self.risk: LiveRisk = compute_live_risk(held, live)
        self.view: TablesView = compute_view(held, live, stale_after_seconds=30.0)
        self.test = AppTest.from_function(_app, args=(self.risk, self.view), default_timeout=60).run()
        assert not self.test.exception

    @property
    def options(self) -> list[str]:
        """The listed names."""
        return list(self.test.multiselect[0].options)

    def leave_out(self, *words: str) -> list[str] | None:
        """Leave these out, and return the remaining legs' position ids, or None if there are no curves."""
        self.test.multiselect[0].set_value(list(words)).run()
        assert not self.test.exception
        if "kept" not in self.test.session_state:
            return None
        return [self.risk.terms.position_ids[number] for number in self.test.session_state["kept"]]

    @property
    def said(self) -> str:
        """The lines of text."""
        return " ".join(each.value for each in self.test.markdown).replace("\\", "")


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Panel:
    """Return the panel of four positions."""
    legs = [leg("long", "call", 250), leg("short", "call", 260)]
    return Panel(
        monkeypatch,
        single(tag=["income"]),
        vertical(legs=legs, tag=["income", "dec"]),
        EquityPosition(id="AAPL", symbol="AAPL", shares=100, cost_basis=200.0),
        EquityPosition(id="m", symbol="MSFT", shares=10, cost_basis=200.0),
    )


def test_positions_underlyings_and_tags_can_be_left_out(panel: Panel) -> None:
    """Whole positions are left out by id, underlying or tag; the id AAPL does not stand for all of AAPL."""
    assert panel.options == ["a", "v", "AAPL", "m", "All of AAPL", "All of MSFT", "Tag dec", "Tag income"]
    assert panel.leave_out() == ["a", "v", "v", "AAPL", "m"]
    assert "left out" not in panel.said
    assert panel.leave_out("v") == ["a", "AAPL", "m"]
    assert panel.leave_out("AAPL") == ["a", "v", "v", "m"]
    assert panel.leave_out("All of AAPL") == ["m"]
    assert panel.leave_out("Tag income", "m") == ["AAPL"]
    assert "3 of 4 positions left out." in panel.said


def test_a_search_covers_ids_tags_and_symbols(panel: Panel) -> None:
    """Every typed word must occur; a search without a hit says so and leaves nothing out."""
    assert panel.leave_out("c00260") == ["a", "AAPL", "m"]
    assert panel.leave_out("aapl dec") == ["a", "AAPL", "m"]
    assert panel.leave_out("dec nothing") == ["a", "v", "v", "AAPL", "m"]
    assert "“dec nothing” matches no position here." in panel.said
    assert "0 of 4 positions left out." in panel.said


def test_curves_start_at_the_remaining_positions_profit(panel: Panel) -> None:
    """P/L Open of the remaining positions is known, because whole positions are left out."""
    panel.leave_out()
    assert panel.test.session_state["base"] == pytest.approx(panel.view.totals.open_pnl.value)
    panel.leave_out("All of AAPL")
    assert panel.test.session_state["base"] == pytest.approx(720.0)
    panel.leave_out("m", "AAPL", "a")
    assert panel.test.session_state["base"] == pytest.approx(300.0)


def test_an_unknown_profit_counts_only_if_its_position_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an unpriced position, the curves count P/L from now on, unless that position is left out."""
    panel = Panel(monkeypatch, single(), single(id="u", strike=999.0))
    panel.leave_out()
    assert panel.test.session_state["base"] is None
    panel.leave_out("u")
    assert panel.test.session_state["base"] == pytest.approx(1980.0)


def test_with_everything_left_out_nothing_is_computed(panel: Panel) -> None:
    """Without a position there are no curves and no grid, only the number of positions left out."""
    assert panel.leave_out("All of AAPL", "All of MSFT") is None
    assert "4 of 4 positions left out." in panel.said


def test_a_large_portfolio_lists_no_single_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 101 positions on, only underlyings and tags are listed; a position is found by its id."""
    many = [single(id=f"p{number}", tag=["t"]) for number in range(100)]
    assert "p7" in Panel(monkeypatch, *many).options
    panel = Panel(monkeypatch, *many, EquityPosition(id="m", symbol="MSFT", shares=10, cost_basis=200.0))
    assert panel.options == ["All of AAPL", "All of MSFT", "Tag t"]
    kept = panel.leave_out("p77")
    assert kept is not None
    assert len(kept) == 100
    assert "p77" not in kept
