"""The hand-over between the streams' threads and the consumer."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.run.inbox import Batch, EventInbox
from options_helper.market import StreamName

AT = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)


def _quotes(*names: Any, stream: StreamName = StreamName.OPTIONS) -> Batch:
    return Batch(stream, AT, quotes=names)


def _orders(*names: Any) -> Batch:
    return Batch(StreamName.FILLS, AT, orders=names)


def _drain(inbox: EventInbox) -> list[Batch]:
    inbox.close()
    taken = []
    while (batch := inbox.take()) is not None:
        taken.append(batch)
    return taken


def test_batches_come_out_in_order() -> None:
    """Market batches are taken in the order in which they were offered."""
    inbox = EventInbox(8)
    first, second = _quotes("a"), _quotes("b")
    inbox.offer(first)
    inbox.offer(second)
    assert inbox.depth == 2
    assert _drain(inbox) == [first, second]
    assert inbox.depth == 0


def test_order_updates_overtake_market_data() -> None:
    """Order updates are taken first, whatever was offered before them."""
    inbox = EventInbox(8)
    market, orders = _quotes("a"), _orders("o")
    inbox.offer(market)
    inbox.offer(orders)
    assert _drain(inbox) == [orders, market]


def test_the_oldest_market_batch_is_dropped_and_its_messages_are_counted() -> None:
    """A full market lane drops its oldest batch and counts its messages by stream."""
    inbox = EventInbox(2)
    inbox.offer(_quotes("a", "b", stream=StreamName.STOCKS))
    inbox.offer(Batch(StreamName.OPTIONS, AT, quotes=("c",), trades=("d", "e")))
    inbox.offer(_quotes("f"))
    inbox.offer(_quotes("g"))
    assert inbox.dropped == {"stocks": 2, "options": 3}
    assert [batch.quotes for batch in _drain(inbox)] == [("f",), ("g",)]


def test_a_trading_status_is_never_dropped_for_quotes() -> None:
    """A halt or its end is delivered, however many quotes follow."""
    inbox = EventInbox(1)
    halt, end = (Batch(StreamName.STOCKS, AT, statuses=(word,)) for word in ("halt", "end"))
    inbox.offer(halt)
    inbox.offer(end)
    for name in "abc":
        inbox.offer(_quotes(name, stream=StreamName.STOCKS))
    assert inbox.depth == 3
    assert _drain(inbox) == [halt, end, _quotes("c", stream=StreamName.STOCKS)]
    assert inbox.dropped == {"stocks": 2}


def test_nothing_is_dropped_before_the_lane_is_full() -> None:
    """Exactly `maxsize` batches fit."""
    inbox = EventInbox(3)
    for name in "abc":
        inbox.offer(_quotes(name))
    assert inbox.dropped == {}


@given(st.lists(st.booleans(), max_size=200), st.integers(min_value=1, max_value=5))
def test_no_order_update_is_ever_lost(kinds: list[bool], maxsize: int) -> None:
    """However much market data arrives, each order update is delivered and each lost message counted."""
    inbox = EventInbox(maxsize)
    for number, is_order in enumerate(kinds):
        inbox.offer(_orders(number) if is_order else _quotes(number))
    taken = _drain(inbox)
    orders = [batch.orders[0] for batch in taken if batch.orders]
    quotes = [batch.quotes[0] for batch in taken if batch.quotes]
    assert orders == [number for number, is_order in enumerate(kinds) if is_order]
    offered = [number for number, is_order in enumerate(kinds) if not is_order]
    assert quotes == offered[-maxsize:]
    assert sum(inbox.dropped.values()) == len(offered) - len(quotes)


def test_take_waits_for_an_offer(wait_until) -> None:
    """A consumer without a batch sleeps until one is offered."""
    inbox = EventInbox(2)
    taken: list[Batch | None] = []
    consumer = threading.Thread(target=lambda: taken.append(inbox.take()), daemon=True)
    consumer.start()
    assert not taken
    batch = _quotes("a")
    inbox.offer(batch)
    wait_until(lambda: taken)
    consumer.join()
    assert taken == [batch]


def test_close_wakes_a_waiting_consumer() -> None:
    """A consumer that waits on an empty inbox is woken when the inbox is closed."""
    inbox = EventInbox(2)
    taken: list[Batch | None] = []
    consumer = threading.Thread(target=lambda: taken.append(inbox.take()), daemon=True)
    consumer.start()
    inbox.close()
    consumer.join(20)
    assert taken == [None]


def test_many_threads_offer_without_loss(wait_until) -> None:
    """All simultaneous offers from many threads are taken."""
    inbox = EventInbox(10_000)
    gate = threading.Barrier(4)

    def offer(base: int) -> None:
        gate.wait()
        for number in range(base, base + 200):
            inbox.offer(_orders(number) if number % 2 else _quotes(number))

    threads = [threading.Thread(target=offer, args=(base,), daemon=True) for base in (0, 200, 400, 600)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    taken = [item for batch in _drain(inbox) for item in (*batch.orders, *batch.quotes)]
    assert sorted(taken) == list(range(800))
