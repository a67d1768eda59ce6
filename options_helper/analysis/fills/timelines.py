"""The timeline of each order: new, replaced, filled, canceled, rejected or expired, across replacements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from options_helper.analysis.fills.order_facts import CORRECTIONS, FILLS, LONG_AGO, OrderFacts
from options_helper.analysis.fills.records import (
    Contradiction,
    Execution,
    Figures,
    OrderEvent,
    OrderTimeline,
    TermChange,
    TermName,
)

_EndField = Literal["canceled_at", "expired_at", "failed_at", "replaced_at"]
_ENDS: Mapping[str, _EndField] = {
    "canceled": "canceled_at",
    "expired": "expired_at",
    "rejected": "failed_at",
    "replaced": "replaced_at",
}
_TextField = Literal["symbol", "side", "position_intent", "order_class", "type", "tif"]
_CHANGEABLE: tuple[TermName, ...] = ("limit_price", "stop_price", "trail_price", "trail_percent", "qty")
_BEFORE_NEW = {"accepted", "accepted_for_bidding", "held", "pending_new", "pending_review"}
_NEVER_NEW = _BEFORE_NEW | {"rejected"}  # unless the stream reported `new`
_SHOWN_OTHERWISE = FILLS | set(_ENDS) | {"new", ""}


def build_timelines(
    by_id: Mapping[str, OrderFacts], executions: Iterable[Execution]
) -> tuple[OrderTimeline, ...]:
    """Return the orders of the day, newest change first, with legs under their order.

    Args:
        by_id: The facts about each order, keyed by order id.
        executions: The day's executions, which become steps of their orders.
    """
    lines: dict[str, list[Execution]] = {}
    for execution in executions:
        lines.setdefault(execution.order_id, []).append(execution)
    chains = _chains({order_id: facts for order_id, facts in by_id.items() if facts.parent_id is None})
    return newest_change_first(
        _timeline(chain, lines, [by_id[leg] for leg in chain[-1].leg_ids]) for chain in chains
    )


def newest_change_first(orders: Iterable[OrderTimeline]) -> tuple[OrderTimeline, ...]:
    """Return the orders, newest change first."""
    return tuple(sorted(orders, key=lambda order: (order.changed_at, order.order_id), reverse=True))


def _chains(by_id: Mapping[str, OrderFacts]) -> list[list[OrderFacts]]:
    """Group orders that replaced one another, oldest first; a link reported by one of them is enough."""
    following: dict[str, str] = {}
    for order_id, facts in by_id.items():
        replaced_by, replaces = facts.newest.get("replaced_by"), facts.newest.get("replaces")
        if replaced_by is not None and replaced_by in by_id:
            following[order_id] = replaced_by
        if replaces is not None and replaces in by_id:
            following.setdefault(replaces, order_id)
    successors = set(following.values())
    chains, placed = [], set[str]()
    # Start with the oldest orders; any remaining orders form a ring, which only a broken record can cause.
    for order_id in sorted(by_id, key=lambda one: one in successors):
        chain: list[OrderFacts] = []
        link: str | None = order_id
        while link is not None and link not in placed:
            placed.add(link)
            chain.append(by_id[link])
            link = following.get(link)
        if chain:
            chains.append(chain)
    return chains


def _timeline(
    chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]], legs: Sequence[OrderFacts] = ()
) -> OrderTimeline:
    last = chain[-1]
    newest, steps = last.newest, _steps_of_chain(chain, lines)
    return OrderTimeline(
        order_ids=tuple(facts.order_id for facts in chain),
        symbol=_first(chain, "symbol") or "",
        side=_first(chain, "side"),
        intent=_first(chain, "position_intent"),
        order_class=_first(chain, "order_class"),
        type=_first(chain, "type"),
        tif=_first(chain, "tif"),
        limit_price=newest.get("limit_price"),
        stop_price=newest.get("stop_price"),
        quantity=newest.get("qty"),
        notional=newest.get("notional"),
        trail_price=newest.get("trail_price"),
        trail_percent=newest.get("trail_percent"),
        extended_hours=bool(newest.get("extended_hours")),
        filled=_chain_filled(chain, lines),
        average_price=_chain_average(chain, lines),
        status=newest.get("status"),
        reject_reason=newest.get("reject_reason") or "",
        submitted_at=chain[0].began_at,
        changed_at=max(last.changed_at or LONG_AGO, *(step.at for step in steps), LONG_AGO),
        steps=tuple(steps),
        legs=tuple(_timeline([leg], lines) for leg in legs),
        contradiction=_newest_contradiction(chain, lines),
    )


def _first(chain: Sequence[OrderFacts], name: _TextField) -> str | None:
    return next((value for facts in reversed(chain) if (value := facts.newest.get(name))), None)


def _filled(facts: OrderFacts, lines: Mapping[str, list[Execution]]) -> float | None:
    """Return the newest state's total, or the executions' total if it is higher."""
    reported = facts.newest.get("filled_qty")
    totals = [one.filled for one in lines.get(facts.order_id, ()) if one.filled is not None]
    if facts.corrections or not totals:
        return reported
    return max(reported or 0.0, *totals)


def _chain_filled(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> float | None:
    """Return the filled quantity of the whole chain; each order reports only its own fills."""
    filled = [one for facts in chain if (one := _filled(facts, lines)) is not None]
    return float(sum(Decimal(repr(one)) for one in filled)) if filled else None


def _chain_average(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> float | None:
    """Return the chain's average price, or None if an order with fills has no average."""
    value = quantity = Decimal(0)
    if len(chain) == 1:
        return chain[0].newest.get("filled_avg_price")
    for facts in chain:
        filled, average = _filled(facts, lines), facts.newest.get("filled_avg_price")
        if not filled:
            continue
        if average is None:
            return None
        value += Decimal(repr(filled)) * Decimal(repr(average))
        quantity += Decimal(repr(filled))
    return float(value / quantity) if quantity else None


def _contradiction(facts: OrderFacts, lines: Mapping[str, list[Execution]]) -> Contradiction | None:
    """Return an order's contradiction, or None; REST lists no busts, so only totals reveal a missed one."""
    own = [one for one in lines.get(facts.order_id, ()) if not one.busted]
    reported = facts.reported
    if reported is not None:
        counted = _quantity_of(one for one in own if one.at <= reported.at)
        if counted > reported.cumulative:
            return Contradiction(fills=float(counted), order=float(reported.cumulative))
    # Executions lie end to end, so their sum never exceeds the highest total after one of them.
    counted, furthest = _quantity_of(own), max((one.filled or 0.0 for one in own), default=0.0)
    if facts.corrections or counted <= Decimal(repr(furthest)):
        return None
    return Contradiction(fills=float(counted), order=furthest)


def _quantity_of(executions: Iterable[Execution]) -> Decimal:
    return sum((Decimal(repr(one.quantity)) for one in executions if one.quantity), Decimal(0))


def _newest_contradiction(
    chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]
) -> Contradiction | None:
    return next((found for facts in reversed(chain) if (found := _contradiction(facts, lines))), None)


def _steps_of_chain(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> list[OrderEvent]:
    steps: list[OrderEvent] = []
    for number, facts in enumerate(chain):
        successor = chain[number + 1] if number + 1 < len(chain) else None
        own = _steps(facts, lines.get(facts.order_id, ()), successor)
        # The predecessor's "replaced" step already shows the start of a replacement.
        steps += own if number == 0 else [step for step in own if step.event != "new"]
    return steps


def _steps(
    facts: OrderFacts, executions: Iterable[Execution], successor: OrderFacts | None
) -> list[OrderEvent]:
    others = sorted(set(_other_events(facts)), key=lambda step: (step.event, step.reason, repr(step.figures)))
    # Executions arrive newest first; unlike other events, equal ones are separate.
    steps = [*others, *reversed(list(_executed(facts, executions)))]
    begin = _new_at(facts, others)
    if begin is not None:
        terms = Figures(facts.newest.get("qty"), facts.newest.get("limit_price"))
        steps.append(OrderEvent(at=begin, event="new", figures=terms, order_type=facts.newest.get("type")))
    status = facts.newest.get("status")
    if status is not None and status in _ENDS:
        steps.append(_end(facts, status, successor))
    return sorted(steps, key=lambda step: (step.at, _place_at_one_time(step)))


def _new_at(facts: OrderFacts, others: Iterable[OrderEvent]) -> dt.datetime | None:
    """Return the time an order became active, or None before that.

    If the stream did not report it, it is the time of submission or of the last earlier state.
    """
    reported = min((at for at, event, _ in facts.events if event == "new"), default=None)
    if reported is not None or facts.newest.get("status") in _NEVER_NEW:
        return reported
    earlier = (step.at for step in others if step.event in _BEFORE_NEW)
    return max([facts.began_at, *earlier]) if facts.began_at is not None else None


def _end(facts: OrderFacts, status: str, successor: OrderFacts | None) -> OrderEvent:
    return OrderEvent(
        at=facts.newest.get(_ENDS[status]) or facts.changed_at or LONG_AGO,
        event=status,
        reason=facts.newest.get("reject_reason") or "",
        changes=_changes(facts, successor) if successor is not None and status == "replaced" else (),
    )


def _place_at_one_time(step: OrderEvent) -> int:
    """Return a step's rank among steps at the same time: new, executions, busts and corrections, end."""
    if step.event in _ENDS:
        return 3
    if step.event in _BEFORE_NEW:
        return -1
    return 2 if step.event in CORRECTIONS else int(step.event != "new")


def _executed(facts: OrderFacts, executions: Iterable[Execution]) -> Iterator[OrderEvent]:
    for one in executions:
        whole = one.filled is not None and one.filled == _whole_quantity(facts)
        yield OrderEvent(at=one.at, event="fill" if whole else "partial_fill", execution=one)


def _whole_quantity(facts: OrderFacts) -> float | None:
    """Return the order's quantity; for an order by amount, its filled quantity once filled."""
    quantity = facts.newest.get("qty")
    if quantity is None and facts.newest.get("status") == "filled":
        return facts.newest.get("filled_qty")
    return quantity


def _other_events(facts: OrderFacts) -> Iterator[OrderEvent]:
    """Yield the unusual events of an order, such as held, cancel rejected or busted."""
    for at, event, reason in facts.events:
        if event in CORRECTIONS:
            named = [one for one in facts.corrections if (one.event, one.at) == (event, at)]
            figures = Figures(_float(named[0].quantity), _float(named[0].price)) if named else None
            yield OrderEvent(at=at, event=event, figures=figures)
        elif event not in _SHOWN_OTHERWISE:
            yield OrderEvent(at=at, event=event, reason=reason or "")


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _changes(before: OrderFacts, after: OrderFacts) -> tuple[TermChange, ...]:
    changes = []
    for name in _CHANGEABLE:
        old, new = before.newest.get(name), after.newest.get(name)
        if old != new and new is not None:
            changes.append(TermChange(name, old, new))
    return tuple(changes)
