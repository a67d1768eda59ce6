"""The day's curve over a whole recording, with its fills and failures on it; a click chooses a time.

The curve reaches as far as the recording was played, because what follows is not computed yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from apps.streamlit.components.charts.chart_data import curve_points, wall_times
from apps.streamlit.components.charts.charts import Spec, finished, row_numbers
from apps.streamlit.components.charts.palette import palette
from options_helper.analysis.history.curve import Curve
from options_helper.analysis.history.observation import PORTFOLIO
from options_helper.recording.markers import Marker
from options_helper.times import from_microseconds, to_microseconds

_HEIGHT = 110
PLACES = 240  # times that a click can choose, besides the markers
_PICK = "pick"


def render_scrubber(
    curve: Curve | None,
    markers: Sequence[Marker],
    span: tuple[dt.datetime, dt.datetime],
    now: dt.datetime,
    *,
    zone: dt.tzinfo,
    key: str,
    take: Callable[[dt.datetime], object],
) -> None:
    """Draw the curve; a click calls `take` with a time.

    Args:
        curve: Open P/L as far as it is known.
        markers: The recording's fills and failures.
        span: The recording's beginning and end.
        now: The replay's time.
        zone: The reader's time zone.
        key: The chart's key.
        take: Called with the time that was clicked on.
    """
    places = [*_places(span), *(to_microseconds(marker.at) for marker in markers)]

    def note() -> None:
        for picked in st.session_state[key]["selection"].get(_PICK, []):
            at = from_microseconds(places[picked["row"]])
            if at is not None:
                take(at)

    st.vega_lite_chart(
        scrubber_table(curve, markers, places, now, zone),
        _spec(),
        key=key,
        width="stretch",
        alt="Open profit and loss over the recording; the slider and the list below it set the same time",
        on_select=note,
        selection_mode=_PICK,
    )


def _places(span: tuple[dt.datetime, dt.datetime]) -> list[int]:
    first, last = map(to_microseconds, span)
    return [int(each) for each in np.linspace(first, last, PLACES)]


def scrubber_table(
    curve: Curve | None, markers: Sequence[Marker], places: Sequence[int], now: dt.datetime, zone: dt.tzinfo
) -> pd.DataFrame:
    """Return one table: the places that a click can choose, markers last, then the time now and the curve."""
    kinds = ["place"] * (len(places) - len(markers)) + [
        "fill" if marker.is_fill else "failure" for marker in markers
    ]
    words = [""] * (len(places) - len(markers)) + [marker.words for marker in markers]
    times = wall_times(np.array([*places, to_microseconds(now)], dtype=np.int64), zone)
    parts = [pd.DataFrame({"time": times, "kind": [*kinds, "now"], "text": [*words, ""], "value": np.nan})]
    if curve is not None and len(curve.times):
        parts.append(curve_points(curve, PORTFOLIO, zone).assign(kind="curve", text=""))
    return row_numbers(pd.concat(parts, ignore_index=True))


def _spec() -> Spec:
    colours = palette()
    time: Spec = {
        "field": "time",
        "type": "temporal",
        "title": None,
        "scale": {"nice": False},
        "axis": {"format": "%H:%M:%S", "grid": False, "tickCount": 5, "labelOverlap": True},
    }
    value = {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": False}}
    layers = [
        {
            "transform": _only("curve"),
            "mark": {
                "type": "line",
                "color": colours.line,
                "strokeWidth": 1.6,
                "invalid": "break-paths-show-domains",
            },
            "encoding": {"y": value},
        },
        {
            "transform": _only("now"),
            "mark": {"type": "rule", "color": colours.text, "strokeWidth": 1.4, "aria": False},
        },
        _marks("fill", "diamond", colours.mark, "height - 7"),
        _marks("failure", "triangle-down", colours.loss, "7"),
        _choice(),
    ]
    return finished({"encoding": {"x": time}, "layer": layers}, colours, _HEIGHT)


def _only(*kinds: str) -> list[Spec]:
    return [{"filter": {"field": "kind", "oneOf": kinds}}]


def _marks(kind: str, shape: str, colour: str, y: str) -> Spec:
    mark = {
        "type": "point",
        "shape": shape,
        "size": 60,
        "filled": True,
        "color": colour,
        "opacity": 1,
        "aria": False,
    }
    return {
        "transform": _only(kind),
        "mark": mark,
        "encoding": {"y": {"value": {"expr": y}}, "key": {"field": "row"}},
    }


def _choice() -> Spec:
    """Return the layer, on top of all others, of invisible points; a click chooses the nearest one."""
    return {
        "transform": _only("place", "fill", "failure"),
        "params": [
            {"name": _PICK, "select": {"type": "point", "nearest": True, "on": "click", "fields": ["row"]}}
        ],
        "mark": {"type": "point", "opacity": 0, "aria": False},
        "encoding": {
            "y": {"value": {"expr": "height / 2"}},
            "key": {"field": "row"},
            "tooltip": [
                {"field": "time", "type": "temporal", "title": "Jump to", "format": "%H:%M:%S"},
                {"field": "text", "type": "nominal", "title": "What"},
            ],
        },
    }
