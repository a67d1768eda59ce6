"""The receiver of what a relay publishes: a page's run, or a program."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from options_helper.market import StreamName
from options_helper.relay.wire import Answer, Facts, Heartbeat


class Listener(Protocol):
    """The receiver of what a relay publishes; its methods are called in the connection's event loop."""

    def take_market(self, stream: StreamName, data: bytes) -> None:
        """Take an encoded `Batch`."""

    def take_order(self, data: bytes) -> None:
        """Take an encoded `OrderUpdate` or `RestFill`; each arrives once, in the order of JetStream."""

    def take_facts(self, facts: Facts) -> None:
        """Take data from REST."""

    def take_heartbeat(self, heartbeat: Heartbeat, *, is_answer: bool) -> None:
        """Take the relay's state; `is_answer` if it ends the answer to a request for the whole state."""

    def take_answer(self, answer: Answer, asked_at: dt.datetime, answered_at: dt.datetime) -> None:
        """Take the relay's answer to the request for symbols."""

    def watch(self, late: float) -> None:
        """Check what is wrong; `late` is the number of seconds for which this process read nothing, or 0."""
