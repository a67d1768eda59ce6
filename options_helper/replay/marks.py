"""The fills and failures of a recording, with their times, and the portfolio files in it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from options_helper.recording.records import Connecting, Observed, PortfolioText, Received, Record
from options_helper.times import from_microseconds

_FILLS = frozenset({"fill", "partial_fill"})


@dataclass(frozen=True, slots=True)
class Mark:
    """Something in a recording that is worth a jump."""

    at: dt.datetime
    words: str


class _Order(msgspec.Struct):
    symbol: str | None = None


class _Data(msgspec.Struct):
    event: str = ""
    order: _Order | None = None
    qty: str | float | None = None
    price: str | float | None = None


class _Update(msgspec.Struct):
    data: _Data | None = None


def find_marks(records: Iterable[Record]) -> Iterator[Mark]:
    """Yield the fills, and the failures of streams, in the order of the recording."""
    streams: dict[int, str] = {}
    for record in records:
        at = from_microseconds(record.at)
        match record:
            case _ if at is None:
                continue
            case Connecting():
                streams[record.connection] = record.stream
            case Observed() if record.change == "failed":
                yield Mark(at, f"{record.stream}: {record.facts['text']}")
            case Received() if streams.get(record.connection) == "fills":
                yield from (Mark(at, words) for words in map(_fill_words, record.messages) if words)


def save_portfolio(path: Path, recorded: PortfolioText) -> None:
    """Write a recorded portfolio file, saved when it was."""
    path.write_bytes(recorded.text)
    saved_at = (recorded.saved_at or recorded.at) * 1000
    os.utime(path, ns=(saved_at, saved_at))


def _fill_words(message: bytes) -> str:
    try:
        data = msgspec.json.decode(message, type=_Update).data
    except (msgspec.MsgspecError, ValueError):
        return ""
    if data is None or data.event not in _FILLS or data.order is None:
        return ""
    return f"fill: {data.qty} {data.order.symbol or 'spread'} at {data.price}"
