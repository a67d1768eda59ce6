"""The command `options-helper relay`: stands by, and serves the readers while it leads."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import math
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import nats.errors
from nats.js.errors import APIError

from options_helper.data.settings import INDICATIVE_QUOTE_LIMIT, OPTIONS_FEEDS, AlpacaSettings, load_settings
from options_helper.data.streaming.connection.sdk import stream_class
from options_helper.data.streaming.live_manager import build_alpaca_backfill
from options_helper.data.streaming.reconnect.worker import Streamer
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.data.streaming.run.live_run import RunParts
from options_helper.data.streaming.run.streamers import StreamRequest, build_alpaca
from options_helper.errors import OptionsHelperError, StreamInterrupted
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from options_helper.relay.leadership import Leadership
from options_helper.relay.lease import LeaseTimes
from options_helper.relay.ledger.account import find_account, refuse_other
from options_helper.relay.nats_options import (
    NatsOptions,
    connect_to_nats,
    has_jetstream,
    load_nats_options,
)
from options_helper.relay.relay import Relay
from options_helper.relay.wire import LEADER_BUCKET
from options_helper.times import SteadyClock

if TYPE_CHECKING:
    from nats.aio.client import Client

logger = logging.getLogger(__name__)

_MOST_CONTRACTS = 1000  # of the OPRA feed, as on the page
_RIGHTS = "Sign in as the user relay of deploy/nats-server.conf, or give this user the same permissions."
_END_WITHIN_SECONDS = 5.0  # after a signal, the next one has an effect


def run_relay(url: str, echo: Callable[[str], None], env: Mapping[str, str] | None = None) -> None:
    """Run the relay of one account until the process is asked to end.

    Raises:
        SettingsError: The keys or the address of NATS cannot be used.
        OptionsHelperError: NATS does not let the relay in, has no JetStream, or holds the order updates of
            another account; or Alpaca refuses the keys.
    """
    settings, options = load_settings(env), load_nats_options(url, env)
    with contextlib.suppress(asyncio.CancelledError), asyncio.Runner() as runner:
        runner.run(_until_asked_to_end(settings, options, echo))


async def _until_asked_to_end(
    settings: AlpacaSettings, options: NatsOptions, echo: Callable[[str], None]
) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(serve(settings, options, partial(_say, echo)))
    asked_at = -math.inf

    def end() -> None:
        nonlocal asked_at
        # Another cancellation would interrupt the end: the last message and the lease's release.
        if loop.time() - asked_at > _END_WITHIN_SECONDS:
            asked_at = loop.time()
            serving.cancel()

    for number in _ending_signals():
        with contextlib.suppress(ValueError, NotImplementedError):  # in a thread, or on Windows
            loop.add_signal_handler(number, end)
    await serving


def _ending_signals() -> list[signal.Signals]:
    """Return the signals of Ctrl-C, a service manager, and a closed terminal unless `nohup` ignores it."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if os.name == "posix" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _say(echo: Callable[[str], None], words: str) -> None:
    """Print words if anybody reads them; a relay outlives its terminal and a full disk."""
    with contextlib.suppress(OSError):
        echo(words)


async def serve(
    settings: AlpacaSettings,
    options: NatsOptions,
    echo: Callable[[str], None],
    times: LeaseTimes | None = None,
) -> None:
    """Run until cancelled: stand by, and serve readers while no other relay does.

    Raises:
        OptionsHelperError: As in `run_relay`.
    """
    refused: list[str] = []
    first = await connect_to_nats(  # or say why not
        options, "options-helper relay", retries=False, on_error=refused.append
    )
    try:
        await _check_jetstream(first, options, refused)
    finally:
        await first.close()
    await asyncio.to_thread(_prepare)
    account = await find_account(settings)
    log, closed = _NatsLog(), asyncio.Event()
    while True:
        closed.clear()
        client = await connect_to_nats(
            options,
            "options-helper relay",
            on_error=log.warn,
            on_reconnect=log.is_back,
            on_closed=partial(_set, closed),
        )
        try:
            await log.is_back()
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):  # else asked before it leads
                await refuse_other(client.jetstream(), account)
            echo(f"Connected to NATS at {options.shown}. Standing by until no other relay leads.")
            if await _run_until(closed, _lead(client, settings, account, options, echo, times)):
                return
        finally:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await client.close()
        # nats-py gives up when the credentials are refused; perhaps they are accepted again later.
        logger.warning("NATS at %s refused this relay; trying again.", options.shown)


async def _run_until(closed: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Run work until an event is set, and return whether it ended by itself."""
    running, ending = asyncio.ensure_future(work), asyncio.ensure_future(closed.wait())
    ending.add_done_callback(lambda _: running.cancel())
    try:
        await running
    except asyncio.CancelledError:
        if not closed.is_set():
            raise
        return False
    finally:
        ending.cancel()
    return True


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _check_jetstream(client: Client, options: NatsOptions, refused: Sequence[str]) -> None:
    """Raise OptionsHelperError if the relay cannot use JetStream; `refused` holds what NATS has refused."""
    try:
        await client.jetstream().account_info()
    except (APIError, nats.errors.Error, TimeoutError) as error:
        where = f"NATS at {options.shown}"
        if not has_jetstream(client):
            words = f"{where} has no JetStream. Start it with: nats-server -js"
        elif refused:
            words = f"{where} does not allow this user to be a relay ({refused[-1]}). {_RIGHTS}"
        elif isinstance(error, APIError):
            words = f"{where} has no JetStream for this user's account. Enable it in that account."
        else:
            words = f"JetStream of {where} does not answer. See the log of nats-server, then try again."
        raise OptionsHelperError(words) from None


async def _lead(
    client: Client,
    settings: AlpacaSettings,
    account: str,
    options: NatsOptions,
    echo: Callable[[str], None],
    times: LeaseTimes | None,
) -> None:
    """Serve readers whenever this relay leads."""
    leadership = Leadership(client.jetstream(), LEADER_BUCKET, times=times)

    def build_while_leading(request: StreamRequest) -> Streamer:
        if not leadership.holds:  # after a pause, a thread may act before the lease's own task
            raise StreamInterrupted(request.stream, "this relay no longer leads")
        return build_alpaca(request)

    async def lead() -> None:
        echo(f"This relay leads: {settings.account} account, {settings.options_feed}, {options.shown}.")
        steady = SteadyClock()
        parts = RunParts(
            builders=dict.fromkeys(StreamName, build_while_leading),
            build_backfill=build_alpaca_backfill,
            journal=Journal(steady),
            seconds_ahead=steady.seconds_ahead,
        )
        relay = Relay(
            client,
            _config(settings),
            parts,
            account=account,
            limit=_limit(settings),
            leads=lambda: leadership.holds,
        )
        await relay.serve()

    await leadership.run(lead)


class _NatsLog:
    """Logs each change in the connection to NATS once."""

    def __init__(self) -> None:
        self._words = ""

    def warn(self, words: str) -> None:
        """Log what is wrong."""
        if words != self._words:
            logger.warning("NATS: %s.", words)
        self._words = words

    async def is_back(self) -> None:
        """Log that all is well."""
        if self._words:
            logger.warning("NATS: connected.")
        self._words = ""


def _prepare() -> None:
    """Import what a leading relay needs; on a busy machine, that takes longer than the lease lasts."""
    for stream in StreamName:
        stream_class(stream)
    importlib.import_module("options_helper.data.rest.client")
    importlib.import_module("options_helper.data.streaming.backfill.backfill")
    # Otherwise a garbage collection would stop everything for 70 ms, to look at modules that stay.
    gc.collect()
    gc.freeze()


def _config(settings: AlpacaSettings) -> LiveStreamConfig:
    return LiveStreamConfig(
        settings=settings, stock_feed=settings.stock_feed, options_feed=settings.options_feed
    )


def _limit(settings: AlpacaSettings) -> int:
    return INDICATIVE_QUOTE_LIMIT if settings.options_feed == OPTIONS_FEEDS[0] else _MOST_CONTRACTS
