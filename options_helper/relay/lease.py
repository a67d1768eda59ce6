"""The rules of the lease that decides which relay leads, from one process's point of view.

Nobody compares clocks. A standby measures by its own how long the leader's entry has not changed. The leader
stops, by its own, before that time can have passed for anyone else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """Durations in seconds.

    Attributes:
        lease: How long an entry must stay unchanged before another process may replace it.
        margin: How long before that the leader stops its work, so that it has ended in time.
        grace: The part of the margin in which the work may end by itself.
        renew: How often the leader renews its entry.
        poll: How often a standby reads the entry.
    """

    lease: float = 9.0
    margin: float = 3.0
    grace: float = 2.0
    renew: float = 2.0
    poll: float = 0.5


@dataclass(slots=True)
class Lease:
    """One process's knowledge of the entry; every time is from this process's own monotonic clock.

    Attributes:
        holder: This process's own name, which no other process has.
        leader: The name in the entry; "" if it was released, or if there is none.
        revision: The entry's revision; 0 if there is none.
        valid_until: This process leads before this time.
    """

    holder: str
    times: LeaseTimes = field(default_factory=LeaseTimes)
    leader: str = ""
    revision: int = 0
    valid_until: float = -math.inf
    _value: str = ""
    _seen_at: float | None = None
    _writes: int = 0

    def holds(self, now: float) -> bool:
        """Return whether this process leads."""
        return now < self.valid_until

    def next_value(self) -> str:
        """Return an entry that was never written before, because revisions start again in a new bucket."""
        self._writes += 1
        return f"{self.holder} {self._writes}"

    def observe(self, revision: int, value: str, now: float) -> None:
        """Take note of the entry as it was read: revision 0 if there is none, an empty value if released."""
        if self._seen_at is None or (revision, value) != (self.revision, self._value):
            self._seen_at = now
        self.revision, self._value = revision, value
        self.leader = value.rpartition(" ")[0]
        if self.leader not in {"", self.holder}:
            self.valid_until = -math.inf

    def grant(self, revision: int, asked_at: float) -> None:
        """Take note of an acknowledged claim or renewal, counted from the moment before it was sent."""
        self.observe(revision, f"{self.holder} {self._writes}", asked_at)
        self.valid_until = asked_at + self.times.lease - self.times.margin

    def release(self, revision: int) -> None:
        """Take note that this process has given the lease back."""
        self.observe(revision, "", self.valid_until)
        self.valid_until = -math.inf

    def may_claim(self, now: float) -> bool:
        """Return whether this process may try to replace the entry of the known revision.

        An absent entry is not free at once: the server may have lost it while another process leads.
        """
        if self._seen_at is None:
            return False
        is_released = self.leader == "" and self.revision > 0
        # Its own entry is there if the answer to a claim was lost, or if nobody claimed the lease after it.
        return is_released or self.leader == self.holder or now >= self._seen_at + self.times.lease
