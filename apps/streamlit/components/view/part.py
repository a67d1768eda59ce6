"""The parts of the page that are drawn on their own, named as their fragments' keys."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """A part, from top to bottom; without a portfolio there are only the first two."""

    HEAD = "live-part-head"
    NOTES = "live-part-notes"
    TOTALS = "live-part-totals"
    RISK = "live-part-risk"
    DAY = "live-part-day"
    TABLE = "live-part-table"
    DOWNLOADS = "live-part-downloads"
    DETAIL = "live-part-detail"
    BARS = "live-part-bars"
    CURVE = "live-part-curve"
    SUMS = "live-part-sums"
    ACCOUNT = "live-part-account"
    FILLS = "live-part-fills"
    ALERTS = "live-part-alerts"
    STREAMS = "live-part-streams"
    LAST_MINUTES = "live-part-last-minutes"


# Absent while a portfolio has no positions.
OF_POSITIONS = frozenset({Part.DETAIL, Part.BARS, Part.CURVE, Part.SUMS})
