"""The readers' requests: their symbols become the run's, and each is answered."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
import time
from collections.abc import Sequence

import msgspec

from options_helper.data.streaming.run.live_run import LiveRun
from options_helper.data.streaming.run.rest_results import DataSource, Polling
from options_helper.market import StreamHealth, StreamName, StreamState
from options_helper.relay.leases import DATA_STREAMS, AskRefused, Leases, accept, answer_for, refuse
from options_helper.relay.wire import (
    LEASE_SECONDS,
    MOST_REQUEST_BYTES,
    Answer,
    Ask,
    Grant,
    SchemaMismatch,
    decode,
)

logger = logging.getLogger(__name__)

_SETTLE_SECONDS = 0.1  # readers that start together change the symbols once
_UNREADABLE = "its request is damaged or too large"


class Requests:
    """Answers readers, and subscribes a run to the union of their symbols.

    Args:
        run: The run at Alpaca.
        epoch: The relay's name in its messages.
        limit: The largest number of contracts that stream.

    Attributes:
        grants: As in `Heartbeat`.
    """

    def __init__(self, run: LiveRun, epoch: str, limit: int) -> None:
        self._run, self._epoch, self._limit = run, epoch, limit
        self._leases = Leases()
        self._changing: asyncio.Task[None] | None = None
        self._has_ended = False
        self._changed_at: dict[StreamName, dt.datetime] = {}
        self._granted: object = None
        self._unread = 0
        self.grants = 0

    def read(self, data: bytes) -> Ask | None:
        """Return a request, or None if it cannot be read."""
        try:
            ask = decode(data, most_bytes=MOST_REQUEST_BYTES)
        except (SchemaMismatch, msgspec.MsgspecError) as error:
            self._unread += 1
            if math.log10(self._unread).is_integer():  # the 1st, 10th, 100th
                logger.warning("Unreadable requests from readers: %d; the last one: %s.", self._unread, error)
            return None
        return ask if isinstance(ask, Ask) else None

    def answer(self, data: bytes) -> Answer:
        """Take a reader's symbols, or renew its lease, and return the answer.

        A request that cannot be read is answered too, so that a reader of a different version notices it.
        """
        read = self.read(data)
        ask, refusal = read or Ask("", ends=True), "" if read else _UNREADABLE
        try:
            if self._leases.take(ask, time.monotonic()):
                self._change_soon()
        except AskRefused as error:
            ask, refusal = Ask(ask.reader), str(error)
        return self._answer_to(ask, refusal)

    def update(self) -> None:
        """End the leases that were not renewed, and count a change in what is granted."""
        if self._leases.expire(time.monotonic()):
            self._change_soon()
        healths = [worker.health for worker in tuple(self._run.workers.values())]
        granted = [(each.asked, each.missing, each.invalid, each.connected_at) for each in healths]
        if granted != self._granted:
            self._granted = granted
            self.grants += 1

    async def end(self) -> None:
        """Change the run's symbols no more, because that could start a stream after the run has stopped."""
        self._has_ended = True
        if self._changing is not None:
            await asyncio.wait({self._changing})

    def _answer_to(self, ask: Ask, refusal: str) -> Answer:
        asked, accepted = _symbols_of(ask), _symbols_of(accept(ask))
        config = self._run.config
        source = DataSource(
            config.settings.account if config.settings else "", config.stock_feed, config.options_feed
        )
        grants = {
            stream: refuse(self._grant(stream, symbols), _without(asked[stream], symbols))
            for stream, symbols in accepted.items()
        }
        return Answer(self._epoch, self._run.clock(), LEASE_SECONDS, grants, source, self.grants, refusal)

    def _grant(self, stream: StreamName, symbols: Sequence[str]) -> Grant:
        worker = self._run.workers.get(stream)
        health = None if worker is None else worker.health
        polled = frozenset(self._run.config.polled_contracts)
        if health is not None and health.channels is not None:
            polled |= self._run.results.polling.get(stream, Polling()).symbols
        grant = answer_for(symbols, health, polled, is_answered=self._is_answered(stream, health, symbols))
        if grant.polled and grant.channels is None:
            grant.channels = 2 * self._limit  # a quote and a trade channel each
        return grant

    def _is_answered(self, stream: StreamName, health: StreamHealth | None, symbols: Sequence[str]) -> bool:
        """Return whether Alpaca has answered the newest request for a stream's symbols."""
        changed_at = self._changed_at.get(stream)
        if health is None or health.connected_at is None:
            return False
        is_new = changed_at is None or health.connected_at >= changed_at
        return is_new and health.state is StreamState.RUNNING and health.asked.issuperset(symbols)

    def _change_soon(self) -> None:
        if self._changing is None and not self._has_ended:
            self._changing = asyncio.get_running_loop().create_task(self._change_symbols())

    async def _change_symbols(self) -> None:
        """Subscribe to the union of the readers' symbols; requests during that time are merged."""
        run = self._run
        try:
            await asyncio.sleep(_SETTLE_SECONDS)
            config = self._leases.plan(run.config, self._limit)
            if self._has_ended or config == run.config:
                return
            for stream in DATA_STREAMS:
                if set(config.symbols(stream)) - set(run.config.symbols(stream)):
                    self._changed_at[stream] = run.clock()
            stocks, contracts = self._leases.union()
            logger.info(
                "Readers: %d; stocks: %d; contracts: %d.", self._leases.readers, len(stocks), len(contracts)
            )
            await asyncio.to_thread(run.change_symbols, config)
        finally:
            self._changing = None
        if self._leases.plan(run.config, self._limit) != run.config:
            self._change_soon()


def _symbols_of(ask: Ask) -> dict[StreamName, list[str]]:
    return {StreamName.STOCKS: ask.stocks, StreamName.OPTIONS: [*ask.contracts, *ask.polled]}


def _without(symbols: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [symbol for symbol in symbols if symbol not in known]
