"""The path of a stream's messages from the reader's connection to its run."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field

import pytest

from options_helper.data.streaming.connection.observer import SilentObserver
from options_helper.data.streaming.normalize.wire import WireQuote
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.streamers import StreamRequest
from options_helper.errors import StreamInterrupted
from options_helper.market import StreamName
from options_helper.relay.reader import channel as channel_module
from options_helper.relay.reader.channel import Channel, RelayStreamer
from options_helper.relay.wire import SCHEMA, Batch, Grant, encode

CALL, OTHER = "AAPL261218C00250000", "MSFT261218C00500000"
GRANT = Grant(streaming=[CALL])


@dataclass
class Run(SilentObserver):
    """A run that records what a streamer passes to it.

    Attributes:
        enough: The number of quotes after which the streamer is stopped.
    """

    enough: int
    channel: Channel = field(default_factory=lambda: Channel(StreamName.OPTIONS))
    quotes: list[WireQuote] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    malformed: int = 0
    granted: list[frozenset[str] | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build the streamer."""
        config = LiveStreamConfig(option_contracts=[CALL])
        request = StreamRequest(StreamName.OPTIONS, config, self, self.offer, lose=self.lost.append)
        self.streamer = RelayStreamer(request, self.channel)

    def offer(self, kind: str, items: object, received_at: dt.datetime | None = None) -> None:
        """Record quotes."""
        assert kind == "quotes"
        assert received_at is None
        assert isinstance(items, list)
        self.quotes += items
        if len(self.quotes) >= self.enough:
            self.streamer.stop()

    def subscribed(self, granted: frozenset[str] | None) -> None:
        """Record the acknowledgement."""
        self.granted.append(granted)

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        """Record malformed messages."""
        assert messages >= malformed
        assert not conflated
        assert not waited
        self.malformed += malformed


def _batch(first: int, *symbols: str, epoch: str = "e") -> bytes:
    return encode(Batch(epoch, first, 0, [WireQuote(symbol, float(first), 9.0) for symbol in symbols]))


def test_only_the_readers_own_symbols_arrive_and_nothing_counts_as_lost() -> None:
    """Another reader's rows are left out, but count in the number of rows."""
    run = Run(enough=2)
    run.channel.set_state(GRANT, "")
    for message in (_batch(0, CALL, OTHER), _batch(2, OTHER), _batch(3, CALL)):
        run.channel.put(message)
    run.streamer.run()
    assert [quote.bid_price for quote in run.quotes] == [0.0, 3.0]
    assert run.lost == []
    assert run.granted == [frozenset({CALL})]


def test_a_slow_reader_counts_what_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest waiting batches are dropped, and the gap in the number of rows is reported."""
    monkeypatch.setattr(channel_module, "_MOST_BATCHES", 2)
    run = Run(enough=3)
    run.channel.set_state(GRANT, "")
    run.channel.put(_batch(0, CALL))
    taker = threading.Thread(target=run.streamer.run)
    offer, gate, is_busy = run.offer, threading.Event(), threading.Event()

    def slow(kind: str, items: object, received_at: dt.datetime | None = None) -> None:
        is_busy.set()
        assert gate.wait(10)
        offer(kind, items, received_at)

    monkeypatch.setattr(
        run.streamer,
        "_request",
        StreamRequest(
            StreamName.OPTIONS, LiveStreamConfig(option_contracts=[CALL]), run, slow, lose=run.lost.append
        ),
    )
    taker.start()
    assert is_busy.wait(10)
    for first in range(1, 8):
        run.channel.put(_batch(first, CALL))
    gate.set()
    taker.join(10)
    assert run.lost == [5]
    assert [quote.bid_price for quote in run.quotes] == [0.0, 6.0, 7.0]


def test_another_relay_counts_from_the_beginning() -> None:
    """The first batch of another relay does not count as a gap."""
    run = Run(enough=2)
    run.channel.set_state(GRANT, "")
    run.channel.put(_batch(5, CALL))
    run.channel.put(_batch(0, CALL, epoch="next"))
    run.streamer.run()
    assert run.lost == []


def test_a_message_in_another_version_is_counted() -> None:
    """A batch that cannot be read counts as malformed, and the next one is read."""
    run = Run(enough=1)
    run.channel.set_state(GRANT, "")
    run.channel.put(bytes((SCHEMA + 1, 0)))
    run.channel.put(_batch(0, CALL))
    run.streamer.run()
    assert run.malformed == 1


def test_a_stream_that_another_relay_does_not_carry_yet_is_interrupted() -> None:
    """After a change of relays, the stream is not running until the new one answers."""
    run = Run(enough=1)
    run.channel.set_state(GRANT, "")
    timer = threading.Timer(0.05, run.channel.set_state, (None, ""))
    timer.start()
    with pytest.raises(StreamInterrupted, match="the relay is connecting to Alpaca"):
        run.streamer.run()
    timer.join()


def test_a_short_interruption_is_reported() -> None:
    """A reason ends the connection even if it is over before the stream's thread notices it."""
    run = Run(enough=1)
    taking = threading.Thread(target=run.channel.set_state, args=(GRANT, ""))

    def interrupt(_granted: frozenset[str] | None) -> None:
        run.channel.set_state(GRANT, "this computer did not read")
        taking.start()
        taking.join()

    run.subscribed = interrupt  # type: ignore[method-assign]
    run.channel.set_state(GRANT, "")
    with pytest.raises(StreamInterrupted, match="this computer did not read"):
        run.streamer.run()


def test_each_reason_ends_the_connection_once() -> None:
    """A reason interrupts the stream once, and the stream then waits for its end or another reason."""
    run = Run(enough=1)
    run.channel.set_state(None, "the relay is away")
    with pytest.raises(StreamInterrupted, match="the relay is away"):
        run.streamer.run()
    timer = threading.Timer(0.05, run.channel.set_state, (None, "NATS is away"))
    timer.start()
    with pytest.raises(StreamInterrupted, match="NATS is away"):
        run.streamer.run()
    timer.join()
    run.channel.put(_batch(0, CALL))
    timer = threading.Timer(0.05, run.channel.set_state, (GRANT, ""))
    timer.start()
    run.streamer.run()
    timer.join()
    assert len(run.quotes) == 1
