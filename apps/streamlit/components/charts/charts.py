"""Charts as Vega-Lite specifications, which Streamlit draws without another import on the server.

The specifications do not change with the figures, so a refresh moves the marks of the existing chart.
Whatever a colour means is also shown by a sign, by the side of the zero line, or in words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from apps.streamlit.components.charts.palette import Palette, palette
from apps.streamlit.components.plain_text import in_markdown
from options_helper.analysis.text.figures import MINUS

Spec = dict[str, Any]

_ROW = "row"
_KEY = {"field": _ROW}  # not for lines or areas, because Vega-Lite would draw a line per key
_GAPS = "break-paths-show-domains"


def draw(data: pd.DataFrame, spec: Spec, *, key: str, words: str) -> None:
    """Draw a chart; `key` keeps its node across refreshes, and `words` describe it to a screen reader."""
    st.vega_lite_chart(row_numbers(data), spec, key=key, width="stretch", alt=words)


def row_numbers(data: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose points are identified by their row number.

    Without it, each refresh would create new ones, and Vega keeps the old ones until there are ten thousand.
    """
    return data.assign(**{_ROW: np.arange(len(data), dtype=np.int32)})


def say(words: str) -> None:
    """Draw a quiet line of text; Streamlit's own caption is too pale to read."""
    st.markdown(f":small[:gray[{in_markdown(words)}]]")


def curve_spec(*, height: int, money: bool, seconds: bool = False) -> Spec:
    """Return the specification of a day's curve with its gaps and the fills on it.

    The table has `time`, `value`, `kind` ("curve" or "fill") and `text`.

    Args:
        height: Pixels.
        money: Whole dollars on the axis, else prices.
        seconds: Show seconds on the time axis, for a short curve.
    """
    colours = palette()
    time = {
        "field": "time",
        "type": "temporal",
        "title": None,
        "axis": {
            "format": "%H:%M:%S" if seconds else "%H:%M",
            "grid": False,
            "tickCount": 5,
            "labelOverlap": True,
        },
    }
    value = {
        "field": "value",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False},
        "axis": _dollar_axis(decimals=0 if money else 2),
    }
    line = {"type": "line", "color": colours.line, "strokeWidth": 1.6, "invalid": _GAPS}
    on_curve = [{"filter": "datum.kind === 'curve'"}]
    layers = [{"transform": on_curve, "mark": line}, _fill_marks(colours)]
    return finished({"encoding": {"x": time, "y": value}, "layer": layers}, colours, height)


def _fill_marks(colours: Palette) -> Spec:
    return {
        "transform": [{"filter": "datum.kind === 'fill'"}],
        "mark": {
            "type": "point",
            "shape": "diamond",
            "size": 70,
            "filled": True,
            "color": colours.mark,
            "opacity": 1,
            "aria": False,
        },
        "encoding": {
            "key": _KEY,
            "tooltip": [
                _tooltip("time", "temporal", "Fill", "%H:%M:%S"),
                _tooltip("text", "nominal", "What"),
            ],
        },
    }


_PRICE_TOOLTIP: Spec = {"field": "price", "type": "quantitative", "title": "Price", "format": "$,.2f"}
_MODEL_LINES = (("today", [6, 3]), ("date", [2, 3]))
_PRICE_AXIS: Spec = {
    "field": "price",
    "type": "quantitative",
    "title": None,
    "scale": {"zero": False, "nice": False},
    "axis": {
        "labelExpr": "'$' + format(datum.value, ',')",
        "grid": False,
        "tickCount": 7,
        "labelOverlap": True,
    },
}


def payoff_spec(*, height: int, by_model: bool = False, moves: bool = False) -> Spec:
    """Return the specification of P/L at expiry: gain above zero, loss below, a dashed line at the spot.

    The table has `kind` "payoff" with `price, value, gain, loss`, "today" and "date" with the model's `price`
    and `value` before expiry, and "spot" with `price` and `text`.

    Args:
        height: Pixels.
        by_model: The model values "payoff" too, because a leg expires later; its line is then dashed.
        moves: `price` is a move as a fraction instead of dollars.
    """
    colours = palette()
    payoff = [{"filter": "datum.kind === 'payoff'"}]
    axis = _dollar_axis(decimals=0)

    def part(field: str, mark: Spec, **more: Spec | list[Spec]) -> Spec:
        y = {"field": field, "type": "quantitative", "title": None, "axis": axis}
        return {"transform": payoff, "mark": mark, "encoding": {"y": y, **more}}

    place = _tooltip("price", "quantitative", "Move", "+.1%") if moves else _PRICE_TOOLTIP
    tooltip = [place, _tooltip("value", "quantitative", "P/L", "$,.0f")]
    line: Spec = {"type": "line", "color": colours.line, "strokeWidth": 1.6}
    if by_model:
        line["strokeDash"] = [10, 4]
    x = _PRICE_AXIS | {"axis": _PRICE_AXIS["axis"] | {"labelExpr": "format(datum.value, '+.0%')"}}
    layers = [
        part("gain", {"type": "area", "color": colours.gain, "opacity": 0.28}),
        part("loss", {"type": "area", "color": colours.loss, "opacity": 0.28}),
        part("value", line, tooltip=tooltip),
        *(_model_line(kind, dash, colours, axis, tooltip) for kind, dash in _MODEL_LINES),
        *_spot_layers(colours),
    ]
    return finished({"encoding": {"x": x if moves else _PRICE_AXIS}, "layer": layers}, colours, height)


def _model_line(kind: str, dash: list[int], colours: Palette, axis: Spec, tooltip: list[Spec]) -> Spec:
    """Return the layer of P/L at one date before expiry."""
    return {
        "transform": [{"filter": f"datum.kind === '{kind}'"}],
        "mark": {
            "type": "line",
            "color": colours.text,
            "strokeWidth": 1.6,
            "strokeDash": dash,
            "aria": False,  # the chart's alt text describes it
        },
        "encoding": {
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": axis},
            "tooltip": tooltip,
        },
    }


def _spot_layers(colours: Palette) -> list[Spec]:
    spot = [{"filter": "datum.kind === 'spot'"}]
    return [
        {
            "transform": spot,
            "mark": {
                "type": "rule",
                "color": colours.mark,
                "strokeDash": [4, 3],
                "strokeWidth": 1.4,
                "aria": False,  # its text says the same
            },
        },
        {
            "transform": spot,
            "mark": {"type": "text", "color": colours.mark, "align": "left", "dx": 6, "dy": -8},
            "encoding": {"y": {"value": "height"}, "text": {"field": "text", "type": "nominal"}},
        },
    ]


def _tooltip(field: str, kind: str, title: str, style: str | None = None) -> Spec:
    tooltip = {"field": field, "type": kind, "title": title}
    return tooltip | {"format": style} if style else tooltip


def _dollar_axis(*, decimals: int) -> Spec:
    style = f"',.{decimals}f'"
    words = (
        f"datum.value < 0 ? '{MINUS}$' + format(-datum.value, {style}) : '$' + format(datum.value, {style})"
    )
    return {
        "labelExpr": words,
        "tickCount": 4,
        "tickMinStep": 10**-decimals,  # or two ticks would have the same label
        "ticks": False,
        "domain": False,
        "labelOverlap": True,
    }


def finished(spec: Spec, colours: Palette, height: int) -> Spec:
    """Return a specification with what all charts have in common."""
    axis = {"gridColor": colours.grid, "labelColor": colours.text, "labelFontSize": 11}
    config = {"view": {"stroke": None}, "axis": axis, "background": "transparent"}
    return {
        **spec,
        "height": height,
        "padding": {"left": 0, "right": 4, "top": 4, "bottom": 0},
        "config": config,
    }
