"""The types of a diagnosis and of its inputs other than the snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from options_helper.analysis.valuation.quote_state import STALE_AFTER_SECONDS
from options_helper.market import StreamName


class Level(StrEnum):
    """The urgency of a diagnosis; `QUIET` means that all is well, but some prices are old."""

    SUCCESS = "success"
    QUIET = "quiet"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The page's message about the streams: a bold headline, and the cause with one next step."""

    level: Level
    headline: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCounts:
    """The number of the portfolio's quotes in each state.

    Attributes:
        total: Option legs and shares that need a quote.
        stale: Quotes older than the threshold, on a stream that is not proven alive.
        stale_by_stream: The stale quotes per stream.
        quiet: Quotes older than the threshold, on a stream that is proven alive.
        quiet_by_stream: The quiet quotes per stream.
        missing: Legs and shares without a quote.
        oldest_seconds: The age of the oldest stale quote, or of the oldest quote if none is stale; None if
            unknown.
        oldest_name: The contract or stock of the oldest quote, in words.
        newest_at: The time of the newest quote.
        stale_after_seconds: The threshold.
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
    """The size of the subscription that Start would make."""

    contracts: int
    underlyings: int
