"""The completeness of the day's fills, and their gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from options_helper.analysis.text.fills import plain
from options_helper.analysis.text.wording import count, format_minute, format_time, join_words
from options_helper.market import NO_UNREADABLE_ROWS, FillGap, UnreadableRows

_MOST_SPANS = 3  # named, the newest; more of them are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """The completeness of a day of fills.

    Attributes:
        since: The start of the span for which it is claimed.
        gaps: Spans in which fills may have been missed, oldest first, touching ones joined.
        day_start: Midnight in New York: a gap from there on has no beginning worth a word.
        unconfirmed: Executions known from totals only; `unconfirmed_quantity` is what they come to.
        contradictions: Orders whose fills come to more than the order itself says.
        unreadable: REST rows that could not be read.
    """

    since: dt.datetime
    gaps: tuple[FillGap, ...]
    day_start: dt.datetime
    unconfirmed: int = 0
    unconfirmed_quantity: float = 0.0
    contradictions: int = 0
    unreadable: UnreadableRows = NO_UNREADABLE_ROWS

    @property
    def complete(self) -> bool:
        """Return True if nothing is in doubt."""
        return not (self.gaps or self.unconfirmed or self.contradictions or self.unreadable.count)

    @property
    def reason(self) -> str:
        """Why the newest gap is not closed yet, in words, or ""."""
        return self.gaps[-1].reason if self.gaps else ""

    def sentence(self, zone: dt.tzinfo) -> str:
        """`complete since 09:30`, or `fills between 10:41:07 and 10:41:52 not confirmed`."""
        if self.complete:
            return f"complete since {format_minute(self.since, zone)}"
        return "; ".join(part for part in (self._missed(zone), self._unread(zone)) if part)

    def _unread(self, zone: dt.tzinfo) -> str:
        if not self.unreadable.count or self.unreadable.since is None:
            return ""
        rows = count(self.unreadable.count, "row")
        return f"{rows} from Alpaca could not be read since {format_time(self.unreadable.since, zone)}"

    def _missed(self, zone: dt.tzinfo) -> str:
        if self.gaps:
            return f"fills {join_words(self._spans(zone))} not confirmed"
        if self.unconfirmed:
            noun = "fill" if self.unconfirmed == 1 else "fills"
            return f"{plain(self.unconfirmed_quantity)} in {self.unconfirmed} {noun} not confirmed"
        if not self.contradictions:
            return ""
        orders = "1 order" if self.contradictions == 1 else f"{self.contradictions} orders"
        return f"the fills of {orders} come to more than the order says"

    def _spans(self, zone: dt.tzinfo) -> list[str]:
        spans = [self._span(gap, zone) for gap in self.gaps[-_MOST_SPANS:]]
        earlier = len(self.gaps) - len(spans)
        return [f"in {count(earlier, 'earlier span')}", *spans] if earlier else spans

    def _span(self, gap: FillGap, zone: dt.tzinfo) -> str:
        if gap.end is None:
            return f"since {format_time(gap.start, zone)}"
        if gap.start <= self.day_start:
            return f"before {format_time(gap.end, zone)}"
        return f"between {format_time(gap.start, zone)} and {format_time(gap.end, zone)}"


def join_gaps(gaps: Iterable[FillGap]) -> tuple[FillGap, ...]:
    """Return gaps that touch or overlap as one, with the newest one's reason."""
    joined: list[FillGap] = []
    for gap in sorted(gaps, key=lambda one: one.start):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and gap.start > last.end):
            joined.append(gap)
            continue
        ends = [last.end, gap.end]
        end = None if None in ends else max(at for at in ends if at is not None)
        joined[-1] = FillGap(last.start, end, gap.reason or last.reason)
    return tuple(joined)
