"""The nats-server that the relay's tests use."""

from __future__ import annotations

import asyncio

import pytest

from tests import nats_server as module
from tests.nats_server import NatsServer, Network, find_nats_server

pytestmark = pytest.mark.integration


def test_files_outlive_the_server(nats_server: NatsServer) -> None:
    """A stream keeps its messages when the server is killed and started again."""
    import nats

    async def publish() -> None:
        client = await nats.connect(nats_server.url)
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        await client.jetstream().publish("kept", b"one")
        await client.close()

    async def count() -> int:
        client = await nats.connect(nats_server.url)
        info = await client.jetstream().stream_info("kept")
        await client.close()
        return info.state.messages

    asyncio.run(publish())
    nats_server.kill()
    nats_server.start()
    assert asyncio.run(count()) == 1


def test_a_cut_network_holds_bytes_back(network: Network) -> None:
    """A cut network passes nothing in either direction, and delivers everything once restored."""
    import nats

    async def send() -> tuple[bool, bytes]:
        client = await nats.connect(network.url)
        subscription = await client.subscribe("words")
        await client.flush()
        network.cut()
        await client.publish("words", b"late")
        with pytest.raises(nats.errors.TimeoutError):
            await subscription.next_msg(0.3)
        network.mend()
        message = await subscription.next_msg(10)
        await client.close()
        return message.data

    assert asyncio.run(send()) == b"late"


@pytest.mark.parametrize(("ci", "outcome"), [("true", "Failed"), ("", "Skipped")])
def test_without_a_server_ci_fails(ci: str, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing nats-server skips the tests, but fails them on CI."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(module.shutil, "which", lambda *_args, **_more: None)
    with pytest.raises(BaseException, match="there is no nats-server") as caught:
        find_nats_server()
    assert type(caught.value).__name__ == outcome
