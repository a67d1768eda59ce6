"""The charts' data: thinned curves with fills on them, payoffs, and readable colours."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.charts import charts, pnl_charts
from apps.streamlit.components.charts.chart_data import (
    curve_points,
    curve_rows,
    curve_table,
    fill_points,
    payoff_table,
    thin,
)
from apps.streamlit.components.charts.charts import curve_spec, draw, payoff_spec
from apps.streamlit.components.charts.palette import DARK, LIGHT
from options_helper.analysis.history.curve import CurveRecorder
from options_helper.analysis.risk.what_if.curves import RiskCurve
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.models import EquityPosition, Position

NEW_YORK = ZoneInfo("America/New_York")
NOON = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)


def _curve(*values: float | None) -> Any:
    recorder = CurveRecorder(["a"], spacing_seconds=5, max_points=100)
    for number, value in enumerate(values):
        recorder.add(NOON + dt.timedelta(seconds=5 * number), {"a": value})
    return recorder.curve()


def _fill(second: float) -> Any:
    at = NOON + dt.timedelta(seconds=second)
    return SimpleNamespace(
        at=at, kind="single", side="buy", intent=None, symbol="AAPL", quantity=1, price=2.0
    )


def test_a_curves_times_follow_the_readers_clock() -> None:
    """Charts draw the times unchanged, so no browser shifts them."""
    points = curve_points(_curve(1.0, None, 3.0), "a", NEW_YORK)
    assert points["time"].tolist()[0] == dt.datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 - a wall clock
    assert points["value"].isna().tolist() == [False, True, False]


@given(st.lists(st.one_of(st.just(math.nan), st.floats(-1e6, 1e6)), max_size=300), st.integers(1, 50))
def test_thinning_keeps_the_end_the_bound_and_every_gap(values: list[float], limit: int) -> None:
    """There are never more points than the limit, and neighbours with a gap become a gap."""
    times = np.arange(len(values), dtype=np.int64)
    thin_times, thin_values = thin(times, np.array(values), limit)
    assert len(thin_times) == len(thin_values) <= limit
    if values:
        assert thin_times[-1] == times[-1]
        assert np.isnan(thin_values).any() == np.isnan(values).any()


def test_fills_are_marked_on_the_curve_as_it_was_then() -> None:
    """A fill in a gap is at the last value before the gap; a fill before the first point is left out."""
    points = fill_points(
        [_fill(-1), _fill(2.5), _fill(7), _fill(12), _fill(99)],
        _curve(1.0, 2.0, None, 4.0),
        "a",
        NEW_YORK,
    )
    assert points["value"].tolist() == [1.5, 2.0, 2.0, 4.0]
    assert points["text"].tolist()[0] == "buy AAPL 1 @ 2.00"
    assert fill_points([_fill(7)], _curve(), "a", NEW_YORK).empty
    assert fill_points([_fill(7)], _curve(1.0), "unknown", NEW_YORK).empty


def test_a_curve_and_its_fills_are_one_table() -> None:
    """Points are distinguished by kind, so that the chart's specification never changes."""
    curve = _curve(1.0, 2.0)
    points = curve_points(curve, "a", NEW_YORK)
    assert curve_table(points)["kind"].tolist() == ["curve"] * 2
    table = curve_table(points, fill_points([_fill(6)], curve, "a", NEW_YORK))
    assert table["kind"].tolist() == ["curve", "curve", "fill"]
    assert curve_table(points, fill_points([], curve, "a", NEW_YORK))["kind"].tolist() == ["curve"] * 2


CALL = Position(
    id="c",
    symbol="AAPL",
    option_type="call",
    expiry=dt.date(2026, 12, 18),
    strike=250,
    contracts=1,
    cost_basis=10,
)


def test_a_payoffs_corners_zeros_and_spot_are_in_the_chart() -> None:
    """Gain and loss are on the two sides of zero, and the current price is a separate row."""
    structure = describe_structure(CALL)
    assert structure.payoff is not None
    table = payoff_table(structure.payoff, [250.0], structure.break_evens, 300.0)
    payoff = table[table["kind"] == "payoff"]
    prices = payoff["price"].tolist()
    assert {250.0, 260.0} <= set(prices)
    assert (prices[0] < 250, prices[-1] > 300) == (True, True)
    assert (payoff["gain"] + payoff["loss"]).tolist() == payoff["value"].tolist()
    assert table[table["kind"] == "spot"]["text"].tolist() == ["spot 300.00"]
    assert "spot" not in payoff_table(structure.payoff, [250.0], structure.break_evens, None)["kind"].tolist()


def test_gain_and_loss_of_a_modelled_curve_meet_at_its_break_evens() -> None:
    """Between two points with different signs there is one at zero, so the two areas do not overlap."""
    curve = RiskCurve(1.0, np.array([90.0, 100.0, 110.0]), np.array([-5.0, -1.0, 3.0]), (102.5,))
    rows = curve_rows(curve, "payoff")
    assert rows["price"].tolist() == [90, 100, 102.5, 110]
    assert rows["gain"].tolist() == [0, 0, 0, 3]
    assert rows["loss"].tolist() == [-5, -1, 0, 0]


def test_the_days_curve_scales_to_its_values() -> None:
    """The axis does not start at zero, and there is no filled area."""
    spec = curve_spec(height=100, money=True)
    assert spec["encoding"]["y"]["scale"] == {"zero": False}
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["line", "point"]


@pytest.mark.parametrize(("count", "words"), [(30, []), (31, ["The newest 30 of 31 fills are marked."])])
def test_thirty_fills_are_marked_and_the_others_counted(
    count: int, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest fills of this underlying are marked; those from before the curve are not counted."""
    drawn: list[Any] = []
    said: list[str] = []
    monkeypatch.setattr(pnl_charts, "draw", lambda table, *_spec, **_more: drawn.append(table))
    monkeypatch.setattr(pnl_charts, "say", said.append)
    other = SimpleNamespace(**(vars(_fill(1)) | {"symbol": "MSFT"}))
    fills = [other, *(_fill(count - number) for number in range(count)), _fill(-5)]
    curve = dataclasses.replace(_curve(*range(20)), columns=("AAPL",))
    pnl_charts.render_portfolio_curve(SimpleNamespace(pnl=curve), fills, zone=NEW_YORK, key="a", name="AAPL")  # type: ignore[arg-type] # a view's only part that is read
    assert said == words
    marks = drawn[0][drawn[0]["kind"] == "fill"]
    assert len(marks) == 30
    assert marks["time"].max() == dt.datetime(2026, 11, 20, 12, 0, count)  # noqa: DTZ001 - a wall clock


def test_shares_have_a_payoff_too() -> None:
    """Shares have a straight line through their cost."""
    shares = EquityPosition(id="s", symbol="SPY", shares=10, cost_basis=600)
    structure = describe_structure(shares)
    assert structure.payoff is not None
    table = payoff_table(structure.payoff, [600.0], structure.break_evens, 610.0)
    assert table["value"].min() < 0 < table["value"].max()


@pytest.mark.parametrize(
    "spec",
    [
        curve_spec(height=100, money=True),
        curve_spec(height=100, money=False),
        payoff_spec(height=100),
    ],
)
def test_a_refresh_moves_the_marks_that_stand(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points have a key, because Vega would otherwise keep the points of every refresh."""
    drawn: list[Any] = []
    monkeypatch.setattr(charts.st, "vega_lite_chart", lambda data, *_spec, **_more: drawn.append(data))
    curve = curve_points(_curve(1.0, 2.0), "a", NEW_YORK)
    fills = fill_points([_fill(2), _fill(2)], _curve(1.0, 2.0), "a", NEW_YORK)
    draw(curve_table(curve, fills), spec, key="a", words="")
    assert drawn[0]["row"].tolist() == [0, 1, 2, 3]
    for layer in spec["layer"]:
        key = (spec["encoding"] | layer.get("encoding", {})).get("key")
        assert key == ({"field": "row"} if _kind(layer) == "point" else None)


def _kind(layer: Any) -> str:
    kind: str = layer["mark"]["type"]
    return kind


@pytest.mark.parametrize(("money", "step"), [(True, 1), (False, 0.01)])
def test_no_two_ticks_have_the_same_label(*, money: bool, step: float) -> None:
    """Neighbouring ticks differ by at least one in the last digit of their labels."""
    assert curve_spec(height=100, money=money)["encoding"]["y"]["axis"]["tickMinStep"] == step


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("palette", "page"), [(LIGHT, "#ffffff"), (DARK, "#1a1917"), (DARK, "#0e1117")])
def test_chart_colours_stand_out_from_the_page(palette: Any, page: str) -> None:
    """Lines, bars and marks have a contrast of 3 : 1 and texts 4.5 : 1 (WCAG AA) in both themes."""
    colours = dataclasses.asdict(palette)
    assert all(_contrast(colours[name], page) >= 3.0 for name in ("line", "gain", "loss", "mark"))
    assert all(_contrast(colours[name], page) >= 4.5 for name in ("text", "mark"))


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("BRK.B", ["BRKB261218C00500000", "BRK.B"]),
        ("SPX", ["SPXW261218P06000000"]),
        ("CSGP", ["CSGP1261218P00001000"]),
    ],
)
def test_a_curve_shows_the_fills_of_its_underlying(
    monkeypatch: pytest.MonkeyPatch, name: str, symbols: list[str]
) -> None:
    """Share classes, index roots and adjusted roots belong to the curve of their underlying."""
    recorder = CurveRecorder(["", name], spacing_seconds=5, max_points=100)
    for number in range(3):
        at = NOON + dt.timedelta(seconds=5 * number)
        recorder.add(at, {"": 1.0, name: float(number)})
    drawn: list[Any] = []
    monkeypatch.setattr(pnl_charts, "draw", lambda data, *_args, **_more: drawn.append(data))
    fills = [SimpleNamespace(**{**vars(_fill(5)), "symbol": symbol}) for symbol in [*symbols, "AAPL"]]
    view: Any = SimpleNamespace(pnl=recorder.curve())
    pnl_charts.render_portfolio_curve(view, fills, zone=NEW_YORK, key="curve", name=name)  # type: ignore[arg-type]  # stand-ins
    assert (drawn[0]["kind"] == "fill").sum() == len(symbols)


def _view_of(*values: float, seconds: int = 0) -> Any:
    """Return a stand-in for a monitor's view, with the only parts that are read."""
    return SimpleNamespace(pnl=_curve(*values), as_of=NOON + dt.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ((1.0, 2.0), (1.0, 2.0, 2.0), False),
        ((1.0, 2.0, 3.0), (1.0, 2.001, 3.0), False),
        ((1.0, 2.0, 3.0), (1.0, 2.1, 3.0), True),
        ((1.0, 2.0), (1.0, 2.5), True),
        ((1.0, 2.0), (1.0, 2.0, 1.5), True),
        ((1.0, 2.0), (1.0, 2.0, math.nan), True),
        ((2.0,), (2.0, 2.0), True),
        ((2.0, 2.0), (2.0, 2.0, 2.0), False),
        ((math.nan,), (2.0,), True),
    ],
)
def test_a_curve_is_drawn_again_if_it_moves_by_a_pixel(
    before: tuple[float, ...], after: tuple[float, ...], *, differs: bool
) -> None:
    """A flat end is redrawn once a minute, but a new point, a gap or a different range is drawn at once."""
    looks = [pnl_charts.describe_curve(_view_of(*values), "a", 0) for values in (before, after)]
    assert (looks[0] != looks[1]) == differs
    later = pnl_charts.describe_curve(_view_of(*before, seconds=60), "a", 0)
    assert later != looks[0]
    assert pnl_charts.describe_curve(_view_of(*before), "a", 1) != looks[0]


def test_bars_share_one_zero_line() -> None:
    """A loss ends where a gain begins, lengths are to scale, and the words have the sign."""
    html = pnl_charts.bars_html([("A&B", -50.0), ("C", 150.0), ("D", 0.0)])
    shape = re.findall(r'class="(is-\w+)" style="--from:([\d.]+)%;--size:([\d.]+)%"', html)
    assert shape == [("is-loss", "0.0", "25.0"), ("is-gain", "25.0", "75.0"), ("is-gain", "25.0", "0.0")]
    words = re.sub(r"<[^>]*>", " ", html).split()
    assert words == ["A&amp;B", "\N{MINUS SIGN}$50", "C", "+$150", "D", "$0"]
    assert pnl_charts.bars_html([]) == ""
