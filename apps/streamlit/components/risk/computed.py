"""Grids and curves of many legs, computed without holding up the page."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar, cast

import streamlit as st

from apps.streamlit.components.charts.charts import say
from apps.streamlit.components.risk.background import Background, Check
from apps.streamlit.components.view.page_view import NEIGHBOURS_KEY
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.risk.pricing.model import Model, PriceAll, PriceGrid
from options_helper.analysis.text.wording import format_time
from options_helper.market import LiveSnapshot
from options_helper.session.risk.solver_process import shared_process

T = TypeVar("T")

_BACKGROUND = "live-background"
_FEW_PRICES = 500  # are found at once: they take less time than anyone would notice
_PRICES_AT_ONCE = 1000  # so that other computations get their turn in the process
_REST_SECONDS = 0.005
_PATIENCE_SECONDS = 0.3
_OLDER_SECONDS = 3.0


class Work(NamedTuple):
    """A computation of some legs' figures.

    Attributes:
        key: The place on the page, which computes one thing at a time.
        risk: The legs' prices and volatilities.
        numbers: The indices of the legs.
        choices: The reader's other choices.
        prices: About how many prices are needed.
        what: The figures in words, such as `35 cells`.
    """

    key: str
    risk: LiveRisk
    numbers: Sequence[int]
    choices: tuple[object, ...]
    prices: int
    what: str

    @property
    def question(self) -> tuple[object, ...]:
        """Everything that the figures depend on, except prices."""
        terms = self.risk.terms
        held = terms.position_ids, terms.symbols, terms.quantity.tobytes()
        modelled = bool(st.session_state.get(NEIGHBOURS_KEY))
        return tuple(self.numbers), held, self.risk.rate, modelled, self.choices


def find(work: Work, compute: Callable[[PriceAll, T | None], T]) -> tuple[T, LiveSnapshot] | None:
    """Return a computation's newest result and the snapshot that it is from.

    A small one is computed at once. Without a result, draw a line that says why there are no figures, and
    return None.

    Args:
        work: What to compute.
        compute: Computes it, given the pricing function and the key's last result; called in another thread
            if there is much to do.
    """
    if work.prices <= _FEW_PRICES:
        forget(work.key)
        return compute(Model().price_all, None), work.risk.at
    answer = _background().ask(
        work.key,
        work.question,
        work.risk,
        lambda check, last: compute(partial(_price_in_turns, check), last),
        patience_seconds=_PATIENCE_SECONDS,
    )
    if answer is None:
        say(f"Computing {work.what}\N{HORIZONTAL ELLIPSIS}")
        return None
    if answer.failure:
        say(f"Could not compute {work.what}: {answer.failure}. The log has the cause.")
        st.button("Compute again", key=f"{work.key}-again", on_click=forget, args=(work.key,))
        return None
    return cast("T", answer.value), cast("LiveRisk", answer.source).at


def forget(key: str) -> None:
    """Drop a computation that is no longer shown."""
    _background().drop(key)


def describe_computed() -> int:
    """Return a number that changes when a computation has finished."""
    return _background().finished


def prices_of(at: LiveSnapshot, now: LiveSnapshot, zone: dt.tzinfo) -> str:
    """Return `from prices of 10:42:07` if the figures' prices are clearly older than the page's, else ""."""
    newest = min(now.as_of, now.stopped_at or now.as_of)  # after Stop no price is newer
    if (newest - at.as_of).total_seconds() <= _OLDER_SECONDS or at.version == now.version:
        return ""
    return f"from prices of {format_time(at.as_of, zone, now.as_of)}"


def _background() -> Background:
    background: Background = st.session_state.setdefault(_BACKGROUND, Background())
    return background


def _price_in_turns(check: Check, grids: Sequence[PriceGrid]) -> list[Sequence[float]]:
    """Return the prices of each grid; between slices of them, other computations get their turn."""
    prices: list[Sequence[float]] = []
    while len(prices) < len(grids):
        check()
        time.sleep(_REST_SECONDS)
        first = len(prices)
        size = max(1, _PRICES_AT_ONCE // len(grids[first].spots))
        prices += shared_process("grids").price_all(grids[first : first + size])
    return prices
