"""What one more order update costs on a busy day: the book of fills, and which positions they touch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from statistics import median

from feed import order_update
from portal import portfolio
from report import Figure
from timing import in_turns

from options_helper.analysis.fills.by_position import fills_for_portfolio
from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.data.streaming.trading_normalizers import normalize_trade_update
from options_helper.models import Portfolio

_POSITIONS = 250


def measure(*, quick: bool) -> Iterator[Figure]:
    """The next update after so many fills, against the same by a book that knows nothing yet."""
    for fills in (200, 2000):
        following, anew = in_turns(list(_ways(fills)), 10 if quick else 40)
        yield Figure(f"order update after {fills} fills, {_POSITIONS} positions", median(following), "ms")
        yield Figure("the same with a new book", median(anew), "ms")


def _ways(fills: int) -> Iterator[Callable[[], object]]:
    held = Portfolio.model_validate(portfolio(_POSITIONS))
    rows = [normalize_trade_update(order_update(number)["data"]) for number in range(fills, 0, -1)]
    known = [row for row in rows if row is not None]
    builder = FillDayBuilder()

    def facts(book: FillDay) -> object:
        return fills_for_portfolio(book, held, dt.datetime.now(dt.UTC))

    def follow() -> object:
        known.insert(0, {**known[0], "order_id": f"next-{len(known)}"})
        return facts(builder.build(known))

    yield follow
    yield lambda: facts(FillDayBuilder().build(known))
