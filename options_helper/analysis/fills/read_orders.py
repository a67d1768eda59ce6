"""Facts by order, gathered from live updates, REST fills and REST orders.

Nothing is decided here: each row is filed under the order, or the leg, that it belongs to. A multi-leg
update is split by leg, because REST reports the fills of a multi-leg order by leg only.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from options_helper.analysis.fills.order_facts import (
    BUST,
    CORRECTIONS,
    FILLS,
    MULTI_LEG,
    Correction,
    OrderFacts,
    Report,
    Row,
    TotalSeen,
    exact,
)


class Family(NamedTuple):
    """All reports about one family, each part in its given order."""

    stream_rows: tuple[Row, ...]
    rest_fills: tuple[Row, ...]
    rest_orders: tuple[Row, ...]


def group_by_family(
    stream_rows: Sequence[Row], rest_fills: Sequence[Row], rest_orders: Sequence[Row]
) -> dict[str, Family]:
    """Return every row that names an order, by family; a family has the id of one of its orders."""
    sources, names = (stream_rows, rest_fills, rest_orders), _Names()
    for row in itertools.chain(*sources):
        for relative in _relatives(row):
            names.join(row.get("order_id") or relative, relative)
    gathered: dict[str, tuple[list[Row], list[Row], list[Row]]] = {}
    for number, rows in enumerate(sources):
        for row in rows:
            if order_id := row.get("order_id"):
                gathered.setdefault(names.of(order_id), ([], [], []))[number].append(row)
    return {name: Family(*map(tuple, parts)) for name, parts in gathered.items()}


def _relatives(row: Row) -> Iterator[str]:
    """Return the other orders that a row names."""
    for name in ("replaces", "replaced_by"):
        if row.get(name):
            yield row[name]
    for leg in row.get("legs") or ():
        if leg.get("order_id"):
            yield leg["order_id"]


class _Names:
    """One name for all joined orders; an order by itself is its own."""

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


def read_orders(
    stream_rows: Iterable[Row], rest_fills: Iterable[Row], rest_orders: Iterable[Row]
) -> dict[str, OrderFacts]:
    """Facts by order id, legs among them, from rows as the normalizers make them, in any order."""
    gathered = _Gathered()
    for row in stream_rows:
        gathered.add_update(row)
    for row in rest_orders:
        gathered.add_state(row)
    for row in rest_fills:
        gathered.add_rest_fill(row)
    gathered.add_corrections()
    for facts in gathered.by_id.values():
        facts.settle()
    return gathered.by_id


class _Gathered:
    """The facts while they are being gathered."""

    def __init__(self) -> None:
        self.by_id: dict[str, OrderFacts] = {}
        self._corrections: list[tuple[OrderFacts, Row]] = []

    def facts(self, order_id: str) -> OrderFacts:
        known = self.by_id.get(order_id)
        if known is None:
            known = self.by_id[order_id] = OrderFacts(order_id)
        return known

    def add_update(self, row: Row) -> None:
        """File a live update: its state, and its execution, correction or event."""
        facts = self.add_state(row)
        if facts is None:
            return
        event, at = row.get("event"), row["timestamp"]
        if event in FILLS:
            _add_report(facts, row, is_rest=False)
            self._add_leg_reports(row)
        elif event in CORRECTIONS:
            self._corrections.append((facts, row))
        if event not in FILLS:
            facts.events.append((at, event or "", row.get("reason")))

    def _add_leg_reports(self, row: Row) -> None:
        """Add each leg's own executions; if the update has none of a leg, its share of the whole fill."""
        executions: dict[str, list[Row]] = {}
        for one in row.get("leg_executions") or ():
            executions.setdefault(one["order_id"], []).append(one)
        for leg_row, leg in self._legs(row):
            own = executions.get(leg.order_id)
            if own is None:
                _add_leg_report(leg, leg_row, row)
            else:
                _add_leg_executions(leg, leg_row, own, row)

    def add_corrections(self) -> None:
        """Put each bust and correction on the order, or on the leg, whose execution it names."""
        owners = {
            report.execution_id: facts
            for facts in self.by_id.values()
            for report in facts.reports
            if report.execution_id and report.identity
        }
        for facts, row in self._corrections:
            parts = [one for one in row.get("leg_executions") or () if one["order_id"] in self.by_id]
            owner = owners.get(row.get("previous_execution_id") or "")
            if parts:
                for one in parts:
                    named = one.get("previous_execution_id") or row.get("previous_execution_id")
                    meant = {**row, **one, "previous_execution_id": named, "timestamp": row["timestamp"]}
                    _add_correction(self.by_id[one["order_id"]], meant)
            elif owner is not None and owner.parent_id == facts.order_id:
                _add_correction(owner, row)
            else:
                _add_correction(facts, row)
                for _, leg in self._legs(row) if row["event"] == BUST else ():
                    _add_correction(leg, {**row, "fill_qty": None, "fill_price": None})

    def add_state(self, row: Row) -> OrderFacts | None:
        """File the order as a live update or REST reports it, including its legs."""
        order_id = row.get("order_id")
        if not order_id:
            return None
        facts = self.facts(order_id)
        _add_state(facts, row, row["timestamp"])
        for leg_row, leg in self._legs(row):
            leg.parent_id = order_id
            if leg.order_id not in facts.leg_ids:
                facts.leg_ids.append(leg.order_id)
            _add_state(leg, {**leg_row, "origin": row.get("origin")}, row["timestamp"])
        return facts

    def add_rest_fill(self, row: Row) -> None:
        """File one execution reported by REST."""
        facts = self.facts(row["order_id"])
        if row.get("event") in CORRECTIONS:
            _add_correction(facts, row)
            return
        _add_report(facts, row, is_rest=True)
        known = facts.fallback
        if not known or _moment(row) >= _moment(known):
            facts.fallback = dict(row)

    def _legs(self, row: Row) -> Iterator[tuple[Row, OrderFacts]]:
        for number, leg in enumerate(row.get("legs") or ()):
            leg_id = leg.get("order_id") or f"{row['order_id']}/{number}"
            if leg_id != row["order_id"]:
                yield leg, self.facts(leg_id)


def _add_state(facts: OrderFacts, row: Row, at: dt.datetime) -> None:
    state = row if row.get("timestamp") is not None else {**row, "timestamp": at}
    facts.states.append(state)
    filled = exact(row.get("filled_qty"))
    if filled:
        changed = row.get("updated_at") or at
        facts.totals.append(TotalSeen(filled, exact(row.get("filled_avg_price")), changed))


def _add_report(facts: OrderFacts, row: Row, *, is_rest: bool) -> None:
    cumulative, quantity = exact(row.get("filled_qty")), exact(row.get("fill_qty"))
    if not cumulative or not quantity:
        return
    identity = row.get("activity_id") if is_rest else row.get("execution_id")
    # A total below the execution's own quantity is nonsense of the wire; the total is the merge's key.
    quantity = min(abs(quantity), cumulative)
    facts.reports.append(
        Report(
            cumulative,
            quantity,
            exact(row.get("fill_price")),
            row["timestamp"],
            is_rest,
            identity,
            row.get("execution_id"),
            row.get("position_qty"),
        )
    )


def _add_leg_executions(leg: OrderFacts, leg_row: Row, executions: list[Row], row: Row) -> None:
    """Add a leg's executions as the stream reports them; the leg's total stands after the last."""
    total = exact(leg_row.get("filled_qty"))
    position = (row.get("position_qtys") or {}).get(leg_row.get("symbol"))
    for one in reversed(executions):
        quantity = exact(one.get("fill_qty"))
        if not quantity or not total or total < abs(quantity):
            return
        leg.reports.append(
            Report(
                total,
                abs(quantity),
                exact(one.get("fill_price")),
                one.get("timestamp") or row["timestamp"],
                is_rest=False,
                identity=one.get("execution_id"),
                execution_id=one.get("execution_id"),
                position_after=position,
            )
        )
        total, position = total - abs(quantity), None


def _add_leg_report(leg: OrderFacts, leg_row: Row, row: Row) -> None:
    """Return a leg's share of a multi-leg fill if the leg moved in step with its parent.

    The update has a leg's total and average, not its execution; the price follows from the averages. If
    the totals are out of step, the leg's total is kept for REST to confirm.
    """
    ratio, filled = _ratio(leg_row, row), exact(leg_row.get("filled_qty"))
    parent_filled, parent_quantity = exact(row.get("filled_qty")), exact(row.get("fill_qty"))
    if row.get("order_class") != MULTI_LEG or not (ratio and filled and parent_filled and parent_quantity):
        return
    if filled == parent_filled * ratio and abs(parent_quantity) <= parent_filled:
        quantity, execution_id = abs(parent_quantity) * ratio, row.get("execution_id")
        leg.reports.append(
            Report(
                filled,
                quantity,
                None,
                row["timestamp"],
                is_rest=False,
                identity=None,
                execution_id=execution_id,
            )
        )


def _ratio(leg_row: Row, row: Row) -> Decimal | None:
    given = exact(leg_row.get("ratio_qty"))
    leg_quantity, quantity = exact(leg_row.get("qty")), exact(row.get("qty"))
    return given or (leg_quantity / quantity if leg_quantity and quantity else None)


def _add_correction(facts: OrderFacts, row: Row) -> None:
    quantity = exact(row.get("fill_qty"))
    correction = Correction(
        row["event"],
        row.get("previous_execution_id"),
        None if quantity is None else abs(quantity),
        exact(row.get("fill_price")),
        row["timestamp"],
        row.get("execution_id"),
    )
    if correction not in facts.corrections:
        facts.corrections.append(correction)


def _moment(row: Row) -> tuple[dt.datetime, float]:
    return (row["timestamp"], row.get("filled_qty") or 0.0)
