"""Relays of two Alpaca accounts on one NATS server: only one account is ever served."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="the relay's streams need alpaca-py")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

import nats

from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamManager
from options_helper.errors import OptionsHelperError
from options_helper.relay.command import serve
from options_helper.relay.ledger import account as account_module
from options_helper.relay.ledger.account import find_account
from options_helper.relay.nats_options import load_nats_options
from options_helper.relay.wire import ORDERS_STREAM, ORDERS_SUBJECT
from options_helper.simulator.server import AlpacaSimulator
from tests.nats_server import NatsServer
from tests.relay.relay_process import RelayProcess
from tests.relay.relayed import (
    CALL,
    TIMES,
    read_lease,
    reader_config,
    running_reader,
    running_relay,
    wait_for_ledger,
    wait_live,
    wait_until,
    write_lease,
)

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def _account(seed: int) -> Iterator[AlpacaSimulator]:
    with AlpacaSimulator(seed=seed, contracts=(CALL,), tick_seconds=0, order_interval_seconds=0) as simulator:
        yield simulator


def _refusal(simulator: AlpacaSimulator, url: str) -> str:
    """Return why a relay ended by itself, "" if it still stands by or leads after a while."""

    async def run() -> None:
        async with asyncio.timeout(40):
            await serve(
                load_settings(simulator.environment()), load_nats_options(url, {}), lambda _: None, TIMES
            )

    try:
        asyncio.run(run())
    except OptionsHelperError as error:
        return str(error)
    except TimeoutError:
        pass
    return ""


def said(reader: LiveStreamManager) -> str:
    """Return why a reader receives no order updates."""
    return reader.snapshot().errors_by_stream.get("fills", "")


def test_a_relay_for_another_account_does_not_start(nats_server: NatsServer) -> None:
    """The relay says what is wrong and what to do, and the first relay's readers notice nothing."""
    with (
        _account(1) as ours,
        _account(2) as other,
        running_relay(ours, nats_server.url),
        running_reader(nats_server.url, reader_config(CALL)) as reader,
    ):
        wait_live(reader)
        ours.fill_now(CALL, price=3.25)
        other.fill_now(CALL, price=4.5)
        wait_for_ledger(ours, reader)
        words = _refusal(other, nats_server.url)
        assert "another Alpaca account" in words
        assert f"nats stream rm {ORDERS_STREAM}" in words
        assert not other.connections_total["fills"]
        ours.fill_now(CALL, price=3.5)
        wait_for_ledger(ours, reader)


def test_a_standby_for_another_account_does_not_take_over(nats_server: NatsServer, tmp_path: Path) -> None:
    """A relay that stood by before anything was stored refuses to lead once the leader is gone."""
    url = nats_server.url
    writes = itertools.count()

    def stands_by(relay: RelayProcess) -> bool:
        """Return whether a relay stands by, while somebody else leads."""
        asyncio.run(write_lease(url, f"somebody {next(writes)}", over=True))
        return relay.count("Standing by") > 0

    with _account(1) as first, _account(2) as second, contextlib.ExitStack() as stack:
        asyncio.run(write_lease(url, "somebody"))
        relays = [
            RelayProcess(account, url, tmp_path / f"{number}.log")
            for number, account in enumerate((first, second))
        ]
        for relay in relays:
            stack.callback(relay.kill)
            wait_until(lambda one=relay: stands_by(one), "a relay that stands by")
        wait_until(lambda: any(one.is_named_in(read_lease(url)) for one in relays), "a leader")
        leads = relays[0].is_named_in(read_lease(url))
        leader, standby = relays if leads else relays[::-1]
        ours, other = (first, second) if leads else (second, first)
        reader = stack.enter_context(running_reader(url, reader_config(CALL)))
        wait_live(reader)
        ours.fill_now(CALL, price=3.25)
        other.fill_now(CALL, price=4.5)
        wait_for_ledger(ours, reader)
        leader.kill()
        wait_until(lambda: standby.count("another Alpaca account"), "its refusal")
        assert not other.connections_total["fills"]
        stack.callback(RelayProcess(ours, url, tmp_path / "again.log").kill)
        wait_live(reader)
        ours.fill_now(CALL, price=3.5)
        wait_for_ledger(ours, reader)


def test_an_account_replaces_another_once_its_ledger_is_deleted(nats_server: NatsServer) -> None:
    """New readers have only the new account's fills; a reader of both accounts' fills says so."""

    async def delete() -> None:
        async with await nats.connect(nats_server.url) as client:
            await client.jetstream().delete_stream(ORDERS_STREAM)

    url, config = nats_server.url, reader_config(CALL)
    with _account(1) as former, _account(2) as ours, running_reader(url, config) as old:
        with running_relay(former, url):
            wait_live(old)
            former.fill_now(CALL, price=3.25)
            wait_for_ledger(former, old)
        asyncio.run(delete())
        with running_relay(ours, url), running_reader(url, config) as new:
            wait_live(new)
            ours.fill_now(CALL, price=4.5)
            wait_for_ledger(ours, new)
            wait_until(lambda: "more than one" in said(old), "the words")
            assert old.snapshot().fill_gaps


def test_a_ledger_of_two_accounts_is_never_complete(nats_server: NatsServer) -> None:
    """A reader that meets order messages of an unknown account says so, and calls nothing complete."""

    async def add_a_stranger() -> None:
        async with await nats.connect(nats_server.url) as client:
            stream = client.jetstream()
            stored = await stream.get_last_msg(ORDERS_STREAM, f"{ORDERS_SUBJECT}.updates")
            await stream.publish(f"{ORDERS_SUBJECT}.updates", stored.data or b"")

    with _account(1) as ours, running_relay(ours, nats_server.url):
        with running_reader(nats_server.url, reader_config(CALL)) as reader:
            wait_live(reader)
            ours.fill_now(CALL, price=3.25)
            wait_for_ledger(ours, reader)
            asyncio.run(add_a_stranger())
            wait_until(lambda: "more than one" in said(reader), "the words")
            assert reader.snapshot().fill_gaps
        with running_reader(nats_server.url, reader_config(CALL)) as late:
            wait_until(lambda: "more than one" in said(late), "the words")
            assert late.snapshot().fill_gaps


def test_the_bus_names_no_account(nats_server: NatsServer) -> None:
    """Neither the number nor the id of the account is in anything that the server stores."""
    with (
        _account(1) as ours,
        running_relay(ours, nats_server.url),
        running_reader(nats_server.url, reader_config(CALL)) as reader,
    ):
        wait_live(reader)
        ours.fill_now(CALL, price=3.25)
        wait_for_ledger(ours, reader)
        account = ours._world.account_id
    nats_server.kill()
    stored = b"".join(path.read_bytes() for path in nats_server.folder.rglob("*") if path.is_file())
    assert b"fill" in stored
    for secret in (account, account.replace("-", ""), "PA3SIMULATED"):
        assert secret.encode() not in stored


def test_a_relay_asks_until_it_knows_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """While Alpaca fails, the relay asks again; keys that Alpaca refuses end it, with the reason."""
    monkeypatch.setattr(account_module, "_ASK_AGAIN_SECONDS", 0.01)
    with _account(1) as ours, _account(2) as other:
        settings = load_settings(ours.environment())
        ours.faults.rest(path="/v2/account", status=503, times=5)
        name = asyncio.run(find_account(settings))
        assert name != asyncio.run(find_account(load_settings(other.environment())))
        assert name == asyncio.run(find_account(settings))
        ours.faults.rest(path="/v2/account", status=401)
        with pytest.raises(OptionsHelperError, match="Alpaca refused the key"):
            asyncio.run(find_account(settings))
        ours.faults.clear("rest")
        ours.faults.rest(path="/v2/account", status=200, body="{}")
        with pytest.raises(OptionsHelperError, match="which account"):
            asyncio.run(find_account(settings))
