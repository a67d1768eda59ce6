"""Orders and executions with exact figures, and the rows and updates that report them.

Field names: the schema `Order` of Alpaca's Trading API, and its "Websocket Streaming" page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.wire import JsonObject, Nanoseconds

ZERO = Decimal(0)
CLOSED_STATUSES = frozenset({"filled", "canceled", "expired", "rejected", "replaced", "done_for_day"})
_CENT = Decimal("0.01")
_TIME_FIELDS = ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at")
_NULLS = dict.fromkeys((*_TIME_FIELDS, "notional", "trail_percent", "trail_price", "hwm"))


@dataclass(frozen=True, slots=True)
class LegRequest:
    """One leg of a multi-leg order, with its ratio quantity."""

    symbol: str
    side: str
    ratio: int = 1
    intent: str = ""


@dataclass(slots=True, kw_only=True)
class Order:
    """A single order, a multi-leg order or a bracket, or one of their legs.

    Attributes:
        symbol, side, intent: Empty on a multi-leg parent.
        spent: The sum of quantity times price over its executions, for the average price.
        parent: The multi-leg order or bracket that this leg belongs to.
        times: Times by field name (`filled_at`, …).
    """

    id: str
    client_order_id: str
    symbol: str
    side: str
    intent: str
    qty: Decimal
    type: str
    limit_price: Decimal | None
    stop_price: Decimal | None = None
    time_in_force: str
    order_class: str
    created_at: Nanoseconds
    updated_at: Nanoseconds
    status: str = "new"
    filled_qty: Decimal = ZERO
    spent: Decimal = ZERO
    replaces: str | None = None
    replaced_by: str | None = None
    ratio: int | None = None
    parent: Order | None = None
    legs: list[Order] = field(default_factory=list)
    times: dict[str, Nanoseconds] = field(default_factory=dict)

    @property
    def is_spread(self) -> bool:
        """True for a multi-leg order and its legs; the legs of a bracket are separate orders."""
        return self.order_class == "mleg"

    @property
    def remaining(self) -> Decimal:
        """The unfilled quantity."""
        return self.qty - self.filled_qty

    def count(self, qty: Decimal, price: Decimal, at: Nanoseconds) -> None:
        """Count a fill."""
        self.filled_qty += qty
        self.spent += qty * price
        self.status = "partially_filled" if self.remaining else "filled"
        self.updated_at = self.times["filled_at"] = at

    @property
    def average(self) -> Decimal | None:
        """The average price of its executions."""
        return self.spent / self.filled_qty if self.filled_qty else None

    @property
    def closed(self) -> bool:
        """True if only a bust or a correction can still change it."""
        return self.status in CLOSED_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill of one order or leg, with exact figures.

    Attributes:
        execution_id: The stream's identifier; each leg of a multi-leg fill has its own.
        activity_id: REST's identifier.
        parent_id: The multi-leg order that a leg belongs to.
        cumulative, remaining: The order's filled and unfilled quantity after this execution.
        position_after: The signed position in the symbol after this execution.
        kind: "fill" or "partial_fill".
        busted: True if it was busted later.
    """

    execution_id: str
    activity_id: str
    order_id: str
    parent_id: str | None
    symbol: str
    side: str
    intent: str
    qty: Decimal
    price: Decimal
    cumulative: Decimal
    remaining: Decimal
    position_after: Decimal
    order_status: str
    kind: str
    at: Nanoseconds
    busted: bool = False


def text_of(value: Decimal | None) -> str | None:
    """Return a number as Alpaca writes it: plain digits, no trailing zeros, at most nine decimals."""
    if value is None:
        return None
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text if text not in {"", "-0"} else "0"


def to_cents(value: float | Decimal) -> Decimal:
    """Return a price rounded to whole cents."""
    return Decimal(str(value)).quantize(_CENT)


def order_row(order: Order, *, nested: bool = True, streamed: bool = False) -> JsonObject:
    """Return the order as REST or the stream reports it; `nested` puts the legs under their parent."""
    is_parent = order.is_spread and order.parent is None
    kind = "" if order.is_spread and order.parent else order.type
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": order.created_at.to_text(),
        "updated_at": order.updated_at.to_text(),
        "submitted_at": order.created_at.to_text(),
        **_NULLS,
        **{name: order.times[name].to_text() for name in _TIME_FIELDS if name in order.times},
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": "" if is_parent else asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "" if is_parent else asset_class(order.symbol),
        "qty": text_of(order.qty),
        "filled_qty": text_of(order.filled_qty),
        "filled_avg_price": text_of(order.average),
        "order_class": order.order_class,
        **dict.fromkeys(("order_type", "type"), kind),
        "side": "buy" if is_parent and streamed else order.side,
        "position_intent": order.intent,
        "time_in_force": order.time_in_force,
        "limit_price": text_of(order.limit_price),
        "stop_price": text_of(order.stop_price),
        "status": order.status,
        "extended_hours": False,
        "legs": [order_row(leg) for leg in order.legs] if order.legs and nested else None,
        **({} if order.ratio is None else {"ratio_qty": str(order.ratio)}),
    }


def net_price(parent: Order, prices: Sequence[Decimal]) -> Decimal:
    """Return the price of one unit of a spread, given its legs' prices; positive for a debit."""
    signed = (
        price * (leg.ratio or 1) * (1 if leg.side == "buy" else -1)
        for leg, price in zip(parent.legs, prices, strict=True)
    )
    return sum(signed, start=ZERO)


def asset_id(symbol: str) -> str:
    """Return the simulator's identifier of a stock or contract."""
    return str(uuid5(NAMESPACE_URL, symbol))


def asset_class(symbol: str) -> str:
    """Return Alpaca's asset class of a symbol."""
    return "us_equity" if parse_contract(symbol) is None else "us_option"


def activity_row(execution: Execution) -> JsonObject:
    """Return the FILL activity of an execution (schema `TradingActivities`)."""
    return {
        "activity_type": "FILL",
        "id": execution.activity_id,
        "cum_qty": text_of(execution.cumulative),
        "leaves_qty": text_of(execution.remaining),
        "order_id": execution.order_id,
        "order_status": execution.order_status,
        "price": text_of(execution.price),
        "qty": text_of(execution.qty),
        "side": "sell_short" if execution.intent == "sell_to_open" else execution.side,
        "symbol": execution.symbol,
        "transaction_time": execution.at.to_text(),
        "type": execution.kind,
    }


def execution_fields(order: Order, executed: Sequence[Execution]) -> JsonObject:
    """Return the fields of an update that describe its executions."""
    if not order.is_spread:
        [one] = executed
        return {"execution_id": one.execution_id, "position_qty": text_of(one.position_after)}
    return {
        "legs": [
            {
                "execution_id": one.execution_id,
                "order_id": one.order_id,
                "price": text_of(one.price),
                "qty": text_of(one.qty),
                "symbol": one.symbol,
                "timestamp": one.at.to_text(),
            }
            for one in executed
        ],
        "position_qtys": {one.symbol: text_of(one.position_after) for one in executed},
    }
