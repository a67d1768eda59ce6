"""What a diagnosis is made of, and what it is made from beside a snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options_helper.market import StreamName


class Level(StrEnum):
    """How much a diagnosis asks of the reader; quiet is well, but not everything is young."""

    SUCCESS = "success"
    QUIET = "quiet"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the page says of the streams: a bold headline, and the cause with one next step."""

    level: Level
    headline: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCounts:
    """How the portfolio's quotes stand, counted from the metrics tables.

    Attributes:
        total: Option legs and shares that should have a quote.
        stale: Older than the threshold on a stream that is not proven alive.
        stale_by_stream: The same by the stream they come from.
        quiet: Older than the threshold on a stream that is.
        quiet_by_stream: The same by the stream they come from.
        missing: Without a quote.
        oldest_seconds: Age of the oldest quote, of the stale ones if there are any; None where not known.
        oldest_name: Whose it is, in words.
        newest_at: Time of the newest quote.
        stale_after_seconds: The threshold it was counted with.
    """

    total: int = 0
    stale: int = 0
    stale_by_stream: Mapping[StreamName, int] = field(default_factory=dict)
    quiet: int = 0
    quiet_by_stream: Mapping[StreamName, int] = field(default_factory=dict)
    missing: int = 0
    oldest_seconds: float | None = None
    oldest_name: str = ""
    newest_at: dt.datetime | None = None
    stale_after_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a Start would subscribe."""

    contracts: int
    underlyings: int
