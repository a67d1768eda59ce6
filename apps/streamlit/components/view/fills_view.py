"""The day's fills beside the portfolio, built once per change and shared by every tab."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass

from options_helper.analysis.fills.by_position import PortfolioFills, fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.market import LiveSnapshot, StreamName, StreamState
from options_helper.models import Portfolio
from options_helper.times import new_york_date

_KEPT = 16


@dataclass(frozen=True, slots=True, eq=False)
class FillsView:
    """The book, and which of its fills touch which position.

    Attributes:
        known: Whether anything was asked of the fills yet; before Start there is nothing to claim.
        off: Whether the running streams leave the fills out.
        not_in_file: Keys of the executions whose contract the portfolio does not hold.
    """

    book: FillDay
    portfolio_fills: PortfolioFills
    known: bool
    off: bool
    not_in_file: frozenset[str]


_Sources = tuple[object, ...]
_views: dict[int, tuple[_Sources, FillsView]] = {}
_books = FillDayBuilder()  # of whatever streams there are: the rows are those of one account
_lock = threading.Lock()


def build_fills_view(portfolio: Portfolio, snapshot: LiveSnapshot, saved_at: dt.datetime | None) -> FillsView:
    """Return the day's fills; the same object until something new is known of them."""
    sources = (
        portfolio,
        snapshot.fills,
        snapshot.rest_fills,
        snapshot.rest_orders,
        snapshot.fill_gaps,
        snapshot.unreadable_rows,
        snapshot.option_events,
        snapshot.started_at,
        new_york_date(snapshot.as_of),
        _claimed_since(snapshot),
        _is_off(snapshot),
    )
    with _lock:
        kept = _views.get(id(portfolio))
        if kept is not None and kept[0] == sources:  # element by element, the same object at once
            return kept[1]
        view = _build(portfolio, snapshot, saved_at)
        while len(_views) >= _KEPT:
            del _views[next(iter(_views))]
        _views[id(portfolio)] = (sources, view)
        return view


def _build(portfolio: Portfolio, snapshot: LiveSnapshot, saved_at: dt.datetime | None) -> FillsView:
    book = _books.build_from(snapshot)
    facts = fills_for_portfolio(book, portfolio, saved_at)
    return FillsView(
        book=book,
        portfolio_fills=facts,
        known=snapshot.started_at is not None,
        off=_is_off(snapshot),
        not_in_file=frozenset(one.key for one in facts.not_in_file),
    )


def _claimed_since(snapshot: LiveSnapshot) -> dt.datetime | None:
    """Today's opening once it has passed; before it and without one None, the day's beginning."""
    opening = snapshot.session_open
    if opening is None or opening > snapshot.as_of:
        return None
    return opening if new_york_date(opening) == new_york_date(snapshot.as_of) else None


def _is_off(snapshot: LiveSnapshot) -> bool:
    state = snapshot.status_by_stream[StreamName.FILLS]
    is_idle = snapshot.started_at is not None and state == StreamState.NOT_STARTED
    return is_idle and not snapshot.fills and not snapshot.fill_gaps
