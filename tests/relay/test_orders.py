"""The order messages on their way to JetStream."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.api import StreamConfig, StreamInfo

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

import nats
import nats.errors
from nats.js.errors import APIError

from options_helper.order_rows import OrderRow
from options_helper.relay.ledger import orders
from options_helper.relay.ledger.orders import OrderOutbox, without_accounts
from options_helper.relay.reader.stored import StoredOrders
from options_helper.relay.wire import (
    KEPT_SECONDS,
    ORDERS_STREAM,
    STORED_SUBJECT,
    Heartbeat,
    OrderUpdate,
    RestFill,
    decode,
)
from tests.nats_server import NatsServer

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)


def _update(number: int) -> dict[str, object]:
    order = {"id": f"o{number}", "account_id": "PA123456789"}
    data = {"event": "fill", "execution_id": f"e{number}", "timestamp": "t", "order": order}
    return {"stream": "trade_updates", "data": data}


def test_account_numbers_are_masked() -> None:
    """No account number of an update is published; everything else is."""
    masked = without_accounts({"data": [{"account_number": "PA123456789", "qty": "1"}]})
    assert masked == {"data": [{"account_number": "…", "qty": "1"}]}


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the condition did not hold within 20 s")


class Hop:
    """A relay's outbox, a reader that follows its heartbeats, and the messages that this reader took."""

    def __init__(self, client: Client) -> None:
        self.client, self.received = client, list[bytes]()
        self.outbox = OrderOutbox(client.jetstream(timeout=1), "relay", "account")
        self.reader = self.join(self.received)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, server: NatsServer) -> AsyncIterator[Hop]:
        """Store and read until the block ends."""
        client = await nats.connect(server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)  # type: ignore[arg-type]
        hop = cls(client)
        await hop.outbox.look()
        await client.subscribe(f"{STORED_SUBJECT}.>", cb=hop.reader.follow)
        duties = [asyncio.create_task(duty) for duty in (hop.outbox.store_all(), hop._read_regularly())]
        try:
            yield hop
        finally:
            for duty in duties:
                duty.cancel()
            await client.close()

    def join(self, received: list[bytes]) -> StoredOrders:
        """Return another reader."""
        reader = StoredOrders(received.append)
        reader.jetstream = self.client.jetstream(timeout=1)
        return reader

    def heartbeat(self) -> Heartbeat:
        """Return what the relay publishes about its orders."""
        out = self.outbox
        state = (out.stored, out.unstored, out.trouble, out.numbering, out.account)
        return Heartbeat("relay", 0, NOON, {}, (), 0, *state)

    async def _read_regularly(self) -> None:
        while True:
            await self.reader.catch_up(self.heartbeat())
            await asyncio.sleep(0.01)

    async def until_whole(self) -> None:
        """Wait until the reader says that it has everything."""
        await _until(lambda: self.reader.has_all(self.heartbeat()) and not self.reader.missing)


async def _run(server: NatsServer) -> Hop:
    async with Hop.open(server) as hop:
        outbox = hop.outbox
        for number in (0, 1, 2, 2):
            outbox.put_update(_update(number), NOON)
        outbox.put_fills([OrderRow(activity_id="a1"), OrderRow(activity_id="a1")])
        await hop.until_whole()
        server.kill()
        for number in range(3, 6):
            outbox.put_update(_update(number), NOON)
        await _until(lambda: outbox.trouble)
        assert outbox.unstored == 3
        server.start()
        await hop.until_whole()
        late: list[bytes] = []
        await hop.join(late).catch_up(hop.heartbeat())
        assert late == hop.received
    return hop


def test_each_order_message_arrives_once_although_the_server_is_killed(nats_server: NatsServer) -> None:
    """Readers get every message once and in order; repeated executions are dropped."""
    hop = asyncio.run(_run(nats_server))
    messages = [decode(data) for data in hop.received]
    names = [
        message.update["data"]["execution_id"]  # type: ignore[index]
        for message in messages
        if isinstance(message, OrderUpdate)
    ]
    assert names == [f"e{number}" for number in range(6)]
    assert sum(isinstance(message, RestFill) for message in messages) == 1
    assert (hop.outbox.trouble, hop.reader.missing, hop.reader.last) == ("", 0, 7)


async def _delete(hop: Hop, _server: NatsServer) -> None:
    await hop.client.jetstream().delete_stream(ORDERS_STREAM)


async def _purge(hop: Hop, _server: NatsServer) -> None:
    await hop.client.jetstream().purge_stream(ORDERS_STREAM)


async def _lose_files(_hop: Hop, server: NatsServer) -> None:
    server.kill()
    shutil.rmtree(server.folder / "jetstream")
    server.start()


async def _restore_files(hop: Hop, server: NatsServer) -> None:
    async def store() -> None:
        hop.outbox.put_update(_update(7), NOON)

    await _go_back(hop, server, store)


async def _go_back(hop: Hop, server: NatsServer, store: Callable[[], Awaitable[None]]) -> None:
    """Let JetStream lose the update that `store` stores once the reader has it, as a power cut may."""
    server.kill()
    shutil.copytree(server.folder / "jetstream", server.folder / "copy")
    server.start()
    received = len(hop.received)
    await store()
    await _until(lambda: len(hop.received) > received)
    await hop.until_whole()
    reconnects = hop.client.stats["reconnects"]
    server.kill()
    shutil.rmtree(server.folder / "jetstream")
    (server.folder / "copy").rename(server.folder / "jetstream")
    server.start()
    await _until(lambda: hop.client.stats["reconnects"] > reconnects and hop.client.is_connected)


async def _join_until_whole(hop: Hop) -> list[bytes]:
    """Return the messages of the first late reader that claims to have everything."""
    while True:
        late: list[bytes] = []
        joiner = hop.join(late)
        await joiner.catch_up(hop.heartbeat())
        if joiner.has_all(hop.heartbeat()) and not joiner.missing:
            return late
        await asyncio.sleep(0.01)  # without an answer from JetStream, nothing else would ever run


@pytest.mark.parametrize(
    ("lose", "look_seconds"),
    [(_delete, 0.1), (_purge, 0.1), (_lose_files, 0.1), (_restore_files, 0.1), (_restore_files, 60.0)],
)
def test_what_jetstream_loses_is_stored_again(
    nats_server: NatsServer,
    lose: Callable[[Hop, NatsServer], Awaitable[None]],
    look_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a loss, no reader counts as complete until everything is stored again."""
    monkeypatch.setattr(orders, "_LOOK_SECONDS", look_seconds)

    async def scene() -> None:
        async with Hop.open(nats_server) as hop:
            for number in range(3):
                hop.outbox.put_update(_update(number), NOON)
            await hop.until_whole()
            before = hop.outbox.numbering
            await lose(hop, nats_server)
            if look_seconds < 1:  # otherwise the relay notices it with its next message
                assert len(await _join_until_whole(hop)) == 3 + (lose is _restore_files)
            for number in range(3, 5):
                hop.outbox.put_update(_update(number), NOON)
            await _until(lambda: hop.outbox.numbering != before)
            await hop.until_whole()
            late = await _join_until_whole(hop)
            assert set(late) == set(hop.received)
            assert len(hop.received) == len(set(hop.received)) == 5 + (lose is _restore_files)

    asyncio.run(scene())


def test_what_a_former_relay_stored_may_be_lost_too(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If JetStream goes back in time, a reader misses nothing that is stored under a number it knows."""
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.1)

    async def scene() -> None:
        async with Hop.open(nats_server) as hop:
            former = OrderOutbox(hop.client.jetstream(timeout=1), "former", "account")

            async def store(number: int) -> None:
                former.put_update(_update(number), NOON)
                while former.unstored:  # until the client is connected again
                    await former._try(former._store_first)

            await store(0)
            await _until(lambda: hop.received)
            await _go_back(hop, nats_server, lambda: store(1))
            await _until(lambda: hop.outbox.stored == 1)
            hop.outbox.put_update(_update(2), NOON)
            await _until(lambda: not hop.outbox.unstored)
            await hop.until_whole()
            assert len(hop.received) == 3

    asyncio.run(scene())


async def _store_by_a_former_relay(hop: Hop, *numbers: int) -> None:
    former = OrderOutbox(hop.client.jetstream(timeout=1), "former", "account")
    for number in numbers:
        former.put_update(_update(number), NOON)
        while former.unstored:
            await former._try(former._store_first)


def test_nothing_is_missing_if_everything_has_expired(nats_server: NatsServer) -> None:
    """After days without an order, a new reader of a new relay has all that there is."""

    async def scene() -> None:
        async with asyncio.timeout(60), Hop.open(nats_server) as hop:
            await _store_by_a_former_relay(hop, 0, 1)
            await _purge(hop, nats_server)
            await hop.outbox.open()
            assert await _join_until_whole(hop) == []
            hop.outbox.put_update(_update(2), NOON)
            await _until(lambda: hop.outbox.stored == 3)
            assert len(await _join_until_whole(hop)) == 1

    asyncio.run(scene())


@pytest.mark.parametrize(("slept", "missing"), [(KEPT_SECONDS / 2, 1), (KEPT_SECONDS + 60, 0)])
def test_a_computer_that_slept_for_days_misses_nothing_of_today(
    nats_server: NatsServer, slept: float, missing: int
) -> None:
    """A lost order message counts as missing only if it was not old enough to expire."""
    now = [0.0]

    async def read_until(hop: Hop, reader: StoredOrders, number: int) -> None:
        await hop.outbox.open()
        while reader.last < number:
            await reader.catch_up(hop.heartbeat())

    async def scene() -> None:
        async with asyncio.timeout(60), Hop.open(nats_server) as hop:
            reader = StoredOrders(list[bytes]().append, lambda: now[0])
            reader.jetstream = hop.client.jetstream(timeout=1)
            await _store_by_a_former_relay(hop, 0)
            await read_until(hop, reader, 1)
            await _store_by_a_former_relay(hop, 1, 2)
            await hop.client.jetstream().delete_msg(ORDERS_STREAM, 2)
            now[0] += slept
            await read_until(hop, reader, 3)
            assert reader.missing == missing

    asyncio.run(scene())


def test_a_loss_is_noticed_while_orders_keep_arriving(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay looks at JetStream regularly, however busy it is."""
    monkeypatch.setattr(orders, "_LOOK_SECONDS", 0.2)
    numbers = itertools.count()

    def is_noticed(hop: Hop, before: str) -> bool:
        hop.outbox.put_update(_update(next(numbers)), NOON)
        return hop.outbox.numbering != before

    async def scene() -> None:
        async with Hop.open(nats_server) as hop:
            before = hop.outbox.numbering
            assert not is_noticed(hop, before)
            await hop.until_whole()
            await _purge(hop, nats_server)
            await _until(lambda: is_noticed(hop, before))
            await hop.until_whole()
            assert len(await _join_until_whole(hop)) == next(numbers)

    asyncio.run(scene())


def test_a_late_answer_ends_no_relay(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that has just taken over waits for JetStream, however long the server takes to answer."""
    monkeypatch.setattr(orders, "_RETRY_SECONDS", 0.0)
    tries = itertools.count(1)

    async def scene() -> None:
        async with await nats.connect(nats_server.url) as client:
            stream = client.jetstream()
            create = stream.add_stream

            async def create_late(config: StreamConfig) -> StreamInfo:
                if next(tries) < 3:
                    raise nats.errors.TimeoutError
                return await create(config)

            monkeypatch.setattr(stream, "add_stream", create_late)
            outbox = OrderOutbox(stream, "relay", "account")
            await outbox.open()
            assert (outbox.stored, outbox.trouble, next(tries)) == (0, "", 4)

    asyncio.run(scene())


@pytest.mark.parametrize(
    "update", [None, {"stream": "trade_updates", "data": None}, {"data": {"event": "new"}}]
)
def test_an_unreadable_update_is_kept(update: object) -> None:
    """An update without an identity is passed on too, because it may be a fill."""
    outbox = OrderOutbox(None, "relay", "account")  # type: ignore[arg-type]
    outbox.put_update(update, NOON)
    assert outbox.unstored == 1


@pytest.mark.parametrize(
    ("code", "step"),
    [(10023, "free disk space where nats-server runs"), (10058, "see the log of nats-server")],
)
def test_what_to_do_about_a_refusal(code: int, step: str) -> None:
    """The reason why order updates wait names the next step."""
    outbox = OrderOutbox(None, "relay", "account")  # type: ignore[arg-type]
    outbox._note(APIError(code=503, err_code=code, description="insufficient resources"))
    assert outbox.trouble.startswith(f"JetStream refused them (insufficient resources); {step}")
