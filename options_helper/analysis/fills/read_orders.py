"""Facts keyed by order, collected from live updates, REST fills and REST orders.

This module only files each row under its order or leg. A multi-leg update is split into legs, because REST
reports the fills of a multi-leg order only per leg.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from options_helper.analysis.fills.order_facts import (
    BUST,
    CORRECTIONS,
    FILLS,
    MULTI_LEG,
    Correction,
    OrderFacts,
    OrderState,
    OtherEvent,
    Report,
    exact,
)
from options_helper.order_rows import LegExecution, OrderRow, OrderTerms


class OrderGroup(NamedTuple):
    """All reports on an order, its legs and its replacements, each part in its given order.

    A report about one group never affects another.
    """

    stream_rows: tuple[OrderRow, ...]
    rest_fills: tuple[OrderRow, ...]
    rest_orders: tuple[OrderRow, ...]


def group_orders(
    stream_rows: Sequence[OrderRow], rest_fills: Sequence[OrderRow], rest_orders: Sequence[OrderRow]
) -> dict[str, OrderGroup]:
    """Group the rows of related orders, keyed by one of their order ids; skip rows without an order id."""
    sources, names = (stream_rows, rest_fills, rest_orders), _Names()
    for row in itertools.chain(*sources):
        for relative in _relatives(row):
            names.join(row.get("order_id") or relative, relative)
    collected: dict[str, tuple[list[OrderRow], list[OrderRow], list[OrderRow]]] = {}
    for number, rows in enumerate(sources):
        for row in rows:
            if order_id := row.get("order_id"):
                collected.setdefault(names.of(order_id), ([], [], []))[number].append(row)
    return {name: OrderGroup(*map(tuple, parts)) for name, parts in collected.items()}


def _relatives(row: OrderRow) -> Iterator[str]:
    """Yield the ids of the other orders that a row names."""
    legs = (leg.get("order_id") for leg in row.get("legs") or ())
    for order_id in (row.get("replaces"), row.get("replaced_by"), *legs):
        if order_id:
            yield order_id


class _Names:
    """A union-find over order ids: all joined orders have one name; an unjoined order is its own name."""

    def __init__(self) -> None:
        self._leading_to: dict[str, str] = {}

    def of(self, order_id: str) -> str:
        while (name := self._leading_to.get(order_id)) is not None:
            self._leading_to[order_id] = self._leading_to.get(name, name)  # path halving
            order_id = name
        return order_id

    def join(self, one: str, other: str) -> None:
        name, joined = self.of(one), self.of(other)
        if name != joined:
            self._leading_to[joined] = name


def read_orders(group: OrderGroup) -> dict[str, OrderFacts]:
    """Return the facts about each order and leg, keyed by order id; rows may come in any order."""
    collected = _CollectedOrders()
    for row in group.stream_rows:
        collected.add_update(row)
    for row in group.rest_orders:
        collected.add_state(row)
    for row in group.rest_fills:
        collected.add_rest_fill(row)
    collected.add_corrections()
    for facts in collected.by_id.values():
        facts.settle()
    return collected.by_id


class _CollectedOrders:
    """The facts collected so far."""

    def __init__(self) -> None:
        self.by_id: dict[str, OrderFacts] = {}
        self._corrections: list[tuple[OrderFacts, OrderRow]] = []

    def facts(self, order_id: str) -> OrderFacts:
        known = self.by_id.get(order_id)
        if known is None:
            known = self.by_id[order_id] = OrderFacts(order_id)
        return known

    def add_update(self, row: OrderRow) -> None:
        """File a live update: its state, and its execution, correction or event."""
        facts = self.add_state(row)
        if facts is None:
            return
        event = row.get("event") or ""
        if event in FILLS:
            _add_report(facts, row, is_rest=False)
            self._add_leg_reports(facts, row)
            return
        if event in CORRECTIONS:
            self._corrections.append((facts, row))
        facts.events.append(OtherEvent(row["timestamp"], event, row.get("reason")))

    def _add_leg_reports(self, facts: OrderFacts, row: OrderRow) -> None:
        """Add each leg's own executions, or its share of the whole fill if the update lists none."""
        executions: dict[str | None, list[LegExecution]] = {}
        for one in row.get("leg_executions") or ():
            executions.setdefault(one.get("order_id"), []).append(one)
        for terms, leg in self._legs(facts, row):
            own = executions.get(leg.order_id)
            if own is None:
                _add_leg_share(leg, terms, row)
            else:
                _add_leg_executions(leg, terms, own, row)

    def add_corrections(self) -> None:
        """Add each bust and correction to the order or leg with the execution that it names."""
        owners = {
            report.execution_id: facts
            for facts in self.by_id.values()
            for report in facts.reports
            if report.execution_id and report.identity
        }
        for facts, row in self._corrections:
            parts = [
                (leg, one)
                for one in row.get("leg_executions") or ()
                if (leg := self.by_id.get(one.get("order_id") or "")) is not None
            ]
            owner = owners.get(row.get("previous_execution_id") or "")
            if parts:
                for leg, one in parts:
                    leg.add_correction(_leg_correction(row, one))
            elif owner is not None and owner.parent_id == facts.order_id:
                owner.add_correction(_correction(row))
            else:
                facts.add_correction(_correction(row))
                if row.get("event") == BUST:
                    for _, leg in self._legs(facts, row):
                        leg.add_correction(_correction(row)._replace(quantity=None, price=None))

    def add_state(self, row: OrderRow) -> OrderFacts | None:
        """File the state of an order and its legs from a live update or a REST order."""
        order_id = row.get("order_id")
        if not order_id:
            return None
        facts, at, is_rest = self.facts(order_id), row["timestamp"], row.get("origin") == "rest"
        facts.add_state(OrderState(at, row, is_rest))
        for terms, leg in self._legs(facts, row):
            leg.parent_id = order_id
            if leg.order_id not in facts.leg_ids:
                facts.leg_ids.append(leg.order_id)
            leg.add_state(OrderState(at, terms, is_rest))
        return facts

    def add_rest_fill(self, row: OrderRow) -> None:
        """File an execution, bust or correction reported by REST."""
        facts = self.facts(row.get("order_id") or "")
        if row.get("event") in CORRECTIONS:
            facts.add_correction(_correction(row))
            return
        _add_report(facts, row, is_rest=True)
        known = facts.last_rest_fill
        if known is None or _place_in_time(row) >= _place_in_time(known):
            facts.last_rest_fill = row

    def _legs(self, facts: OrderFacts, row: OrderRow) -> Iterator[tuple[OrderTerms, OrderFacts]]:
        for number, terms in enumerate(row.get("legs") or ()):
            leg_id = terms.get("order_id") or f"{facts.order_id}/{number}"
            if leg_id != facts.order_id:
                yield terms, self.facts(leg_id)


def _add_report(facts: OrderFacts, row: OrderRow, *, is_rest: bool) -> None:
    cumulative, quantity = exact(row.get("filled_qty")), exact(row.get("fill_qty"))
    if not cumulative or not quantity:
        return
    facts.reports.append(
        Report(
            cumulative=cumulative,
            # A total below the execution's own quantity is wrong, but the merge relies on the total.
            quantity=min(abs(quantity), cumulative),
            price=exact(row.get("fill_price")),
            at=row["timestamp"],
            is_rest=is_rest,
            identity=row.get("activity_id") if is_rest else row.get("execution_id"),
            execution_id=row.get("execution_id"),
            position_after=row.get("position_qty"),
        )
    )


def _add_leg_executions(
    leg: OrderFacts, terms: OrderTerms, executions: Sequence[LegExecution], row: OrderRow
) -> None:
    """Add a leg's executions from a live update; the update has the total after the last of them."""
    total = exact(terms.get("filled_qty"))
    position = (row.get("position_qtys") or {}).get(terms.get("symbol") or "")
    for one in reversed(executions):
        quantity = exact(one.get("fill_qty"))
        if not quantity or not total or total < abs(quantity):
            return
        leg.reports.append(
            Report(
                cumulative=total,
                quantity=abs(quantity),
                price=exact(one.get("fill_price")),
                at=one.get("timestamp") or row["timestamp"],
                is_rest=False,
                identity=one.get("execution_id"),
                execution_id=one.get("execution_id"),
                position_after=position,
            )
        )
        total, position = total - abs(quantity), None


def _add_leg_share(leg: OrderFacts, terms: OrderTerms, row: OrderRow) -> None:
    """Add a leg's share of a multi-leg fill if the leg's total matches its parent's.

    The update has the leg's total and average, not its execution; the price follows from the averages. If the
    totals do not match, nothing is added until REST reports the execution.
    """
    ratio, filled = _ratio(terms, row), exact(terms.get("filled_qty"))
    parent_filled, parent_quantity = exact(row.get("filled_qty")), exact(row.get("fill_qty"))
    if row.get("order_class") != MULTI_LEG or not (ratio and filled and parent_filled and parent_quantity):
        return
    if filled == parent_filled * ratio and abs(parent_quantity) <= parent_filled:
        leg.reports.append(
            Report(
                cumulative=filled,
                quantity=abs(parent_quantity) * ratio,
                price=None,
                at=row["timestamp"],
                is_rest=False,
                identity=None,
                execution_id=row.get("execution_id"),
            )
        )


def _ratio(terms: OrderTerms, row: OrderRow) -> Decimal | None:
    given = exact(terms.get("ratio_qty"))
    leg_quantity, quantity = exact(terms.get("qty")), exact(row.get("qty"))
    return given or (leg_quantity / quantity if leg_quantity and quantity else None)


def _correction(row: OrderRow) -> Correction:
    return Correction(
        event=row.get("event") or "",
        previous_id=row.get("previous_execution_id"),
        quantity=_size(row.get("fill_qty")),
        price=exact(row.get("fill_price")),
        at=row["timestamp"],
        execution_id=row.get("execution_id"),
    )


def _leg_correction(row: OrderRow, leg: LegExecution) -> Correction:
    """Return a leg's part of a bust or correction; missing figures come from the whole update."""
    whole = _correction(row)
    return whole._replace(
        previous_id=leg.get("previous_execution_id") or whole.previous_id,
        quantity=_size(leg["fill_qty"]) if "fill_qty" in leg else whole.quantity,
        price=exact(leg["fill_price"]) if "fill_price" in leg else whole.price,
        execution_id=leg.get("execution_id", whole.execution_id),
    )


def _size(quantity: float | None) -> Decimal | None:
    size = exact(quantity)
    return None if size is None else abs(size)


def _place_in_time(row: OrderRow) -> tuple[dt.datetime, float]:
    return (row["timestamp"], row.get("filled_qty") or 0.0)
