"""The hand-over from the streams' threads to the consumer."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from options_helper.market import StreamName


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a stream's quotes and trades, trading statuses, corrections or order updates.

    Attributes:
        received_at: When the batch was handed over; every row in it was received by then.
    """

    stream: StreamName
    received_at: dt.datetime
    quotes: Sequence[object] = ()
    trades: Sequence[object] = ()
    statuses: Sequence[object] = ()
    corrections: Sequence[object] = ()
    orders: Sequence[object] = ()

    @property
    def messages(self) -> int:
        """The number of messages that would be lost with this batch."""
        return sum(
            len(part) for part in (self.quotes, self.trades, self.statuses, self.corrections, self.orders)
        )


class EventInbox:
    """A queue with two lanes: the market lane is bounded and drops its oldest batch; the other never drops.

    The other lane holds order updates and trading statuses, which are rare and which no later message
    replaces; `take` serves it first. `offer` may be called from any thread, and never blocks or raises.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._market: deque[Batch] = deque()
        self._kept: deque[Batch] = deque()
        self._dropped: Counter[str] = Counter()
        self._ready = threading.Condition()
        self._closed = False

    def offer(self, batch: Batch) -> Batch | None:
        """Hand over a batch; if the market lane is full, drop, count and return its oldest batch."""
        lost = None
        with self._ready:
            if batch.orders or batch.statuses:
                self._kept.append(batch)
            else:
                if len(self._market) >= self._maxsize:
                    lost = self._market.popleft()
                    self._dropped[lost.stream] += lost.messages
                self._market.append(batch)
            self._ready.notify()
        return lost

    def take(self) -> Batch | None:
        """Return the next batch, waiting until there is one; None once the inbox is closed and empty."""
        with self._ready:
            while True:
                if self._kept:
                    return self._kept.popleft()
                if self._market:
                    return self._market.popleft()
                if self._closed:
                    return None
                self._ready.wait()

    def close(self) -> None:
        """Let `take` return None once everything is taken."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def count_lost(self, stream: StreamName, messages: int) -> None:
        """Count messages that were lost before they reached the inbox."""
        with self._ready:
            self._dropped[stream] += messages

    @property
    def depth(self) -> int:
        """The number of batches waiting in both lanes."""
        return len(self._market) + len(self._kept)

    @property
    def dropped(self) -> dict[str, int]:
        """The number of messages lost since the inbox was created, by stream."""
        with self._ready:
            return dict(self._dropped)
