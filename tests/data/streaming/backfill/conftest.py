"""A background fetch that a test steps by hand."""

from __future__ import annotations

from typing import Any

import pytest

from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.backfill import Backfill
from options_helper.data.streaming.backfill.prices import Wanted
from options_helper.errors import AlpacaRestError
from options_helper.recording.journal import Journal
from tests.builders import CALL
from tests.fakes import ADJUSTED, INDEX_CALL, FakeClock, FakeRest, FakeResults


class BackfillDesk:
    """A backfill with fake routes, a sink and a clock; stepped by the test, without its thread."""

    def __init__(self, **changes: Any) -> None:
        self.rest, self.sink, self.clock = FakeRest(), FakeResults(), FakeClock()
        want_fills = changes.pop("want_fills", True)
        symbols: dict[str, Any] = {
            "stocks": ("AAPL",),
            "option_contracts": (CALL, ADJUSTED, INDEX_CALL),
            "stock_feed": "iex",
            "options_feed": "indicative",
        }
        self.backfill = Backfill(
            self.rest,  # type: ignore[arg-type]
            Wanted(**symbols | changes),
            want_fills=want_fills,
            results=self.sink,
            journal=Journal(self.clock.now),
            monotonic=self.clock.monotonic,
            steps=self.clock.take_step,
        )

    def step(self) -> float:
        """Let both hosts fetch what is due."""
        return min([self.backfill.step(host) for host in Host])

    def round(self) -> float:
        """Fetch all that is due, and return the seconds until more is due."""
        while (seconds := self.step()) == 0:
            pass
        return seconds

    def run_for(self, seconds: float) -> None:
        """Let time pass, fetching whatever falls due."""
        end = self.clock.seconds + seconds
        while (wait := self.round()) + self.clock.seconds <= end:
            self.clock.seconds += wait
        self.clock.seconds = end


@pytest.fixture
def desk() -> BackfillDesk:
    """A backfill that wants everything."""
    return BackfillDesk()


def refused(path: str, status: int | None) -> AlpacaRestError:
    """Return an error that one route raises."""
    return AlpacaRestError(path, "no", status=status)
