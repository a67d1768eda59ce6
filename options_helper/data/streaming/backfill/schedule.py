"""The schedule of one host's background fetch, with a backoff for parts that fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from options_helper.data.rest.refusals import FORBIDDEN, UNAUTHORIZED
from options_helper.data.streaming.reconnect.policy import compute_backoff_seconds
from options_helper.data.streaming.run.progress_words import FETCHING, failure_words
from options_helper.error_guard import Guard
from options_helper.errors import AlpacaRestError

logger = logging.getLogger(__name__)

RETRY_BASE_SECONDS, RETRY_CAP_SECONDS = 2.0, 30.0  # the next try follows soon after any outage
AWAY_SECONDS = 30.0  # a host that answered any part more recently is not down
REFUSED_SECONDS = 300.0  # a refused key or plan rarely changes on its own
_NEVER = float("inf")


@dataclass(slots=True)
class Part:
    """A part of the background fetch.

    Attributes:
        fetch: Returns the seconds until it is due again, or None for never; raises AlpacaRestError. Any other
            exception also fails this part only.
        due: When it is due, in monotonic seconds.
        began_at: When it last began.
        asked: True if it was requested out of turn.
        words: The last sentence reported about it.
    """

    name: str
    fetch: Callable[[], float | None]
    due: float = 0.0
    failures: int = 0
    began_at: float = float("-inf")
    succeeded: bool = False
    asked: bool = False
    words: str = ""


class Schedule:
    """The parts of one host, run one after another, the longest overdue first.

    Used by one thread, except `ask`, which any thread may call.

    Args:
        parts: In order of priority.
        report: Called with a part's name and a sentence about it, "" when all is well.
        monotonic: Returns monotonic seconds.
        is_stopped: Returns whether the run has ended, so that failures are not reported.
        begins: Called with a part's name when it begins.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        report: Callable[[str, str], None],
        *,
        monotonic: Callable[[], float],
        is_stopped: Callable[[], bool],
        begins: Callable[[str], None] = lambda _part: None,
    ) -> None:
        self._begins = begins
        self._parts = {part.name: part for part in parts}
        self._report, self._monotonic, self._is_stopped = report, monotonic, is_stopped
        self._lock = threading.Lock()
        self._answered_at = -_NEVER
        self._running: Part | None = None
        self._unforeseen = Guard(logger, "; it is tried again.")
        now = monotonic()
        for part in parts:
            part.due = now

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(self._parts)

    def say(self, name: str, words: str) -> None:
        """Report what a part is doing."""
        self._say(self._parts[name], words)

    def say_of_running(self, words: str) -> None:
        """Report a wait of the running part, and of every requested part that waits behind it."""
        for part in self._parts.values():
            if part is self._running or (self._running is not None and part.asked):
                self._say(part, words)

    def say_of_all(self, words: str) -> None:
        """Report the same sentence about every part."""
        for part in self._parts.values():
            self._say(part, words)

    def has_succeeded(self, name: str) -> bool:
        """Return whether a part has ever succeeded."""
        return self._parts[name].succeeded

    def ask(self, name: str, spacing: float) -> None:
        """Make a part due now, but not sooner than `spacing` seconds after it last began."""
        part = self._parts.get(name)
        if part is not None:
            with self._lock:
                part.asked = True
                part.due = min(part.due, max(self._monotonic(), part.began_at + spacing))

    def step(self) -> float:
        """Run a part if one is due, and return the seconds until the next is due."""
        part = min(self._parts.values(), key=lambda one: one.due, default=None)
        if part is None:
            return _NEVER
        now = self._monotonic()
        if part.due > now:
            return part.due - now
        self.run(part.name)
        return 0.0

    def run(self, name: str) -> None:
        """Run a part now."""
        part = self._parts[name]
        self._begins(name)
        with self._lock:
            # Never due, unless it is requested while it runs.
            part.began_at, part.due, part.asked = self._monotonic(), _NEVER, False
        self._running = part
        if not part.succeeded and not part.failures:
            self._say(part, FETCHING)
        with self._unforeseen.keep_going(f"The background fetch of {part.name}", partial(self._broke, part)):
            self._fetch(part)

    def _fetch(self, part: Part) -> None:
        try:
            seconds = part.fetch()
        except AlpacaRestError as error:
            if not self._is_stopped():
                self._failed(part, error)
        else:
            self._went_well(part, seconds)

    def _broke(self, part: Part, kind: str) -> None:
        """Record an unexpected error, which fails only its own part."""
        if not self._is_stopped():
            self._try_again(part, f"the answer could not be used ({kind})")

    def _went_well(self, part: Part, seconds: float | None) -> None:
        if part.failures:
            logger.info("The background fetch of %s works again.", part.name)
        self._say(part, "")
        self._answered_at = self._monotonic()
        part.failures, part.succeeded = 0, True
        self._set_due(part, _NEVER if seconds is None else self._monotonic() + seconds)

    def _failed(self, part: Part, error: AlpacaRestError) -> None:
        if not part.failures:
            logger.warning("The background fetch of %s failed: %s", part.name, error)
        is_refused = error.status in {UNAUTHORIZED, FORBIDDEN}
        until = self._try_again(part, str(error), wait=REFUSED_SECONDS if is_refused else None)
        if _concerns_the_host(error) and self._monotonic() - self._answered_at >= AWAY_SECONDS:
            self._hold_back(until, part.words)

    def _try_again(self, part: Part, reason: str, *, wait: float | None = None) -> float:
        """Schedule the next try and return its time; by default, the wait grows with each failure."""
        part.failures += 1
        wait = wait or compute_backoff_seconds(
            part.failures, base_seconds=RETRY_BASE_SECONDS, cap_seconds=RETRY_CAP_SECONDS
        )
        self._say(part, failure_words(reason, wait))
        until = self._monotonic() + wait
        self._set_due(part, until)
        return until

    def _set_due(self, part: Part, due: float) -> None:
        """Set the time a part is due; keep a request made while it ran."""
        with self._lock:
            part.due = min(part.due, due)

    def _hold_back(self, until: float, words: str) -> None:
        """Postpone all parts but one, which probes the host; parts that were requested still run."""
        for part in self._parts.values():
            with self._lock:  # a part may be requested at any time
                waits = part.due < until and not part.asked
                if waits:
                    part.due = until
            if waits:
                self._say(part, words)

    def _say(self, part: Part, words: str) -> None:
        if part.words != words:
            part.words = words
            self._report(part.name, words)


def _concerns_the_host(error: AlpacaRestError) -> bool:
    """Return whether the error concerns the whole host: no response, or an unknown key."""
    return error.status is None or error.status == UNAUTHORIZED
