"""The path of one stream's messages from the reader's connection to its run."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.data.streaming.run.streamers import StreamRequest
from options_helper.errors import OptionsHelperError, StreamInterrupted
from options_helper.market import StreamName
from options_helper.relay.wire import Batch, Grant, OrderUpdate, decode
from options_helper.times import new_york_date, to_microseconds, utc_now

logger = logging.getLogger(__name__)

_MOST_BATCHES = 1000  # about 20 s; a reader that is slower loses the oldest, and says so
_WAIT_SECONDS = 0.5


class Channel:
    """The messages of one stream that wait for its worker, and whether the relay's stream is well.

    The connection's thread writes, the worker's thread reads.

    Attributes:
        stream: The stream.
        shift: How far the run's clock is ahead of the relay's.
        clock: The run's clock.
    """

    def __init__(self, stream: StreamName) -> None:
        self.stream = stream
        self.shift = dt.timedelta()
        self.clock: Callable[[], dt.datetime] = utc_now
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque(maxlen=None if stream is StreamName.FILLS else _MOST_BATCHES)
        self._trouble = self._reported = ""
        self._interruption = ""  # a reason that may be over before the worker looks
        self._grant: Grant | None = None
        self._losses = 0
        self._beats = 0

    def put(self, message: bytes) -> None:
        """Pass on a message."""
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def set_state(self, grant: Grant | None, trouble: str) -> None:
        """Set what is granted, None until it is known, and the reason why nothing arrives, or ""."""
        with self._changed:
            if trouble and self.is_up:
                self._interruption = trouble
            self._grant, self._trouble = grant, trouble
            self._changed.notify_all()

    def beat(self) -> None:
        """Pass on a sign of life of the relay's stream."""
        with self._changed:
            self._beats += 1
            self._changed.notify_all()

    def lose(self) -> None:
        """Report to the worker that the relay itself lost messages."""
        with self._changed:
            self._losses += 1
            self._changed.notify_all()

    @property
    def is_up(self) -> bool:
        """True while the relay's stream is well and Alpaca has answered for the symbols."""
        return self._grant is not None and not self._trouble

    def wait_until_up(self, is_stopped: threading.Event) -> Grant | None:
        """Wait until the stream is up; return None once stopped.

        Raises:
            StreamInterrupted: Nothing arrives, for a reason that was not reported yet.
        """
        with self._changed:
            while not is_stopped.is_set():
                if self._trouble and self._trouble != self._reported:
                    self._raise()
                if self._grant is not None and not self._trouble:
                    self._reported = self._interruption = ""
                    return self._grant
                self._changed.wait(_WAIT_SECONDS)
        return None

    def take(self, seen: _Seen, is_stopped: threading.Event) -> list[bytes] | None:
        """Return the waiting messages, perhaps none after another change; None once stopped.

        Raises:
            StreamInterrupted: Nothing arrives any more.
        """
        with self._changed:
            while not is_stopped.is_set():
                if self._interruption:
                    self._raise()
                now = _Seen(self._beats, self._losses, self._grant or seen.grant)
                if self._messages or now != seen:
                    messages, self._messages = self._messages, deque(maxlen=self._messages.maxlen)
                    seen.beats, seen.losses, seen.grant = now.beats, now.losses, now.grant
                    return list(messages)
                if not self.is_up:
                    self._raise()
                self._changed.wait(_WAIT_SECONDS)
        return None

    def wake(self) -> None:
        """Let waiting calls notice that they were stopped."""
        with self._changed:
            self._changed.notify_all()

    def _raise(self) -> None:
        reason, self._interruption, self._reported = self._interruption, "", self._trouble
        # Without a reason, another relay took over and does not stream yet.
        reason = self._trouble or reason or "the relay is connecting to Alpaca"
        raise StreamInterrupted(self.stream, reason)


class _Seen(msgspec.Struct):
    """The state of a channel that its worker has handled."""

    beats: int
    losses: int
    grant: Grant


class RelayStreamer:
    """A stream from a relay, in place of one from Alpaca; one per connection of the run."""

    def __init__(self, request: StreamRequest, channel: Channel) -> None:
        self._request, self._observer, self._channel = request, request.observer, channel
        self._own = frozenset((*request.config.symbols(request.stream), *request.config.polled_contracts))
        self._stopped = threading.Event()
        self._epoch = ""
        self._next = 0

    def run(self) -> None:
        """Pass on the stream until it is interrupted or stopped.

        Raises:
            StreamInterrupted: NATS, the relay or the relay's own stream is away; the text says which.
        """
        self._observer.step("waiting for the relay")
        grant = self._channel.wait_until_up(self._stopped)
        if grant is None:
            return
        seen = _Seen(-1, -1, grant)
        self._subscribed(grant)
        losses: int | None = None
        while (messages := self._channel.take(seen, self._stopped)) is not None:
            if seen.grant != grant:
                grant = seen.grant
                self._subscribed(grant)
            if losses is not None and seen.losses > losses:
                self._request.lose(0)
            losses = seen.losses
            for message in messages:
                self._pass_on(message)
            self._observer.heard()

    def stop(self) -> None:
        """Make `run()` return."""
        self._stopped.set()
        self._channel.wake()

    def _subscribed(self, grant: Grant) -> None:
        if self._request.stream is StreamName.FILLS:
            self._observer.subscribed(None)
            return
        if grant.invalid:
            self._observer.invalid(frozenset(grant.invalid))
        if grant.polled and grant.channels is not None:  # the plan's limit, not a mistake in the symbols
            self._observer.limited(grant.channels)
        self._observer.subscribed(frozenset(grant.streaming))

    def _pass_on(self, data: bytes) -> None:
        try:
            message = decode(data)
        except (msgspec.MsgspecError, OptionsHelperError):
            self._observer.counted(messages=1, conflated=0, malformed=1)
            return
        if isinstance(message, Batch):
            self._pass_on_batch(message)
        elif isinstance(message, OrderUpdate):
            self._pass_on_order(message)

    def _pass_on_order(self, message: OrderUpdate) -> None:
        received_at = message.received_at + self._channel.shift
        if new_york_date(received_at) == new_york_date(self._channel.clock()):
            self._observer.counted(messages=1, conflated=0, malformed=0)
            self._request.offer("orders", message.update, received_at)

    def _pass_on_batch(self, batch: Batch) -> None:
        if batch.epoch == self._epoch and batch.first != self._next:
            self._request.lose(max(1, batch.first - self._next))
        self._epoch, self._next = batch.epoch, batch.first + batch.rows
        quotes, trades = self._of_own(batch.quotes), self._of_own(batch.trades)
        others = {"statuses": batch.statuses, "corrections": batch.corrections}
        kept = {kind: [row for row in rows if self._is_own(row)] for kind, rows in others.items()}
        rows = {"quotes": quotes, "trades": trades, **kept}
        self._observer.counted(messages=sum(map(len, rows.values())), conflated=0, malformed=0)
        sent_at = batch.sent_at + self._channel.shift // dt.timedelta(microseconds=1)
        self._observer.relayed((to_microseconds(self._channel.clock()) - sent_at) / 1e6)
        for kind, part in rows.items():
            if part:
                self._request.offer(kind, part)

    def _of_own(self, rows: Iterable[WireQuote | WireTrade]) -> list[object]:
        own = self._own
        return [row for row in rows if row.symbol in own]

    def _is_own(self, row: object) -> bool:
        return isinstance(row, dict) and row.get("S") in self._own
