"""The page's sentences about executions and orders, one line each."""

from __future__ import annotations

from options_helper.analysis.fills.records import Execution, OrderTimeline
from options_helper.analysis.fills.words import event_detail, execution_notes
from options_helper.analysis.text.order_words import event_words


def note(one: Execution) -> str:
    """Return everything special about an execution."""
    return " · ".join(execution_notes(one))


def steps_words(order: OrderTimeline) -> str:
    """Return an order's steps: `new → partial fill → canceled`."""
    return " → ".join(event_words(step.event) for step in order.steps)


def details(order: OrderTimeline) -> list[str]:
    """Return the details of an order's steps."""
    return [event_detail(step, order) for step in order.steps]
