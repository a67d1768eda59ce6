"""The spans in which order updates may have been missed, until REST confirms them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from options_helper.market import FillGap


class FillGaps:
    """The gaps of a run: each opens with a loss, ends with an acknowledgement, and is dropped when confirmed.

    The stream has no replay, so the first gap begins with the New York day itself.

    Args:
        day_start: The start of that day.
        publish: Called with the gaps initially and after each change, in the caller's thread.
    """

    def __init__(
        self, day_start: dt.datetime, publish: Callable[[FillGaps], None] = lambda _gaps: None
    ) -> None:
        self._lock = threading.Lock()
        self._gaps: list[FillGap] = [FillGap(day_start)]
        self._reason = ""
        self._publish = publish
        publish(self)

    @property
    def gaps(self) -> tuple[FillGap, ...]:
        """The unconfirmed spans, oldest first; the last has no end while the stream is down."""
        with self._lock:
            return tuple(self._gaps)

    def lost(self, at: dt.datetime) -> None:
        """Open a gap because the stream was lost; `at` is when it was last known to deliver."""
        with self._lock:
            if not self._gaps or self._gaps[-1].end is not None:
                self._gaps.append(FillGap(at, reason=self._reason))
        self._publish(self)

    def acknowledged(self, at: dt.datetime) -> None:
        """End the gap at `at`, when the server acknowledged the stream; REST must report what came before."""
        with self._lock:
            if self._gaps and self._gaps[-1].end is None:
                self._gaps[-1] = replace(self._gaps[-1], end=at)
        self._publish(self)

    def unread(self, at: dt.datetime) -> None:
        """Open a gap for an unreadable order update received at `at`, whose content REST must report."""
        with self._lock:
            if not self._gaps or self._gaps[-1].end is not None:
                self._gaps.append(FillGap(at, at, self._reason))
        self._publish(self)

    def confirmed(self, until: dt.datetime) -> None:
        """Drop the gaps up to `until`, because REST has reported everything in them."""
        with self._lock:
            self._gaps = [gap for gap in self._gaps if gap.end is None or gap.end > until]
        self._publish(self)

    def put(self, gaps: Iterable[FillGap]) -> None:
        """Replace the gaps with the relay's own, once everything that the relay has is received."""
        with self._lock:
            self._gaps = list(gaps)
        self._publish(self)

    def failed(self, reason: str) -> None:
        """Record why REST did not answer; the gaps keep the reason until it changes."""
        with self._lock:
            self._reason = reason
            self._gaps = [replace(gap, reason=reason) for gap in self._gaps]
        self._publish(self)
