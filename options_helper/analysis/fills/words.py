"""Executions, orders and the completeness of a day in words."""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.fills.order_facts import CORRECTIONS, PriceOrigin
from options_helper.analysis.fills.records import (
    Completeness,
    Execution,
    FillFact,
    FillKind,
    OrderEvent,
    OrderTimeline,
    TermChange,
)
from options_helper.analysis.text.order_words import (
    MULTI_LEG_WORDS,
    contract_words,
    event_words,
    fill_words,
    net_words,
    plain,
    price_words,
    side_words,
)
from options_helper.analysis.text.wording import count, format_minute, format_time, join_words
from options_helper.market import FillGap

_MOST_SPANS = 3  # the newest gaps are named, earlier ones only counted
_NO_REASON = "no reason reported"  # REST never reports one, the stream only sometimes
_TERMS = {
    "limit_price": "limit",
    "stop_price": "stop",
    "trail_price": "trail",
    "trail_percent": "trail percent",
    "qty": "quantity",
}


def execution_name(one: Execution) -> str:
    """Return an execution's name, such as `AAPL 18 Dec 2026 250 call` or `AAPL multi-leg`."""
    if one.kind is FillKind.PARENT:
        return f"{one.symbol} multi-leg" if one.symbol else MULTI_LEG_WORDS
    return contract_words(one.symbol)


def execution_price(one: Execution) -> str:
    """Return an execution's price, such as `1.62`, or `1.62 credit` for a multi-leg line; `—` if unknown."""
    return net_words(one.price) if one.kind is FillKind.PARENT else price_words(one.price)


def trade_words(one: Execution) -> str:
    """Return a trade in words, such as `buy to open AAPL 18 Dec 2026 250 call 2 @ 1.62`."""
    side, name = side_words(one.side, one.intent), execution_name(one)
    return f"{side} {name} {fill_words(one.quantity, one.price)}"


def execution_notes(one: Execution) -> tuple[str, ...]:
    """Return the remarks on an execution, such as `not confirmed` or `busted`."""
    notes = []
    if not one.confirmed:
        notes.append("not confirmed")
    if one.busted:
        notes.append("busted")
    if one.busted_legs:
        notes.append(f"{count(one.busted_legs, 'leg')} busted")
    if one.corrected:
        notes.append(f"corrected, was {fill_words(*one.was)}" if one.was else "corrected")
    if one.price_origin is PriceOrigin.DERIVED:
        notes.append("price derived from averages")
    if one.price_origin is PriceOrigin.MIXED:
        notes.append("no net price for shares with contracts")
    return tuple(notes)


def order_name(order: OrderTimeline) -> str:
    """Return an order's contract or stock in words, or its legs' for a multi-leg order."""
    if order.is_multi_leg and order.legs:
        return " / ".join(contract_words(leg.symbol) for leg in order.legs)
    return MULTI_LEG_WORDS if order.is_multi_leg and not order.symbol else contract_words(order.symbol)


def order_price(order: OrderTimeline, price: float | None) -> str:
    """Return a price of an order, such as `1.65`, or `1.65 debit` for a multi-leg order; `—` if none."""
    return net_words(price) if order.is_multi_leg else price_words(price)


def event_detail(step: OrderEvent, order: OrderTimeline) -> str:
    """Return an event's detail, such as `5 @ 1.65 limit`, `limit 1.60 → 1.55` or a reason, or ""."""
    if step.execution is not None:
        one = step.execution
        return ", ".join((f"{plain(one.quantity)} @ {execution_price(one)}", *execution_notes(one)))
    if step.event == "new":
        return _first_terms(step, order)
    if step.event in CORRECTIONS:
        return fill_words(*step.figures) if step.figures else ""
    if step.event == "rejected":
        return step.reason or _NO_REASON
    return ", ".join(_change(one, order) for one in step.changes) or step.reason


def contradiction_words(order: OrderTimeline) -> str:
    """Return an order's contradiction in words, or ""."""
    if order.contradiction is None:
        return ""
    fills, reported = order.contradiction
    return f"its fills add up to {plain(fills)}, but the order reports {plain(reported)}"


def fill_fact_words(fact: FillFact, zone: dt.tzinfo) -> str:
    """Return a fact in words, such as `2 contracts sold 10:42, after the file was saved`.

    The contract is named if the position holds several.
    """
    noun = "contract" if fact.is_contract else "share"
    noun = noun if fact.quantity == 1 else f"{noun}s"
    if fact.of_several and fact.is_contract:
        noun = f"{noun} of {contract_words(fact.symbol)}"
    verb = "bought" if fact.bought else "sold"
    sentence = f"{plain(fact.quantity)} {noun} {verb} {format_minute(fact.at, zone)}"
    if fact.shared_with:
        sentence += f" (in total, including {join_words(fact.shared_with)})"
    if fact.after_save is None:
        return sentence
    return f"{sentence}, {'after' if fact.after_save else 'before'} the file was saved"


def completeness_words(day: Completeness, zone: dt.tzinfo) -> str:
    """Return the completeness in words, such as `complete since 09:30` or the gaps."""
    if day.complete:
        return f"complete since {format_minute(day.since, zone)}"
    return "; ".join(part for part in (_missed(day, zone), _unread(day, zone)) if part)


def _first_terms(step: OrderEvent, order: OrderTimeline) -> str:
    """Return the terms of a new order, such as `5 @ 1.65 limit`."""
    quantity, limit = step.figures or (None, None)
    price = "" if limit is None else order_price(order, limit)
    kind = event_words(step.order_type) if step.order_type else ""
    terms = " ".join(part for part in (price, kind) if part)
    return " @ ".join(part for part in (plain(quantity) if quantity else "", terms) if part)


def _change(change: TermChange, order: OrderTimeline) -> str:
    """Return a changed term in words, such as `limit 1.60 → 1.55` or `quantity 5 → 3`."""
    if change.name in {"qty", "trail_percent"}:
        old, new = plain(change.before), plain(change.after)
    elif change.name == "limit_price":
        old, new = order_price(order, change.before), order_price(order, change.after)
    else:
        old, new = price_words(change.before), price_words(change.after)
    return f"{_TERMS[change.name]} {old} → {new}"


def _unread(day: Completeness, zone: dt.tzinfo) -> str:
    if not day.unreadable.count or day.unreadable.since is None:
        return ""
    rows = count(day.unreadable.count, "row")
    return f"{rows} from Alpaca could not be read since {format_time(day.unreadable.since, zone)}"


def _missed(day: Completeness, zone: dt.tzinfo) -> str:
    if day.gaps:
        return f"fills {join_words(_spans(day, zone))} not confirmed"
    if day.unconfirmed:
        return f"{plain(day.unconfirmed_quantity)} in {count(day.unconfirmed, 'fill')} not confirmed"
    if not day.contradictions:
        return ""
    reported = "the order reports" if day.contradictions == 1 else "the orders report"
    return f"the fills of {count(day.contradictions, 'order')} add up to more than {reported}"


def _spans(day: Completeness, zone: dt.tzinfo) -> list[str]:
    spans = [_span(gap, day.day_start, zone) for gap in day.gaps[-_MOST_SPANS:]]
    earlier = len(day.gaps) - len(spans)
    return [f"in {count(earlier, 'earlier span')}", *spans] if earlier else spans


def _span(gap: FillGap, day_start: dt.datetime, zone: dt.tzinfo) -> str:
    if gap.end is None:
        return f"since {format_time(gap.start, zone)}"
    if gap.start <= day_start:
        return f"before {format_time(gap.end, zone)}"
    return f"between {format_time(gap.start, zone)} and {format_time(gap.end, zone)}"
