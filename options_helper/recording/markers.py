"""The fills and failures of a recording, with their times."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from options_helper.recording.records import Connecting, Observed, Received, Record
from options_helper.times import from_microseconds, plausible

MOST_MARKERS = 1000
_FILLS = frozenset({"fill", "partial_fill"})


@dataclass(frozen=True, slots=True)
class Marker:
    """A fill, or a stream's failure."""

    at: dt.datetime
    words: str
    is_fill: bool = True


class _Order(msgspec.Struct):
    symbol: str | None = None


class _Data(msgspec.Struct):
    event: str = ""
    order: _Order | None = None
    qty: str | float | None = None
    price: str | float | None = None


class _Update(msgspec.Struct):
    data: _Data | None = None


class MarkerFinder:
    """Finds the fills, and the failures of streams, in the order of the recording.

    Attributes:
        found: The first `MOST_MARKERS` of them.
    """

    def __init__(self) -> None:
        self.found: list[Marker] = []
        self._streams: dict[int, str] = {}

    def take(self, record: Record, *, is_played: bool = True) -> None:
        """Read a record; one that is not played only says how things were at the beginning."""
        if isinstance(record, Connecting):
            self._streams[record.connection] = record.stream
        elif is_played and len(self.found) < MOST_MARKERS and (at := possible_time(record.at)) is not None:
            if isinstance(record, Observed) and record.change == "failed":
                words = f"{record.stream}: {record.facts.get('text', '')}"
                self.found.append(Marker(at, words, is_fill=False))
            elif isinstance(record, Received) and self._streams.get(record.connection) == "fills":
                self.found += (Marker(at, words) for words in map(_fill_words, record.messages) if words)


def possible_time(at: int) -> dt.datetime | None:
    """Return the time of a record's `at`, or None if a recording cannot have it."""
    try:
        found = from_microseconds(at)
    except OverflowError:
        return None
    return None if found is None else plausible(found)


def _fill_words(message: bytes) -> str:
    try:
        data = msgspec.json.decode(message, type=_Update).data
    except (msgspec.MsgspecError, ValueError):
        return ""
    if data is None or data.event not in _FILLS or data.order is None:
        return ""
    return f"fill: {data.qty} {data.order.symbol or 'spread'} at {data.price}"
