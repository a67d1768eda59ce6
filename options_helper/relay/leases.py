"""The readers' symbols, held for as long as each reader renews its lease."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from options_helper.analysis.text.wording import count
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.errors import OptionsHelperError
from options_helper.market import StreamHealth, StreamName
from options_helper.relay.wire import LEASE_SECONDS, Ask, Grant

MOST_READERS = 200
_LONGEST_NAME = 200  # of a reader
# Stocks and contracts. REST fetches closes, quotes and betas of each, and all readers share its budget.
MOST_OF_ONE = (500, 2000)
MOST_OF_ALL = (1000, 5000)
_STOCK = re.compile(r"[A-Z0-9]{1,12}(\.[A-Z0-9]{1,6})?")
_CONTRACT = re.compile(r"[A-Z0-9]{1,6}[0-9]{6}[CP][0-9]{8}")


class AskRefused(OptionsHelperError):
    """A request for more than the relay serves; the text says what is too much."""


@dataclass(slots=True)
class _Lease:
    ask: Ask
    until: float


class Leases:
    """The leases of all readers, in the order of their arrival; times are monotonic seconds."""

    def __init__(self) -> None:
        self._leases: dict[str, _Lease] = {}

    def take(self, ask: Ask, now: float) -> bool:
        """Update a reader's lease; return whether the symbols have changed.

        Raises:
            AskRefused: It asks for too many symbols, its name is too long, or there are too many readers; its
            lease is as before.
        """
        if len(ask.reader) > _LONGEST_NAME:
            raise AskRefused(f"a reader's name has at most {_LONGEST_NAME} characters")
        known = self._leases.get(ask.reader)
        if ask.ends:
            return self._leases.pop(ask.reader, None) is not None
        if known is None and len(self._leases) >= MOST_READERS:
            raise AskRefused(f"the relay serves at most {MOST_READERS} readers at once")
        _check((len(ask.stocks), len(ask.contracts) + len(ask.polled)), MOST_OF_ONE, "one reader asks")
        accepted = accept(ask)
        others = [lease.ask for reader, lease in self._leases.items() if reader != ask.reader]
        _check(tuple(map(len, _union_of([*others, accepted]))), MOST_OF_ALL, "all readers ask")
        self._leases[ask.reader] = _Lease(accepted, now + LEASE_SECONDS)
        return known is None or known.ask != accepted

    def expire(self, now: float) -> bool:
        """End the leases that were not renewed in time; return whether there were any."""
        ended = [reader for reader, lease in self._leases.items() if lease.until <= now]
        for reader in ended:
            del self._leases[reader]
        return bool(ended)

    @property
    def readers(self) -> int:
        """The number of readers."""
        return len(self._leases)

    def union(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the stocks and the contracts of all readers, in order of priority."""
        return _union_of([lease.ask for lease in self._leases.values()])

    def plan(self, config: LiveStreamConfig, limit: int) -> LiveStreamConfig:
        """Return the config with the union of the readers' symbols.

        The first reader's symbols come first, so that a later one never displaces them. Contracts over the
        limit are polled. A stream that nobody wants keeps its symbols, because it may not be without any.
        """
        asked, contracts = self.union()
        stocks = asked or tuple(config.stocks)
        return replace(
            config,
            stocks=stocks,
            option_contracts=contracts[:limit] or tuple(config.option_contracts),
            polled_contracts=contracts[limit:],
            stream_first=(*stocks, *contracts[:limit]),
        )


def accept(ask: Ask) -> Ask:
    """Return the request without symbols that Alpaca would refuse along with all others."""
    return Ask(
        ask.reader,
        list(filter(_STOCK.fullmatch, ask.stocks)),
        list(filter(_CONTRACT.fullmatch, ask.contracts)),
        list(filter(_CONTRACT.fullmatch, ask.polled)),
    )


def _check(numbers: tuple[int, ...], limits: tuple[int, int], who: str) -> None:
    if any(number > limit for number, limit in zip(numbers, limits, strict=True)):
        stocks, contracts = (
            f"{count(number, noun)} (the relay serves {limit:,})"
            for number, limit, noun in zip(numbers, limits, ("stock", "contract"), strict=True)
        )
        raise AskRefused(f"{who} for {stocks} and {contracts}")


def _union_of(asks: Sequence[Ask]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    contracts = [*(ask.contracts for ask in asks), *(ask.polled for ask in asks)]
    return _union(ask.stocks for ask in asks), _union(contracts)


def _union(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbol for part in parts for symbol in part))


def answer_for(
    symbols: Iterable[str], health: StreamHealth | None, polled: frozenset[str], *, is_answered: bool
) -> Grant:
    """Return the answer about a reader's symbols of one stream.

    Args:
        symbols: The symbols.
        health: The stream's record, None if it is not running yet.
        polled: The symbols for which the plan has no room.
        is_answered: False while Alpaca has not answered the newest request.
    """
    wanted = dict.fromkeys(symbols)
    if health is None:
        return Grant(pending=[each for each in wanted if each not in polled], polled=_of(wanted, polled))
    streaming = (health.asked - health.missing) if health.connected_at is not None else frozenset()
    open_ones = [each for each in wanted if each not in streaming and each not in polled]
    return Grant(
        streaming=_of(wanted, streaming),
        pending=[] if is_answered else open_ones,
        polled=[each for each in wanted if each in polled and each not in streaming],
        refused=open_ones if is_answered else [],
        invalid=_of(wanted, health.invalid),
        channels=health.channels,
    )


def refuse(grant: Grant, symbols: Sequence[str]) -> Grant:
    """Return an answer that also refuses symbols that Alpaca is not asked for."""
    return msgspec.structs.replace(
        grant, refused=[*grant.refused, *symbols], invalid=[*grant.invalid, *symbols]
    )


def _of(wanted: Iterable[str], among: frozenset[str]) -> list[str]:
    return [each for each in wanted if each in among]


DATA_STREAMS = (StreamName.STOCKS, StreamName.OPTIONS)
