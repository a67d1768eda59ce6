"""The order messages on their way to JetStream."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

import nats

from options_helper.order_rows import OrderRow
from options_helper.relay.orders import OrderOutbox, prepare_stream, without_accounts
from options_helper.relay.reader.stored import StoredOrders
from options_helper.relay.wire import STORED_SUBJECT, OrderUpdate, RestFill, decode
from tests.nats_server import NatsServer

NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)


def _update(number: int) -> dict[str, object]:
    order = {"id": f"o{number}", "account_id": "PA123456789"}
    data = {"event": "fill", "execution_id": f"e{number}", "timestamp": "t", "order": order}
    return {"stream": "trade_updates", "data": data}


def test_account_numbers_are_masked() -> None:
    """No account number of an update goes on the bus; everything else does."""
    masked = without_accounts({"data": [{"account_number": "PA123456789", "qty": "1"}]})
    assert masked == {"data": [{"account_number": "…", "qty": "1"}]}


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the condition did not hold within 20 s")


async def _run(server: NatsServer, received: list[bytes]) -> tuple[OrderOutbox, StoredOrders]:
    client = await nats.connect(server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)  # type: ignore[arg-type]
    outbox = OrderOutbox(client.jetstream())
    stored = StoredOrders(client.jetstream(timeout=2), received.append)
    outbox.stored = await prepare_stream(client.jetstream())
    await client.subscribe(f"{STORED_SUBJECT}.>", cb=stored.follow)
    storing = asyncio.create_task(outbox.store_all())
    for number in range(3):
        outbox.put_update(_update(number), NOON)
    outbox.put_update(_update(2), NOON)
    outbox.put_fills([OrderRow(activity_id="a1"), OrderRow(activity_id="a1")])
    await _until(lambda: not outbox.unstored and stored.last == 4)
    server.kill()
    for number in range(3, 6):
        outbox.put_update(_update(number), NOON)
    await _until(lambda: outbox.trouble)
    assert outbox.unstored == 3
    server.start()
    await _until(lambda: not outbox.unstored and stored.last == 7)
    late: list[bytes] = []
    joiner = StoredOrders(client.jetstream(timeout=2), late.append)
    await joiner.catch_up(outbox.stored or 0)
    assert late == received
    storing.cancel()
    await client.close()
    return outbox, stored


def test_each_order_message_arrives_once_although_the_server_is_killed(nats_server: NatsServer) -> None:
    """Readers get every message in order and once, even late ones; repeated executions are dropped."""
    received: list[bytes] = []
    outbox, stored = asyncio.run(_run(nats_server, received))
    messages = [decode(data) for data in received]
    names = [
        message.update["data"]["execution_id"]  # type: ignore[index]
        for message in messages
        if isinstance(message, OrderUpdate)
    ]
    assert names == [f"e{number}" for number in range(6)]
    assert sum(isinstance(message, RestFill) for message in messages) == 1
    assert (outbox.trouble, stored.missing, stored.last) == ("", 0, 7)


@pytest.mark.parametrize(
    "update", [None, {"stream": "trade_updates", "data": None}, {"data": {"event": "new"}}]
)
def test_an_unreadable_update_is_kept(update: object) -> None:
    """An update without an identity is passed on too, because it may be a fill."""
    outbox = OrderOutbox(None)  # type: ignore[arg-type]
    outbox.put_update(update, NOON)
    assert outbox.unstored == 1
