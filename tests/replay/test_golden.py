"""Golden recordings: a change of any figure in them is a decision; `make_golden --accept` accepts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("msgspec", reason="needs msgspec (pip install -e '.[alpaca]')")

from options_helper.analysis.streams.silence import MUTE
from options_helper.market import LiveSnapshot
from options_helper.recording.file_format import read_recording
from options_helper.recording.records import Digest, Looked
from options_helper.replay.player import Player
from options_helper.times import new_york_date

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parent / "golden"
LARGEST = 300_000
Shown = Callable[[LiveSnapshot], object]


def failures(live: LiveSnapshot) -> str:
    """Return the last failure of each stream."""
    return " ".join(live.errors_by_stream.values())


# For each recording, what some look shows, in this order.
SHOWN: dict[str, tuple[Shown, ...]] = {
    "quiet": (lambda live: not live.fill_gaps and live.running,),
    "burst": (
        lambda live: len(live.fills) == 0,
        lambda live: len(live.fills) > 5,
        lambda live: live.conflated_events > 1000,
    ),
    "outage": (
        lambda live: live.fills and not live.fill_gaps,
        lambda live: live.fill_gaps and "refused the connection" in failures(live),
        lambda live: not live.fill_gaps and len(live.rest_fills) > len(live.fills) // 3,
    ),
    "refusals": (
        lambda live: live.status_by_stream["options"] == "error" and live.health["options"].last_failure,
        lambda live: "403" in live.backfill.get("positions", ""),
    ),
    "mute": (lambda live: MUTE in failures(live),),
    "midnight": (
        lambda live: live.fills and new_york_date(live.as_of).day == 30,
        lambda live: not live.fills and new_york_date(live.as_of).day == 1,
    ),
    "expiry": (),
    "assignment": (
        lambda live: not live.broker_events,
        lambda live: live.broker_events,
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_golden_recording_is_equal_at_every_look(name: str) -> None:
    """Each look has the recorded figures, and together they cover the recording's subject."""
    path = GOLDEN / f"{name}.ohrec"
    assert path.stat().st_size < LARGEST
    player, looks, awaited = Player(), 0, list(SHOWN[name])
    expired: list[int] = []
    try:
        for record in read_recording(path):
            look = player.feed(record)
            assert look is None or not look.differs, f"{name} at {look.at}: {', '.join(look.differs)}"
            looks += isinstance(record, Digest)
            if isinstance(record, Looked) and player.run is not None and player.monitor is not None:
                live = player.run.snapshot()
                tables = player.monitor.views.tables(player.monitor.portfolio, live, 30.0)
                expired.append(tables.totals.expired)
                while awaited and awaited[0](live):
                    del awaited[0]
    finally:
        player.close()
    assert looks >= 20
    assert not awaited, f"{name} does not show number {len(SHOWN[name]) - len(awaited) + 1}"
    assert (expired[0], expired[-1]) == ((0, 1) if name == "expiry" else (0, 0))
