"""A reader's connection to a real nats-server, without a relay."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

if TYPE_CHECKING:
    from nats.aio.msg import Msg

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

import nats

from options_helper.data.streaming.run.rest_results import DataSource
from options_helper.market import StreamName
from options_helper.relay.nats_options import NatsOptions
from options_helper.relay.reader import connection as module
from options_helper.relay.reader.connection import RelayConnection
from options_helper.relay.wire import ASK_STATE_SUBJECT, ASK_SUBJECT, Answer, Ask, Facts, Heartbeat, encode
from options_helper.times import utc_now
from tests.nats_server import NatsServer, running_nats_server

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)


@contextlib.asynccontextmanager
async def reading(server: NatsServer, password: str = "") -> AsyncIterator[RelayConnection]:
    """Follow a relay that is not running."""
    options = NatsOptions((server.url,), user="reader" if password else "", password=password)
    link = RelayConnection(options, "test", Ask("test"), list(StreamName), Mock(), utc_now)
    running = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        running.cancel()
        await asyncio.wait({running})


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(what)


def test_the_late_end_of_a_former_relay_changes_nothing() -> None:
    """A relay that was paused may say that it has ended while another one already leads."""

    async def scene() -> None:
        listener = Mock()
        link = RelayConnection(NatsOptions(("nats://host:4222",)), "test", Ask("test"), (), listener, utc_now)
        for number, heartbeat in enumerate(
            (Heartbeat("former", 8, NOON, {}), Heartbeat("leader", 1, NOON, {}))
        ):
            await link._take_state(Mock(data=encode(heartbeat)))
            assert len(listener.take_heartbeat.mock_calls) == number + 1
        await link._take_state(Mock(data=encode(Heartbeat("former", 9, NOON, {}, ended="it was paused"))))
        assert link.heartbeat == Heartbeat("leader", 1, NOON, {})
        assert len(listener.take_heartbeat.mock_calls) == 2
        await link._take_state(Mock(data=encode(Heartbeat("leader", 2, NOON, {}, ended="it was stopped"))))
        assert link.explain(StreamName.FILLS) == "it was stopped"

    asyncio.run(scene())


def is_connected(link: RelayConnection) -> bool:
    """Return whether NATS lets the reader in."""
    return link._client is not None and link._client.is_connected


def set_password(server: NatsServer, password: str) -> None:
    """Let the running server accept another password."""
    server.extra = f'authorization {{ user: "reader", password: "{password}" }}'
    server._write_configuration()
    server.signal(signal.SIGHUP)


# nats-py abandons a socket when it closes a client that it is connecting again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_refused_credentials_are_reported_and_tried_again(tmp_path: Path) -> None:
    """If NATS revokes the credentials, the reason says so; once it accepts them, the reader continues."""

    async def scene(server: NatsServer) -> None:
        async with reading(server, "first-word") as link:
            await until(lambda: is_connected(link), "connected")
            set_password(server, "other-word")
            words = "NATS did not accept the user and the password); check its credentials"
            await until(lambda: words in link.explain(StreamName.STOCKS), link.explain(StreamName.STOCKS))
            set_password(server, "first-word")
            await until(lambda: is_connected(link), "connected again")

    extra = 'authorization { user: "reader", password: "first-word" }'
    with running_nats_server(tmp_path / "nats", extra) as server:
        asyncio.run(scene(server))


def test_requests_without_an_answer_leave_nothing_behind(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request's inbox ends with the request, even if no relay answers."""
    monkeypatch.setattr(module, "_REQUEST_SECONDS", 0.02)
    monkeypatch.setattr(module, "_ASK_AGAIN_SECONDS", 0.01)

    async def scene() -> None:
        async with reading(nats_server) as link:
            await until(lambda: is_connected(link), "connected")
            assert link._client is not None
            inboxes: set[str] = set()
            make = link._client.new_inbox

            def new_inbox() -> str:
                inboxes.add(inbox := make())
                return inbox

            monkeypatch.setattr(link._client, "new_inbox", new_inbox)
            await until(lambda: len(inboxes) > 10, "ten requests")
            subjects = {subscription.subject for subscription in link._client._subs.values()}
            assert len(inboxes & subjects) <= 1

    asyncio.run(scene())


def test_one_bad_message_ends_no_connection(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that cannot handle an answer of the relay asks again, instead of reading nothing any more."""
    monkeypatch.setattr(module, "_ASK_AGAIN_SECONDS", 0.05)
    source = DataSource("paper", "iex", "indicative")

    async def scene() -> None:
        async with await nats.connect(nats_server.url) as relay, reading(nats_server) as link:
            listener: Mock = link._listener  # type: ignore[assignment]
            for name in ("take_answer", "take_facts", "watch"):
                getattr(listener, name).side_effect = TypeError("naive and aware times")

            async def answer(message: Msg) -> None:
                await message.respond(encode(Answer("e", NOON, 30.0, {}, source)))

            async def send_state(message: Msg) -> None:
                await message.respond(encode(Facts("e", clock_offset=1.0)))
                await message.respond(encode(Heartbeat("e", 1, NOON, {})))

            await relay.subscribe(ASK_SUBJECT, cb=answer)
            await relay.subscribe(ASK_STATE_SUBJECT, cb=send_state)
            for name in ("take_answer", "take_facts", "watch"):
                await until(lambda n=name: getattr(listener, n).call_count, name)
            assert not link.is_whole
            listener.take_facts.side_effect = listener.watch.side_effect = None
            checks = listener.watch.call_count
            await until(lambda: link.is_whole, "the whole state")
            await until(lambda: listener.watch.call_count > checks, "the next check")

    asyncio.run(scene())
