"""The fills, rejected orders and option events that alerts watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from options_helper.analysis.alerts.records import AlertFill
from options_helper.analysis.alerts.rules import AlertMetric
from options_helper.analysis.fills.by_position import positions_by_symbol
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.option_events import OptionEventType
from options_helper.analysis.fills.records import Execution, OrderTimeline
from options_helper.analysis.fills.words import order_name, trade_words
from options_helper.analysis.osi import normalize_underlying
from options_helper.models import Portfolio

Held = Mapping[str, frozenset[str]]
_TAKEN_AWAY = frozenset({OptionEventType.ASSIGNMENT, OptionEventType.EXERCISE})
_REJECTED = "rejected"


def watch_fills(portfolio: Portfolio, day: FillDay) -> tuple[AlertFill, ...]:
    """Return the day's executions, newest first, then rejected orders, assignments and exercises.

    The lines of multi-leg orders and busted executions are left out. Alpaca reports an assignment hours
    later, so assignments and exercises of the last days are included.
    """
    held = positions_by_symbol(portfolio)
    fills = (_fill(one, held) for one in day.leaf_fills if not one.busted)
    return (*fills, *_rejected_orders(day, held), *_assignments(day, held))


def _fill(one: Execution, held: Held) -> AlertFill:
    return AlertFill(key=one.key, at=one.at, positions=_of(one.symbol, held), text=trade_words(one))


def _rejected_orders(day: FillDay, held: Held) -> Iterator[AlertFill]:
    for order in day.orders:
        if order.status == _REJECTED:
            positions = frozenset().union(*(_of(symbol, held) for symbol in _symbols(order)))
            reason = f": {order.reject_reason}" if order.reject_reason else ""
            yield AlertFill(
                key=f"{_REJECTED} {order.order_id}",
                at=order.changed_at,
                positions=positions,
                text=f"{order_name(order)}{reason}",
                metric=AlertMetric.ORDER_REJECTED,
            )


def _symbols(order: OrderTimeline) -> list[str]:
    return [order.symbol, *(leg.symbol for leg in order.legs)]


def _assignments(day: FillDay, held: Held) -> Iterator[AlertFill]:
    for event in (*day.events, *day.earlier_events):
        if event.type in _TAKEN_AWAY:
            yield AlertFill(
                key=f"{event.type} {event.activity_id or (event.date, event.symbol, event.quantity)}",
                at=event.at,
                positions=_of(event.symbol, held),
                text=event.words,
                metric=AlertMetric.ASSIGNMENT,
                has_time=event.booked_at is not None,
            )


def _of(symbol: str, held: Held) -> frozenset[str]:
    return held.get(normalize_underlying(symbol), frozenset())
