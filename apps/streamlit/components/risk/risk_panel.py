"""The portfolio's Greeks as a tile under the totals, and their sums by underlying, expiry and tag."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.positions.table.records import Record, plain_records
from apps.streamlit.components.view.page_view import NEIGHBOURS_KEY, take_again
from apps.streamlit.components.view.redraw import redraw_all
from options_helper.analysis.risk.words import (
    coverage_words,
    format_gamma,
    format_shares,
    input_words,
    missing_words,
    total_of,
    total_words,
)
from options_helper.analysis.text.figures import MISSING, format_pnl
from options_helper.analysis.text.wording import format_day

if TYPE_CHECKING:
    from options_helper.analysis.risk import LiveRisk

OPENED_RISK = "live-risk-sums"  # the expander's key
_HEADS = ("Delta", "β-Δ", "Gamma", "Theta / day", "Vega / pt", "Rho / pt", "$ Delta", "$ Gamma 1 %", "Legs")
_MEANING = (
    "Signed by position. Delta in shares; β-Δ in shares of the benchmark; gamma in shares per "
    "dollar; theta in dollars per calendar day; vega and rho in dollars per point; $ delta is "
    "delta times the price; $ gamma 1 % is the change in $ delta if the price rises 1 %."
)


def render_risk_tile(risk: LiveRisk) -> None:
    """Draw the sums over the portfolio, with their coverage and what is missing."""
    with st.container(key="live-risk", gap="xsmall"):
        st.html(f'<h2 class="oh-hidden">Risk</h2>{tile_html(risk)}')


@lru_cache(maxsize=4)  # all tabs show the same
def tile_html(risk: LiveRisk) -> str:
    """Return the tile; each figure stays on one line with its unit."""
    missing = missing_words(risk)
    parts = "".join(f"<b>{in_html(part)}</b> " for part in total_words(risk).split(" · "))
    more = f"<small>{in_html(missing)}</small>" if missing else ""
    return f'<div class="oh-tile"><span>Risk</span> {parts}{more}</div>'


def render_risk_sums(risk: LiveRisk, rate_problem: str) -> None:
    """Draw an expander with the sums by underlying, expiry and tag, and the switch for modelled figures."""
    opened = st.expander("Risk by underlying, expiry and tag", key=OPENED_RISK, on_change="rerun")
    with opened:
        if opened.open:
            st.html(sums_html(risk, rate_problem))
        # Drawn while collapsed too, because Streamlit forgets the state of a switch that is not drawn.
        st.toggle(
            "For strikes without an honest mark, model the volatility from neighbouring strikes",
            key=NEIGHBOURS_KEY,
            on_change=_model_anew,
            help="Interpolates a strike's missing volatility between the two nearest strikes of its expiry "
            "that have one. The figure is marked as modelled, and so is every sum that includes it.",
        )


def _model_anew() -> None:
    take_again()
    redraw_all()


@lru_cache(maxsize=4)  # all tabs show the same
def sums_html(risk: LiveRisk, rate_problem: str = "") -> str:
    """Return the tables of sums, including the portfolio's, and the model's inputs in words."""
    by_symbol = ((row["symbol"], row) for row in plain_records(risk.underlyings))
    by_expiry = (
        ("Shares" if row["expiry"] is None else format_day(row["expiry"]), row)
        for row in plain_records(risk.expiries)
    )
    by_tag = [(row["tag"], row) for row in plain_records(risk.tags)]
    whole = total_of(risk)
    problem = f"{rate_problem} " if rate_problem else ""
    return (
        _table("Risk by underlying", [*by_symbol, ("All", whole)])
        + _table("Risk by expiry", by_expiry)
        + (_table("Risk by tag", by_tag) if by_tag else "")
        + f'<p class="oh-quiet">{in_html(problem + input_words(risk))}. {in_html(_MEANING)}</p>'
    )


def _table(name: str, rows: Iterable[tuple[str, Record]]) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    lines = "".join(f'<tr><th scope="row">{in_html(label)}</th>{_cells(row)}</tr>' for label, row in rows)
    return (
        f'<div class="oh-scroll" tabindex="0" role="region" aria-label="{name}"><table class="oh-sums">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(row: Record) -> str:
    if not row["covered_legs"]:
        texts = [MISSING] * (len(_HEADS) - 1)
    else:
        texts = [
            format_shares(row["delta"]),
            _beta_delta(row),
            format_gamma(row["gamma"]),
            *(format_pnl(row[name]) for name in ("theta", "vega", "rho", "dollar_delta", "dollar_gamma")),
        ]
    return "".join(f"<td>{in_html(text)}</td>" for text in [*texts, coverage_words(row)])


def _beta_delta(row: Record) -> str:
    """Return the beta-weighted delta, with its coverage if it covers fewer legs than the other sums."""
    delta, covered = row["beta_delta"], row["beta_covered_legs"]
    text = format_shares(math.nan if delta is None else delta)
    return text if covered in {0, row["covered_legs"]} else f"{text} ({covered:,} of {row['legs']:,})"
