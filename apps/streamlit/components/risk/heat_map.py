"""A grid of scenarios as a shaded table of numbers, and as CSV."""

from __future__ import annotations

import math

import numpy as np

from apps.streamlit.components.plain_text import in_html
from options_helper.analysis.risk.what_if.scenarios import Scenario, format_change, scenario_rows
from options_helper.analysis.text.csv_cells import write_csv
from options_helper.analysis.text.figures import MISSING, format_pnl

_MOST_SHADE = 42  # percent of the colour; the text keeps its contrast


def heat_map_html(scenario: Scenario, label: str, note: str = "") -> str:
    """Return the grid as a table, and in words its worst cell and a note; no fact is in the shades alone."""
    heads = "".join(f'<th scope="col">{in_html(scenario.day_words(day))}</th>' for day in scenario.days)
    sign = "" if scenario.is_whole else " *"
    largest = float(np.nanmax(np.abs(scenario.pnl), initial=0.0))
    rows = "".join(
        f'<tr><th scope="row">{in_html(format_change(change))}</th>'
        + "".join(_cell(float(value), largest, sign) for value in values)
        + "</tr>"
        for change, values in zip(scenario.changes, scenario.pnl, strict=True)
    )
    words = " \u00b7 ".join(part for part in (scenario.worst_words, note) if part)
    partly = "" if scenario.is_whole else f"* Covers {scenario.coverage}. "
    return (
        f'<div class="oh-scroll" tabindex="0" role="region" aria-label="{in_html(label)}">'
        f'<table class="oh-sums oh-heat"><thead><tr><td>{in_html(scenario.name)}</td>{heads}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="oh-more">{in_html(partly + words)}</p>'
    )


def scenario_csv(scenario: Scenario) -> str:
    """Return the grid as CSV, one line per cell."""
    rows = scenario_rows(scenario)
    return write_csv(tuple(rows[0]) if rows else (), rows)


def _cell(value: float, largest: float, sign: str) -> str:
    if math.isnan(value):
        return f"<td>{MISSING}</td>"
    shade = round(_MOST_SHADE * abs(value) / largest) if largest else 0
    kind = "is-gain" if value > 0 else "is-loss" if value < 0 else ""
    return f'<td class="{kind}" style="--shade: {shade}%">{in_html(format_pnl(value) + sign)}</td>'
