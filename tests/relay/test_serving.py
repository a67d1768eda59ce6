"""A relay before it leads, and the answers that it gives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")


import nats.errors

from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import LiveRun, RunParts
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from options_helper.relay import command
from options_helper.relay.ledger.account import OtherAccount
from options_helper.relay.ledger.orders import OrderOutbox
from options_helper.relay.relay import Relay
from options_helper.relay.requests import Requests
from options_helper.relay.wire import STATE_SUBJECT, Ask, Grant, Heartbeat, decode, encode
from options_helper.times import SteadyClock

KEYS = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret"}


class Bus:
    """A connection to NATS that only notes what a relay publishes."""

    is_connected = True

    is_closed = True

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.messages: list[bytes] = []

    def jetstream(self) -> None:
        """Offer no JetStream."""

    async def publish(self, subject: str, message: bytes) -> None:
        """Note a message and its subject."""
        self.subjects.append(subject)
        self.messages.append(message)

    async def subscribe(self, _subject: str, **_: object) -> None:
        """Deliver nothing."""


@pytest.mark.parametrize(
    ("reply", "is_answered"),
    [
        ("_INBOX.abc.1", True),
        ("", False),
        ("oh.orders.updates", False),
        ("oh.market.options", False),
        ("oh.state", False),
        ("$KV.oh_relay.leader", False),
        ("$JS.API.STREAM.PURGE.oh_orders", False),
    ],
)
def test_answers_go_only_to_inboxes(reply: str, *, is_answered: bool) -> None:
    """A reader cannot make the relay, which may publish everywhere, write to another subject."""

    async def run() -> set[str]:
        bus: Any = Bus()
        parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
        relay = Relay(bus, LiveStreamConfig(stream_fills=False), parts, account="account", limit=10)
        message: Any = SimpleNamespace(data=encode(Ask("reader", ends=True)), reply=reply)
        await relay._answer(message)
        await relay._send_state(message)
        return set(bus.subjects)

    assert asyncio.run(run()) == ({reply} if is_answered else set())


@pytest.mark.parametrize(
    ("error", "leads", "words"),
    [
        (asyncio.CancelledError(), True, "the relay was stopped; start options-helper relay again"),
        (asyncio.CancelledError(), False, "the relay lost its lease; another one takes over"),
        (OtherAccount(), True, "the relay ended, because NATS holds the order updates of another Alpaca"),
        (KeyError("secret"), True, "the relay ended because of an error (KeyError); see the relay's log"),
    ],
)
def test_every_term_ends_with_its_reason(
    error: BaseException, words: str, monkeypatch: pytest.MonkeyPatch, *, leads: bool
) -> None:
    """The last message says why the term has ended, even if this process may publish nothing else."""

    async def nothing(_outbox: OrderOutbox) -> None:
        pass

    async def fail(_outbox: OrderOutbox) -> None:
        raise error

    monkeypatch.setattr(OrderOutbox, "open", nothing)
    monkeypatch.setattr(OrderOutbox, "store_all", fail)

    async def run() -> bytes:
        bus: Any = Bus()
        parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
        config = LiveStreamConfig(stream_stocks=False, stream_options=False, stream_fills=False)
        relay = Relay(bus, config, parts, account="account", limit=10, leads=lambda: leads)
        with contextlib.suppress(OtherAccount, KeyError):
            await relay.serve()
        assert bus.subjects[-1] == STATE_SUBJECT
        message: bytes = bus.messages[-1]
        return message

    last = decode(asyncio.run(run()))
    assert isinstance(last, Heartbeat)
    assert last.ended.startswith(words)


def _requests(config: LiveStreamConfig) -> Requests:
    parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
    return Requests(LiveRun(config, parts), "relay", limit=10)


def test_only_the_plans_limit_counts_as_polled() -> None:
    """A contract that awaits Alpaca's answer is pending; one over the limit is polled."""
    ours, over = "AAPL261218C00250000", "AAPL261218P00250000"

    async def run() -> Grant:
        requests = _requests(LiveStreamConfig(option_contracts=[ours], polled_contracts=[over]))
        requests._run.results.put_polling(StreamName.OPTIONS, [ours, over], 5.0)
        return requests.answer(encode(Ask("reader", contracts=[ours, over]))).streams[StreamName.OPTIONS]

    assert asyncio.run(run()) == Grant(pending=[ours], polled=[over], channels=20)


@pytest.mark.parametrize("ask_first", [True, False])
def test_an_ended_term_subscribes_to_nothing(*, ask_first: bool) -> None:
    """A reader that asks while a relay ends its streams starts none, as they would go on in the next term."""
    asked = encode(Ask("reader", stocks=["AAPL"]))

    async def run() -> dict[StreamName, object]:
        requests = _requests(LiveStreamConfig(stream_fills=False))
        if ask_first:
            requests.answer(asked)
        await requests.end()
        requests.answer(asked)
        await requests.end()
        assert requests._changing is None
        return dict(requests._run.workers)

    assert asyncio.run(run()) == {}


def test_answers_that_are_too_large_are_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader can neither fill the disk with log lines nor write control characters to a terminal."""

    async def refuse(*_: object) -> None:
        raise nats.errors.MaxPayloadError

    async def run() -> None:
        bus: Any = Bus()
        monkeypatch.setattr(bus, "publish", refuse)
        parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
        relay = Relay(bus, LiveStreamConfig(stream_fills=False), parts, account="account", limit=10)
        for number in range(3):
            message: Any = SimpleNamespace(data=b"", reply=f"_INBOX.\x1b[31m{number}")
            await relay._answer(message)

    asyncio.run(run())
    lines = [record.getMessage() for record in caplog.records if "publish" in record.getMessage()]
    assert lines == ["A message to a reader was not published: MaxPayloadError."]


def test_garbage_is_logged_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    """A reader that publishes garbage cannot fill the disk with log lines."""
    requests = _requests(LiveStreamConfig(stream_fills=False))
    for _ in range(250):
        requests.answer(b"garbage")
    assert [record.args[0] for record in caplog.records if record.args] == [1, 10, 100]  # type: ignore[index]


def test_a_small_request_fills_no_memory() -> None:
    """A request that would decompress to far more than any honest one is refused undecoded."""
    requests = _requests(LiveStreamConfig(stream_fills=False))
    bomb = encode(Ask("reader", contracts=["AB"] * 1_000_000))
    assert len(bomb) < 50_000
    answer = requests.answer(bomb)
    assert "too large" in answer.refusal
    assert requests.read(bomb) is None
    honest = [f"AAPL261218C{number:08}" for number in range(20_000)]
    assert "20,000 contracts" in requests.answer(encode(Ask("reader", contracts=honest))).refusal
    assert "name" in requests.answer(encode(Ask("r" * 100_000))).refusal


IMPORTS = """
import asyncio, sys
from types import SimpleNamespace
from options_helper.relay import command

async def nothing(*_):
    pass

async def stand_by(_term):
    print({"httpx", "alpaca.data.live", "alpaca.trading.stream"} - set(sys.modules))

async def connect(*_, **_more):
    return SimpleNamespace(close=nothing, jetstream=lambda: SimpleNamespace(account_info=nothing))

command.connect_to_nats = connect
command.find_account = command.refuse_other = nothing
command.Leadership = lambda *_, **_more: SimpleNamespace(run=stand_by)
options = SimpleNamespace(shown="nats://host:4222")
asyncio.run(command.serve(None, options, lambda _words: None))
"""


@pytest.mark.integration
def test_imports_end_before_a_relay_leads() -> None:
    """A standby has imported everything, because a slow import could outlast the lease."""
    pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
    found = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout == "set()\n"


def test_a_flood_of_requests_holds_nothing_else_up() -> None:
    """Between two requests, other waiting work is done, such as renewing the lease."""

    async def run() -> list[str]:
        bus: Any = Bus()
        parts = RunParts(builders={}, build_backfill=None, journal=Journal(SteadyClock()))
        relay = Relay(bus, LiveStreamConfig(stream_fills=False), parts, account="account", limit=10)
        done: list[str] = []
        message: Any = SimpleNamespace(data=encode(Ask("reader", ends=True)), reply="_INBOX.abc")

        async def flood() -> None:
            for _ in range(3):
                await relay._answer(message)
                await relay._send_state(message)
                done.append("request")

        async def other() -> None:
            done.append("other")

        flooding = asyncio.create_task(flood())
        await asyncio.gather(flooding, asyncio.create_task(other()))
        return done

    assert asyncio.run(run())[0] == "other"


@pytest.fixture
def _default_hangup() -> Iterator[None]:
    """Let SIGHUP do what it does by default, even if the tests run under `nohup`."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


@pytest.mark.usefixtures("_default_hangup")
@pytest.mark.parametrize(
    "signals", [[signal.SIGINT] * 3, [signal.SIGTERM] * 3, [signal.SIGHUP, signal.SIGINT]]
)
def test_a_second_signal_does_not_interrupt_the_end(
    signals: list[signal.Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often somebody presses Ctrl-C, a relay publishes its last message and frees its lease."""
    steps: list[str] = []

    async def serve(*_: object) -> None:
        try:
            os.kill(os.getpid(), signals[0])
            await asyncio.Event().wait()
        finally:
            for number in signals[1:]:
                os.kill(os.getpid(), number)
                await asyncio.sleep(0.01)  # a signal is handled in the next turn of the loop
            steps.append("ended")

    monkeypatch.setattr(command, "serve", serve)
    command.run_relay("nats://127.0.0.1:4222", steps.append, KEYS)
    assert steps == ["ended"]


@pytest.mark.usefixtures("_default_hangup")
def test_a_signal_that_nohup_ignores_ends_no_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `nohup`, a relay outlives its terminal."""
    assert signal.SIGHUP in command._ending_signals()
    monkeypatch.setattr(signal, "getsignal", lambda _number: signal.SIG_IGN)
    assert signal.SIGHUP not in command._ending_signals()


def test_a_relay_outlives_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that can print nothing any more leads all the same."""
    steps: list[str] = []

    async def serve(_settings: object, _options: object, echo: Callable[[str], None]) -> None:
        echo("This relay leads.")
        steps.append("serves")

    def fail(_words: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(command, "serve", serve)
    command.run_relay("nats://127.0.0.1:4222", fail, KEYS)
    assert steps == ["serves"]
