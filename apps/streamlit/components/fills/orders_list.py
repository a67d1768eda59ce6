"""The day's orders: each with its course from new to its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from apps.streamlit.components.fills.list_rows import SHOWN, Row, list_rows, quiet
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.fills.records import OrderTimeline
from options_helper.analysis.text.fills import event_words, net_words, plain, price_words
from options_helper.analysis.text.wording import count, format_time

_TIFS = {"gtc": "GTC", "opg": "at the open", "cls": "at the close", "ioc": "IOC", "fok": "FOK"}


def orders_html(book: FillDay, zone: dt.tzinfo) -> str:
    """The orders as a list, newest change first, the legs of a spread or bracket under their order."""
    if not book.orders:
        return quiet("No orders yet today.")
    rows = (row for story in book.orders[:SHOWN] for row in _rows(story, zone))
    older = len(book.orders) - SHOWN
    return list_rows("Orders", rows) + quiet(
        f"{count(older, 'older order')} not listed." if older > 0 else ""
    )


def _rows(story: OrderTimeline, zone: dt.tzinfo) -> Iterator[Row]:
    time = format_time(story.changed_at, zone)
    yield Row(time, story.words, event_words(story.status), _details(story), hover=story.symbol)
    for leg in story.legs:
        yield Row(
            "", leg.words, event_words(leg.status), _leg_details(leg), hover=leg.symbol, classes="oh-leg"
        )


def _details(story: OrderTimeline) -> str:
    average = net_words(story.average_price) if story.is_multi_leg else price_words(story.average_price)
    parts = [
        _terms(story),
        f"{plain(story.filled)} filled" if story.filled else "",
        f"avg {average}" if story.filled and story.average_price is not None else "",
        _course(story),
        story.note,
    ]
    return " · ".join(part for part in parts if part)


def _leg_details(leg: OrderTimeline) -> str:
    filled = f"{plain(leg.filled)} filled" if leg.filled else ""
    return " · ".join(part for part in (_terms(leg), filled, leg.reject_reason, leg.note) if part)


def _terms(story: OrderTimeline) -> str:
    """Return an order's own terms: `buy to open 5 limit 1.65 day`, `buy for $250.75 market day`."""
    words = [
        story.side_words if story.side or story.intent else "",
        plain(story.quantity) if story.quantity is not None else "",
        f"for ${price_words(story.notional)}" if story.notional is not None else "",
        event_words(story.type) if story.type else "",
        story.limit_words if story.limit_price is not None else "",
        f"stop {price_words(story.stop_price)}" if story.stop_price is not None else "",
        f"trail ${price_words(story.trail_price)}" if story.trail_price is not None else "",
        f"trail {plain(story.trail_percent)}%" if story.trail_percent is not None else "",
        _TIFS.get(story.tif or "", event_words(story.tif)) if story.tif else "",
        "extended hours" if story.extended_hours else "",
    ]
    return " ".join(word for word in words if word)


def _course(story: OrderTimeline) -> str:
    """Return `new → replaced (limit 1.60 → 1.65) → fill (4 @ 1.65)`, preceded by the original terms."""
    steps = [
        f"{step.word} ({step.detail})" if step.detail and step.word != "new" else step.word
        for step in story.steps
    ]
    course = " → ".join(steps)
    is_named = not story.reject_reason or story.reject_reason in course
    return course if is_named else f"{course} · {story.reject_reason}"
