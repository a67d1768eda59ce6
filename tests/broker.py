"""A small broker for tests: it makes up days of orders, keeps its own ledger, and reports it twice.

It reports once as Alpaca's stream does and once as REST does; tests lose, repeat and shuffle its reports.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from options_helper.analysis.fills.day import FillDay, FillDayBuilder
from options_helper.analysis.fills.records import Execution
from options_helper.data.streaming.trading_normalizers import (
    normalize_rest_order,
    normalize_trade_update,
)
from tests.builders import rest_fill_row

OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)
SYMBOLS = ["AAPL261218C00250000", "AAPL261218C00260000", "BRKB261218P00500000", "SPY"]
Json = dict[str, Any]


def text(moment: dt.datetime) -> str:
    """Return a time as Alpaca writes it, with nanoseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


@dataclass
class BrokerOrder:
    """One order, leg or multi-leg order in the broker's ledger."""

    id: str
    symbol: str
    side: str
    qty: Decimal
    order_class: str = "simple"
    ratio: int | None = None
    legs: list[BrokerOrder] = field(default_factory=list)
    filled: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    status: str = "new"
    created: dt.datetime = OPEN
    updated: dt.datetime = OPEN
    ended: Json = field(default_factory=dict)
    decimals: int = 9
    replaces: str | None = None
    replaced_by: str | None = None

    def average(self) -> str | None:
        """The average price, rounded as this broker rounds."""
        return f"{self.spent / self.filled:.{self.decimals}f}" if self.filled else None

    def row(self) -> Json:
        """The order as REST and the stream report it."""
        return {
            "id": self.id,
            "symbol": self.symbol,
            "side": self.side,
            "qty": str(self.qty),
            "filled_qty": str(self.filled),
            "filled_avg_price": self.average(),
            "order_class": self.order_class,
            "ratio_qty": None if self.ratio is None else str(self.ratio),
            "status": self.status,
            "position_intent": f"{self.side}_to_open" if self.side else "",
            "replaces": self.replaces,
            "replaced_by": self.replaced_by,
            "submitted_at": text(self.created),
            "updated_at": text(self.updated),
            "legs": [leg.row() for leg in self.legs] or None,
            **self.ended,
        }


@dataclass
class Broker:
    """A broker that keeps a ledger and reports it as Alpaca's stream and REST do."""

    decimals: int = 9
    now: dt.datetime = OPEN
    orders: list[BrokerOrder] = field(default_factory=list)
    live: list[Json] = field(default_factory=list)
    activities: list[Json] = field(default_factory=list)
    ledger: list[tuple[str, Decimal, Decimal, Decimal]] = field(default_factory=list)
    history: list[tuple[int, list[Json]]] = field(default_factory=list)
    reported_in: dict[str, str] = field(default_factory=dict)

    def place(self, order: BrokerOrder) -> None:
        """Accept an order."""
        self.now += dt.timedelta(seconds=7)
        for one in (order, *order.legs):
            one.created = one.updated = self.now
            one.decimals = self.decimals
        self.orders.append(order)
        self._send(order, "new")

    def fill(
        self, order: BrokerOrder, quantity: Decimal, prices: list[Decimal], *, in_parts: bool = False
    ) -> None:
        """Fill part of an order, each leg at its price; with `in_parts`, a leg may take two executions."""
        self.now += dt.timedelta(milliseconds=1301)
        net = Decimal(0)
        for leg, price in zip(order.legs or [order], prices, strict=False):
            part = quantity * (leg.ratio or 1)
            if in_parts and order.legs and part > 1:
                self._book(leg, Decimal(1), price)
                part -= 1
            self._book(leg, part, price)
            net += price * (leg.ratio or 1) * (1 if leg.side == "buy" else -1)
        if order.legs:
            self._advance(order, quantity, net)
        event = "fill" if order.filled == order.qty else "partial_fill"
        price = net if order.legs else prices[0]
        self._send(order, event, qty=str(quantity), price=str(price), execution_id=f"x{len(self.live)}")

    def cancel(self, order: BrokerOrder) -> None:
        """Cancel what is left."""
        self.now += dt.timedelta(seconds=3)
        for one in (order, *order.legs):
            one.status, one.updated = "canceled", self.now
            one.ended = {"canceled_at": text(self.now)}
        self._send(order, "canceled")

    def replace(self, order: BrokerOrder) -> None:
        """Let a new order take the place of a single one, for what it has not filled."""
        self.now += dt.timedelta(seconds=4)
        name = f"{order.id}r"
        order.status, order.updated, order.replaced_by = "replaced", self.now, name
        order.ended = {"replaced_at": text(self.now)}
        self._send(order, "replaced")
        left = order.qty - order.filled
        self.place(BrokerOrder(name, order.symbol, order.side, left, replaces=order.id))

    def chain_of(self, order: BrokerOrder) -> list[BrokerOrder]:
        """Return the order and all that it replaced, directly or not."""
        before = next((one for one in self.orders if one.id == order.replaces), None)
        return [*(self.chain_of(before) if before else []), order]

    def bust(self, at: int) -> None:
        """Bust an execution of a single order; REST no longer lists it."""
        activity, order = self._standing(at)
        self.now += dt.timedelta(seconds=2)
        quantity, price = Decimal(activity["qty"]), Decimal(activity["price"])
        order.filled -= quantity
        order.spent -= quantity * price
        order.status = "partially_filled" if order.filled else "new"
        order.updated = self.now
        self.activities.remove(activity)
        self.ledger.remove((order.id, Decimal(activity["cum_qty"]), quantity, price))
        facts = {"previous_execution_id": self.reported_in[activity["id"]], "qty": activity["qty"]}
        self._send(order, "trade_bust", execution_id=f"x{len(self.live)}", price=activity["price"], **facts)

    def correct(self, at: int, price: Decimal) -> None:
        """Correct the price of an execution of a single order."""
        activity, order = self._standing(at)
        self.now += dt.timedelta(seconds=2)
        quantity, old = Decimal(activity["qty"]), Decimal(activity["price"])
        order.spent += quantity * (price - old)
        order.updated = self.now
        place = self.ledger.index((order.id, Decimal(activity["cum_qty"]), quantity, old))
        self.ledger[place] = (*self.ledger[place][:3], price)
        activity["price"] = str(price)
        facts = {"previous_execution_id": self.reported_in[activity["id"]], "qty": activity["qty"]}
        self._send(order, "trade_correct", execution_id=f"x{len(self.live)}", price=str(price), **facts)

    def _standing(self, at: int) -> tuple[Json, BrokerOrder]:
        """Return the activity and the order of a single order's execution, counted from the newest."""
        activity = self.singles[-1 - at % len(self.singles)]
        return activity, next(order for order in self.orders if order.id == activity["order_id"])

    @property
    def singles(self) -> list[Json]:
        """The activities of single orders' executions that were not busted."""
        names = {order.id for order in self.orders if not order.legs}
        return [row for row in self.activities if row["order_id"] in names]

    def rest_orders(self) -> list[Json]:
        """Return the answer to GET /v2/orders?nested=true."""
        return [order.row() for order in self.orders]

    def _advance(self, order: BrokerOrder, quantity: Decimal, price: Decimal) -> None:
        order.filled += quantity
        order.spent += quantity * price
        order.status = "filled" if order.filled == order.qty else "partially_filled"
        order.updated = self.now

    def _book(self, order: BrokerOrder, quantity: Decimal, price: Decimal) -> None:
        self._advance(order, quantity, price)
        self.reported_in[f"a{len(self.reported_in)}"] = f"x{len(self.live)}"
        self.ledger.append((order.id, order.filled, quantity, price))
        self.activities.append(
            {
                "activity_type": "FILL",
                "id": next(reversed(self.reported_in)),
                "order_id": order.id,
                "cum_qty": str(order.filled),
                "leaves_qty": str(order.qty - order.filled),
                "qty": str(quantity),
                "price": str(price),
                "symbol": order.symbol,
                "side": order.side,
                "order_status": order.status,
                "transaction_time": text(self.now),
                "type": "fill" if order.filled == order.qty else "partial_fill",
            }
        )

    def _send(self, order: BrokerOrder, event: str, **more: str) -> None:
        # The stream's clock reads a little later than that of the broker's books.
        sent_at = text(self.now + dt.timedelta(milliseconds=1))
        self.live.append({"event": event, "timestamp": sent_at, "order": order.row(), **more})
        self.history.append((len(self.activities), self.rest_orders()))


CENTS = st.integers(min_value=1, max_value=2_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def orders(draw: st.DrawFn, number: int) -> BrokerOrder:
    """Draw a single order, sometimes of fractional shares, or a multi-leg order."""
    if draw(st.booleans()):
        grain = draw(st.sampled_from([Decimal(1), Decimal("0.000000001"), Decimal("0.25")]))
        quantity = draw(st.integers(1, 9) | st.just(2_000)) * grain
        side = draw(st.sampled_from(["buy", "sell"]))
        return BrokerOrder(f"o{number}", draw(st.sampled_from(SYMBOLS)), side, quantity)
    units = Decimal(draw(st.integers(min_value=1, max_value=5)))
    legs = [
        BrokerOrder(
            f"o{number}l{place}",
            SYMBOLS[place],
            draw(st.sampled_from(["buy", "sell"])),
            units * ratio,
            order_class="mleg",
            ratio=ratio,
        )
        for place, ratio in enumerate(draw(st.lists(st.integers(1, 3), min_size=2, max_size=3)))
    ]
    return BrokerOrder(f"o{number}", "", "", units, order_class="mleg", legs=legs)


@st.composite
def days(draw: st.DrawFn, *, in_parts: bool = True, start: dt.datetime = OPEN) -> Broker:
    """Draw a day of trading, with orders that fill in parts and interleaved."""
    broker = Broker(decimals=draw(st.sampled_from([4, 6, 9])), now=start)
    for number in range(draw(st.integers(min_value=1, max_value=3))):
        broker.place(draw(orders(number)))
    trade(draw, broker, in_parts=in_parts)
    return broker


def trade(draw: st.DrawFn, broker: Broker, *, in_parts: bool) -> None:
    """Draw fills, replacements and cancellations of the working orders."""
    for _ in range(draw(st.integers(min_value=1, max_value=8))):
        working = [one for one in broker.orders if one.status not in {"filled", "canceled", "replaced"}]
        if not working:
            break
        order = draw(st.sampled_from(working))
        turn = draw(st.integers(0, 7))
        if turn == 7:
            broker.cancel(order)
            continue
        if turn == 6 and not order.legs:
            broker.replace(order)
            continue
        left = order.qty - order.filled
        parts = draw(st.sampled_from([Decimal("0.5"), Decimal("0.999"), Decimal(1)]))
        whole = left * parts if not order.legs and order.qty % 1 else Decimal(max(1, int(left * parts)))
        prices = draw(st.lists(CENTS, min_size=3, max_size=3))
        whole = min(left, whole.quantize(Decimal("1e-9")) or left)
        broker.fill(order, whole, prices, in_parts=in_parts and draw(st.booleans()))


def mangled(draw: st.DrawFn, rows: list[Json]) -> list[Json]:
    """Return some of the rows, some of them repeated, in a different order."""
    times = draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    kept = [row for row, count in zip(rows, times, strict=True) for _ in range(count)]
    return list(draw(st.permutations(kept)))


def shuffled(draw: st.DrawFn, rows: list[Json]) -> list[Json]:
    """Return all of the rows, some of them repeated, in a different order."""
    again = draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []
    return list(draw(st.permutations([*rows, *again])))


def arrays_of(live: list[Json], activities: list[Json], rest_orders: list[Json]) -> FillDay:
    """Return the fills of the messages on the wire, read by the product's own normalizers."""
    return FillDayBuilder().build(
        [row for update in live if (row := normalize_trade_update(update))],
        [row for activity in activities if (row := rest_fill_row(activity))],
        [row for order in rest_orders if (row := normalize_rest_order(order))],
        day=DAY,
    )


def final(execution: Execution) -> tuple[object, ...]:
    """Return a line of the final table, without its source and without what only the stream reports."""
    return (
        execution.key,
        execution.kind,
        execution.at,
        execution.symbol,
        execution.side,
        execution.intent,
        execution.quantity,
        execution.price,
        execution.filled,
        execution.total,
        execution.average_price,
        execution.status,
        execution.parent_id,
        execution.busted,
    )
