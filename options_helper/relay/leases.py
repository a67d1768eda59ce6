"""The readers' symbols, held for as long as each reader renews its lease."""

from __future__ import annotations

import re
from collections import Counter
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


_NOTHING = (frozenset[str](), frozenset[str]())


class AskRefused(OptionsHelperError):
    """A request for more than the relay serves; the text says what is too much."""


@dataclass(slots=True)
class _Lease:
    ask: Ask
    until: float
    symbols: tuple[frozenset[str], frozenset[str]]


class Leases:
    """The leases of all readers, in the order of their arrival; times are monotonic seconds."""

    def __init__(self) -> None:
        self._leases: dict[str, _Lease] = {}
        # How many readers want each stock and each contract; a union of all would take far longer.
        self._wanted: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

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
            return self._end(ask.reader)
        if known is None and len(self._leases) >= MOST_READERS:
            raise AskRefused(f"the relay serves at most {MOST_READERS} readers at once; end some of them")
        _check((len(ask.stocks), len(ask.contracts) + len(ask.polled)), MOST_OF_ONE, "one reader asks")
        accepted, until = accept(ask), now + LEASE_SECONDS
        if known is not None and known.ask == accepted:
            known.until = until
            return False
        symbols = frozenset(accepted.stocks), frozenset((*accepted.contracts, *accepted.polled))
        former = _NOTHING if known is None else known.symbols
        _check(self._numbers(symbols, former), MOST_OF_ALL, "all readers ask")
        self._count(former, -1)
        self._count(symbols, 1)
        self._leases[ask.reader] = _Lease(accepted, until, symbols)
        return True

    def _numbers(
        self, symbols: Iterable[frozenset[str]], former: Iterable[frozenset[str]]
    ) -> tuple[int, ...]:
        """Return how many stocks and contracts all readers want once one of them has other symbols."""
        return tuple(
            len(wanted)
            + sum(symbol not in wanted for symbol in new)
            - sum(wanted[symbol] == 1 for symbol in old - new)
            for wanted, new, old in zip(self._wanted, symbols, former, strict=True)
        )

    def _count(self, symbols: Iterable[frozenset[str]], readers: int) -> None:
        """Count readers that want these symbols, or, if the number is negative, no longer want them."""
        for wanted, part in zip(self._wanted, symbols, strict=True):
            for symbol in part:
                wanted[symbol] += readers
                if not wanted[symbol]:
                    del wanted[symbol]

    def _end(self, reader: str) -> bool:
        """End a reader's lease, and return whether it had one."""
        lease = self._leases.pop(reader, None)
        if lease is not None:
            self._count(lease.symbols, -1)
        return lease is not None

    def expire(self, now: float) -> bool:
        """End the leases that were not renewed in time; return whether there were any."""
        ended = [reader for reader, lease in self._leases.items() if lease.until <= now]
        for reader in ended:
            self._end(reader)
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
        raise AskRefused(f"{who} for {stocks} and {contracts}; ask for fewer")


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
