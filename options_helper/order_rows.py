"""The stable rows of orders: updates from the stream, and orders and executions from REST.

`data.streaming.trading_normalizers` builds them. Every row of an order has the fields of `OrderTerms` down to
`status`; any other key is present only if the source has the field, even if it is null. Numbers are floats or
None, words are lower case, and times are aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

QUANTITY_TOLERANCE = 1e-9  # sums of floats may be off by less


class OrderTerms(TypedDict, total=False):
    """The reported state of an order, or of one of its legs.

    `qty` is the order's whole quantity. The `limit_price` of a multi-leg order is net, negative for a credit.
    """

    order_id: str | None
    symbol: str | None
    side: str | None
    qty: float | None
    filled_qty: float | None
    filled_avg_price: float | None
    status: str | None

    type: str | None
    tif: str | None
    limit_price: float | None
    stop_price: float | None
    trail_percent: float | None
    trail_price: float | None
    notional: float | None
    order_class: str | None
    position_intent: str | None
    ratio_qty: float | None
    asset_class: str | None
    replaced_by: str | None
    replaces: str | None
    created_at: dt.datetime | None
    submitted_at: dt.datetime | None
    updated_at: dt.datetime | None
    filled_at: dt.datetime | None
    canceled_at: dt.datetime | None
    expired_at: dt.datetime | None
    failed_at: dt.datetime | None
    replaced_at: dt.datetime | None
    extended_hours: bool | None
    reject_reason: str | None


class LegExecution(TypedDict, total=False):
    """One leg's execution within an update of a multi-leg order."""

    execution_id: str | None
    previous_execution_id: str | None
    order_id: str | None
    symbol: str | None
    fill_qty: float | None
    fill_price: float | None
    timestamp: dt.datetime | None


class OrderRow(OrderTerms, total=False):
    """One order update, order or execution.

    `fill_qty`, `fill_price` and `position_qty` belong to this execution alone. `origin` is "live" or "rest".
    REST identifies an execution by `activity_id`, the stream by `execution_id`.
    """

    timestamp: dt.datetime
    received_at: dt.datetime
    event: str | None
    origin: str
    legs: Sequence[OrderTerms]
    leg_executions: Sequence[LegExecution]
    position_qtys: Mapping[str, float | None]
    execution_id: str | None
    previous_execution_id: str | None
    activity_id: str | None
    fill_qty: float | None
    fill_price: float | None
    position_qty: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class FillGap:
    """A span in which order updates may have been missed; `reason` says why it is still unconfirmed.

    `end` is None while the stream is down.
    """

    start: dt.datetime
    end: dt.datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableRows:
    """The number of fills and orders from REST that could not be read, and when the first was seen."""

    count: int = 0
    since: dt.datetime | None = None


NO_UNREADABLE_ROWS = UnreadableRows()
