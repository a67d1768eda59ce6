"""Each order's life: new, replaced, filled in parts, canceled, rejected, expired; replaced orders joined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from options_helper.analysis.fills.order_facts import CORRECTIONS, FILLS, OrderFacts
from options_helper.analysis.fills.records import Execution, OrderEvent, OrderTimeline
from options_helper.analysis.text.fills import event_words, fill_words, net_words, plain, price_words

_ENDS = {
    "canceled": "canceled_at",
    "expired": "expired_at",
    "rejected": "failed_at",
    "replaced": "replaced_at",
}
_TOLD_OTHERWISE = FILLS | set(_ENDS) | {"new", ""}
_UNDOING = frozenset(event_words(event) for event in CORRECTIONS)
_NO_REASON = "no reason reported"  # REST reports none, the stream not always
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def build_timelines(
    by_id: Mapping[str, OrderFacts], executions: Iterable[Execution]
) -> tuple[OrderTimeline, ...]:
    """The orders of the day, newest change first; legs stand under their order.

    Args:
        by_id: What is known of each order.
        executions: The lines of the book; those of an order become its steps.
    """
    lines: dict[str, list[Execution]] = {}
    for execution in executions:
        lines.setdefault(execution.order_id, []).append(execution)
    chains = _chains({order_id: facts for order_id, facts in by_id.items() if facts.parent_id is None})
    stories = [_story(chain, lines, [by_id[leg] for leg in chain[-1].leg_ids]) for chain in chains]
    return newest_change_first(stories)


def newest_change_first(stories: Iterable[OrderTimeline]) -> tuple[OrderTimeline, ...]:
    """Orders as a list of them shows them."""
    return tuple(sorted(stories, key=lambda story: (story.changed_at, story.order_id), reverse=True))


def _chains(by_id: Mapping[str, OrderFacts]) -> list[list[OrderFacts]]:
    """Return orders that replaced one another, oldest first; either end of the link suffices."""
    following: dict[str, str] = {}
    for order_id, facts in by_id.items():
        replaced_by, replaces = facts.latest("replaced_by"), facts.latest("replaces")
        if replaced_by in by_id:
            following[order_id] = replaced_by
        if replaces in by_id:
            following.setdefault(replaces, order_id)
    successors = set(following.values())
    chains, placed = [], set[str]()
    # Heads first; what is left then is a ring, which only a broken record could make.
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


def _story(
    chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]], legs: Sequence[OrderFacts] = ()
) -> OrderTimeline:
    newest = chain[-1]
    steps = _steps_of_chain(chain, lines)
    return OrderTimeline(
        order_id=newest.order_id,
        order_ids=tuple(facts.order_id for facts in chain),
        symbol=_first(chain, "symbol") or "",
        side=_first(chain, "side"),
        intent=_first(chain, "position_intent"),
        order_class=_first(chain, "order_class"),
        type=_first(chain, "type"),
        tif=_first(chain, "tif"),
        limit_price=newest.latest("limit_price"),
        stop_price=newest.latest("stop_price"),
        quantity=newest.latest("qty"),
        notional=newest.latest("notional"),
        trail_price=newest.latest("trail_price"),
        trail_percent=newest.latest("trail_percent"),
        extended_hours=bool(newest.latest("extended_hours")),
        filled=_chain_filled(chain, lines),
        average_price=_chain_average(chain, lines),
        status=newest.latest("status"),
        reject_reason=newest.latest("reject_reason") or "",
        submitted_at=chain[0].began_at,
        changed_at=_changed_at(newest, steps),
        steps=tuple(steps),
        legs=tuple(_story([leg], lines) for leg in legs),
        note=next((note for facts in reversed(chain) if (note := _contradiction(facts, lines))), ""),
    )


def _first(chain: Sequence[OrderFacts], name: str) -> str | None:
    return next((value for facts in reversed(chain) if (value := facts.latest(name))), None)


def _filled(facts: OrderFacts, lines: Mapping[str, list[Execution]]) -> float | None:
    """The newest state's total, or what the executions come to where they know more."""
    reported: float | None = facts.latest("filled_qty")
    totals = [one.filled for one in lines.get(facts.order_id, ()) if one.filled is not None]
    if facts.corrections or not totals:
        return reported
    return max(reported or 0.0, *totals)


def _chain_filled(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> float | None:
    """Return what the order and those it replaced filled; each order of a chain counts its own fills."""
    filled = [one for facts in chain if (one := _filled(facts, lines)) is not None]
    return float(sum(Decimal(repr(one)) for one in filled)) if filled else None


def _chain_average(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> float | None:
    """Return the average over the chain, None if one of its orders with fills has none."""
    value = quantity = Decimal(0)
    if len(chain) == 1:
        only: float | None = chain[0].latest("filled_avg_price")
        return only
    for facts in chain:
        filled, average = _filled(facts, lines), facts.latest("filled_avg_price")
        if not filled:
            continue
        if average is None:
            return None
        value += Decimal(repr(filled)) * Decimal(repr(average))
        quantity += Decimal(repr(filled))
    return float(value / quantity) if quantity else None


def _contradiction(facts: OrderFacts, lines: Mapping[str, list[Execution]]) -> str:
    """REST lists no busts, so a bust missed by the stream shows only in the totals."""
    reported = facts.reported
    if reported is None:
        return ""
    own = (one for one in lines.get(facts.order_id, ()) if not one.busted and one.at <= reported.at)
    counted = sum(Decimal(repr(one.quantity)) for one in own if one.quantity)
    if counted <= reported.cumulative:
        return ""
    return f"its fills come to {plain(float(counted))}, the order says {plain(float(reported.cumulative))}"


def _changed_at(facts: OrderFacts, steps: Sequence[OrderEvent]) -> dt.datetime:
    changed: dt.datetime | None = facts.latest("updated_at") or facts.latest("timestamp")
    return max((at for at in (changed, *(step.at for step in steps)) if at), default=_LONG_AGO)


def _steps_of_chain(chain: Sequence[OrderFacts], lines: Mapping[str, list[Execution]]) -> list[OrderEvent]:
    steps: list[OrderEvent] = []
    for number, facts in enumerate(chain):
        successor = chain[number + 1] if number + 1 < len(chain) else None
        own = _steps(facts, lines.get(facts.order_id, ()), successor)
        # A replacement begins where its predecessor's "replaced" stands.
        steps += own if number == 0 else [step for step in own if step.word != "new"]
    return steps


def _steps(
    facts: OrderFacts, executions: Iterable[Execution], successor: OrderFacts | None
) -> list[OrderEvent]:
    others = sorted(set(_other_events(facts)), key=lambda step: (step.word, step.detail))
    # Executions that look alike are still as many; they come newest first.
    steps = [*others, *reversed(list(_executed(facts, executions)))]
    begin = facts.began_at
    if begin is not None:
        # `pending_new` comes before `new`, though REST dates the order from its submission.
        begin = max([begin, *(step.at for step in others if step.word == "pending new")])
        steps.append(OrderEvent(at=begin, word="new", detail=_terms(facts)))
    status = facts.latest("status")
    if status in _ENDS:
        at = facts.latest(_ENDS[status]) or facts.latest("updated_at") or facts.latest("timestamp")
        detail = facts.latest("reject_reason") or (_NO_REASON if status == "rejected" else "")
        if successor is not None and status == "replaced":
            detail = _difference(facts, successor)
        steps.append(OrderEvent(at=at, word=status, detail=detail))
    return sorted(steps, key=lambda step: (step.at, _place_at_one_moment(step)))


def _place_at_one_moment(step: OrderEvent) -> int:
    """Being new comes first, what undoes an execution after it, and an end last."""
    if step.word in _ENDS:
        return 3
    if step.word == "pending new":
        return -1
    return 2 if step.word in _UNDOING else int(step.word != "new")


def _executed(facts: OrderFacts, executions: Iterable[Execution]) -> Iterable[OrderEvent]:
    for one in executions:
        whole = one.filled is not None and one.filled == _whole_quantity(facts)
        price = net_words(one.price) if facts.is_multi_leg else price_words(one.price)
        detail = ", ".join((f"{plain(one.quantity)} @ {price}", *one.notes))
        yield OrderEvent(at=one.at, word="fill" if whole else "partial fill", detail=detail)


def _whole_quantity(facts: OrderFacts) -> float | None:
    """An order of a sum of money has no quantity; once filled, what was filled is its whole."""
    reported = facts.latest("qty")
    if reported is None and facts.latest("status") == "filled":
        reported = facts.latest("filled_qty")
    whole: float | None = reported
    return whole


def _other_events(facts: OrderFacts) -> Iterable[OrderEvent]:
    """Return the events beyond the plain course of an order: held, cancel refused, bust and the like."""
    for at, event, reason in facts.events:
        if event in CORRECTIONS:
            meant = [one for one in facts.corrections if (one.event, one.at) == (event, at)]
            detail = fill_words(_float(meant[0].quantity), _float(meant[0].price)) if meant else ""
            yield OrderEvent(at=at, word=event_words(event), detail=detail)
        elif event not in _TOLD_OTHERWISE:
            yield OrderEvent(at=at, word=event_words(event), detail=reason or "")


def _float(number: object) -> float | None:
    return None if number is None else float(number)  # type: ignore[arg-type]


def _terms(facts: OrderFacts) -> str:
    """`5 @ 1.65 limit`."""
    limit = facts.latest("limit_price")
    price = "" if limit is None else net_words(limit) if facts.is_multi_leg else price_words(limit)
    kind = facts.latest("type") or ""
    terms = " ".join(part for part in (price, event_words(kind) if kind else "") if part)
    quantity = facts.latest("qty")
    return " @ ".join(part for part in (plain(quantity) if quantity else "", terms) if part)


def _difference(before: OrderFacts, after: OrderFacts) -> str:
    """`limit 1.60 → 1.55, quantity 5 → 3`."""
    changes = []
    for name, label, words in (
        ("limit_price", "limit", net_words if before.is_multi_leg else price_words),
        ("stop_price", "stop", price_words),
        ("qty", "quantity", plain),
    ):
        old, new = before.latest(name), after.latest(name)
        if old != new and new is not None:
            changes.append(f"{label} {words(old)} → {words(new)}")
    return ", ".join(changes)
