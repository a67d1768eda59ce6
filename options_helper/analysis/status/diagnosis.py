"""The types of a diagnosis and of its inputs besides the snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options_helper.analysis.valuation.quote_state import STALE_AFTER_SECONDS
from options_helper.market import StreamName


class Level(StrEnum):
    """The urgency of a diagnosis; quiet means that all is well, but some prices are old."""

    SUCCESS = "success"
    QUIET = "quiet"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The page's words about the streams: a bold headline, and the cause with one next step."""

    level: Level
    headline: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCounts:
    """Counts of the portfolio's quotes by state, from the metrics tables.

    Attributes:
        total: Option legs and shares that need a quote.
        stale: Older than the threshold on a stream that is not proven alive.
        stale_by_stream: The same by stream.
        quiet: Older than the threshold on a stream that is.
        quiet_by_stream: The same by stream.
        missing: Without a quote.
        oldest_seconds: Age of the oldest quote, of the stale ones if there are any; None if unknown.
        oldest_name: Its contract or stock, in words.
        newest_at: Time of the newest quote.
        stale_after_seconds: The threshold of these counts.
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
    stale_after_seconds: float = STALE_AFTER_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The subscription that Start would make."""

    contracts: int
    underlyings: int
