"""The words of a reader whose streams deliver nothing, and times across two clocks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from options_helper.data.streaming.reconnect.worker import StreamWorker, WorkerDependencies
from options_helper.data.streaming.run.cache import LiveCache
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.market import FillGap, StreamFailure, StreamHealth, StreamName, StreamState
from options_helper.relay.reader.reasons import LinkState, explain
from options_helper.relay.reader.received import Receiver
from options_helper.relay.wire import Facts, Heartbeat

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
WELL = StreamHealth(StreamName.OPTIONS, StreamState.RUNNING, connected_at=NOON)
PULSE = Heartbeat("e", 1, NOON, {StreamName.OPTIONS: WELL}, stored=0)
ENDED = Heartbeat("e", 2, NOON, {StreamName.OPTIONS: WELL}, ended="the relay was stopped; start it again")
STATE = LinkState(where="nats://host:4222", is_connected=True, heartbeat=PULSE)


def _with(state: StreamState, words: str = "the connection was reset") -> LinkState:
    health = replace(WELL, state=state, last_failure=StreamFailure(words, NOON))
    return replace(STATE, heartbeat=Heartbeat("e", 1, NOON, {StreamName.OPTIONS: health}))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (STATE, ""),
        (replace(STATE, heartbeat=None), ""),
        (_with(StreamState.CONNECTING), ""),
        (replace(STATE, is_connected=False), ""),
        (
            replace(STATE, is_connected=False, trouble="nothing listens there", silent_seconds=9),
            "NATS at nats://host:4222 is not reachable (nothing listens there); check that nats-server runs",
        ),
        (
            replace(STATE, is_connected=False, trouble="NATS did not accept the token"),
            "NATS at nats://host:4222 is not reachable (NATS did not accept the token); check its",
        ),
        (
            replace(STATE, heartbeat=None, silent_seconds=9),
            "no relay publishes at nats://host:4222; start one",
        ),
        (
            replace(STATE, silent_seconds=9),
            "the relay has stopped publishing; check that options-helper relay",
        ),
        (replace(STATE, heartbeat=ENDED), "the relay was stopped; start it again"),
        (replace(STATE, heartbeat=ENDED, silent_seconds=9), "the relay was stopped; start it again"),
        (
            replace(STATE, heartbeat=ENDED, is_connected=False, trouble="nothing listens there"),
            "NATS at nats://host:4222 is not reachable",
        ),
        (
            replace(STATE, is_connected=False, trouble="unexpected EOF", late_seconds=7.4),
            "this computer did not read for 7 s, so NATS closed the connection",
        ),
        (
            replace(STATE, heartbeat=None, silent_seconds=9, has_jetstream=False),
            "no relay publishes, because NATS at nats://host:4222 has no JetStream, which the relay",
        ),
        (replace(STATE, mismatch="the relay is newer"), "the relay is newer"),
        (
            replace(
                STATE, heartbeat=None, silent_seconds=9, denied="this user may not subscribe to oh.state"
            ),
            "NATS at nats://host:4222 denies this reader what it needs: this user may not subscribe to oh.st",
        ),
        (
            replace(STATE, refusal="at most 200 readers"),
            "the relay does not serve this reader: at most 200 readers",
        ),
        (_with(StreamState.RECONNECTING), "the relay is running, but its option stream is reconnecting: the"),
        (_with(StreamState.ERROR, "the key"), "the relay's option stream ended: the key; it is not retried"),
    ],
)
def test_each_cause_has_its_own_words(state: LinkState, words: str) -> None:
    """NATS, the relay, its version and its own stream are distinguished; at the start there is no reason."""
    assert explain(state, StreamName.OPTIONS).startswith(words)
    assert bool(words) == bool(explain(state, StreamName.OPTIONS))


def test_order_updates_that_cannot_be_stored_concern_only_the_fills() -> None:
    """While JetStream refuses order updates, the fills say how many wait, and the prices continue."""
    state = replace(
        STATE, heartbeat=Heartbeat("e", 1, NOON, {}, unstored=2, trouble="JetStream refused them")
    )
    assert explain(state, StreamName.FILLS).startswith("the relay has 2 order updates that it cannot store")
    one = replace(STATE, heartbeat=Heartbeat("e", 1, NOON, {}, unstored=1, trouble="JetStream refused them"))
    assert explain(one, StreamName.FILLS).startswith("the relay has 1 order update that it cannot store")
    assert explain(state, StreamName.STOCKS) == ""


def test_a_refused_reader_still_receives_the_fills() -> None:
    """The limits concern symbols, which order updates do not need."""
    assert explain(replace(STATE, refusal="at most 200 readers"), StreamName.FILLS) == ""


def test_times_are_converted_to_the_readers_clock() -> None:
    """All times are shifted by the difference between the reader's clock and the relay's."""
    workers = {
        StreamName.OPTIONS: StreamWorker(StreamName.OPTIONS, WorkerDependencies(_refuse, lambda *_: None))
    }
    cache = LiveCache()
    gaps = FillGaps(NOON - SECOND, cache.apply_gaps)
    results = RestResults(cache, workers, gaps)
    receiver = Receiver(results, LiveStreamConfig(option_contracts=["AAPL261218C00250000"]))
    receiver.take_facts(Facts("e", clock_offset=0.5))
    receiver.take_clock(NOON + 10 * SECOND, NOON + SECOND, NOON + 12 * SECOND)
    assert receiver.shift == 10 * SECOND
    assert results.measured_offset == 10.5
    receiver.take_complete(
        Heartbeat("e", 1, NOON, {StreamName.OPTIONS: replace(WELL, complete_at=NOON + SECOND)}),
        is_whole=False,
    )
    assert workers[StreamName.OPTIONS].health.complete_at == NOON + 11 * SECOND
    receiver.take_gaps([FillGap(NOON, NOON + SECOND, "why")])
    assert cache.state.fill_gaps == (FillGap(NOON + 10 * SECOND, NOON + 11 * SECOND, "why"),)


def test_prices_are_complete_only_if_the_relays_are() -> None:
    """A loss at the relay after its last complete answer leaves the reader's prices unconfirmed."""
    worker = StreamWorker(StreamName.OPTIONS, WorkerDependencies(_refuse, lambda *_: None))
    results = RestResults(LiveCache(), {StreamName.OPTIONS: worker}, None)
    receiver = Receiver(results, LiveStreamConfig())
    lost = replace(WELL, complete_at=NOON + SECOND, lost_at=NOON + 2 * SECOND)
    receiver.take_complete(Heartbeat("e", 1, NOON + 3 * SECOND, {StreamName.OPTIONS: lost}), is_whole=True)
    assert worker.health.complete_at is None


def _refuse(_worker: StreamWorker) -> StreamWorker:
    raise AssertionError("nothing connects in these tests")
