"""Makes the golden recordings; run `python -m tests.replay.make_golden`, with names to make only some.

`--accept` keeps the sessions and stores what their replays show now, after an intended change.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import msgspec
import time_machine

from options_helper import times
from options_helper.analysis.streams.silence import MUTE
from options_helper.recording.file_format import HEADER, encode_records, pack_block
from options_helper.recording.records import Digest
from options_helper.replay.player import Player
from options_helper.simulator.server import AlpacaSimulator
from tests.replay.studio import CALL, PUT, Studio, read, recording

GOLDEN = Path(__file__).parent / "golden"
MANY = (CALL, PUT, *(f"AAPL391216C00{strike}000" for strike in range(255, 280, 5)))
EXPIRING = "AAPL261218C00250000"
_MORNING = "2026-11-30T10:30:00-05:00"
_EACH = 8  # looks after each thing that happens


class Hours:
    """A clock that can be put forward, for what takes minutes."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __enter__(self) -> Self:
        wall, elapsed = times._wall, times._elapsed
        self._restore = wall, elapsed
        times.use_clock(
            lambda: wall() + times.dt.timedelta(seconds=self._ahead), lambda: elapsed() + self._ahead
        )
        return self

    def __exit__(self, *_error: object) -> None:
        times.use_clock(*self._restore)

    def pass_seconds(self, seconds: float) -> None:
        """Put the clock forward."""
        self._ahead += seconds


def settle(studio: Studio) -> None:
    """Look until every stream runs, REST has answered and every price is known."""
    studio.look_until(lambda live: studio.is_running("stocks", "options", "fills") and live.broker)
    studio.look_until(lambda live: len(live.option_quotes) and not live.fill_gaps)


def quiet(studio: Studio, hours: Hours) -> None:
    """A few prices a minute."""
    settle(studio)
    for step in range(5):
        studio.simulator.push_quote(CALL, 4.0 + step / 10, 4.2 + step / 10)
        hours.pass_seconds(12)
        studio.look(_EACH)


def burst(studio: Studio, _hours: Hours) -> None:
    """Thousands of quotes a second, and fills in between."""
    settle(studio)
    for number in range(4):
        studio.simulator.burst("options", 3000, per_frame=30)
        studio.simulator.fill_now(CALL if number % 2 else PUT, qty=number + 1)
        studio.look(_EACH)


def outage(studio: Studio, hours: Hours) -> None:
    """Every stream is lost and a fill is missed, which REST reports later."""
    settle(studio)
    studio.simulator.fill_now(CALL)
    studio.look(_EACH)
    studio.simulator.stop_accepting()
    for stream in ("stocks", "options", "fills"):
        studio.simulator.drop(stream)
    studio.look(_EACH)
    studio.simulator.fill_now(CALL, qty=3)
    hours.pass_seconds(40)
    studio.look(_EACH)
    studio.simulator.resume_accepting()
    settle(studio)
    studio.look(_EACH)


def refusals(studio: Studio, _hours: Hours) -> None:
    """A stream that the plan does not allow, and routes that refuse."""
    studio.look_until(lambda live: studio.is_running("stocks", "fills") and live.broker)
    studio.look_until(lambda live: live.status_by_stream["options"] == "error")
    studio.simulator.drop("fills")
    studio.look(3 * _EACH)


def refuse(simulator: AlpacaSimulator) -> None:
    """Let the simulator refuse the options and the positions."""
    simulator.faults.set("options", subscribe_error=409)
    simulator.faults.rest(path="/v2/positions", status=403)


def mute(studio: Studio, hours: Hours) -> None:
    """A stream that answers pings and sends nothing more."""
    settle(studio)
    studio.look(_EACH)
    studio.simulator.faults.set("options", mute=True)
    studio.simulator.faults.set("stocks", mute=True)
    for _ in range(6):
        hours.pass_seconds(15)
        studio.look(_EACH)
    studio.look_until(lambda live: MUTE in "".join(live.errors_by_stream.values()))
    studio.look(_EACH)


def midnight(studio: Studio, hours: Hours) -> None:
    """The day's fills end with the day."""
    settle(studio)
    studio.simulator.fill_now(CALL)
    studio.look(_EACH)
    studio.look_until(lambda live: times.new_york_date(live.as_of).day == 1)
    studio.look(_EACH)
    hours.pass_seconds(60)
    studio.look(_EACH)


def expiry(studio: Studio, hours: Hours) -> None:
    """A contract's last minutes, and the evening after."""
    settle(studio)
    for _ in range(12):
        hours.pass_seconds(60)
        studio.look(3)


def assignment(studio: Studio, hours: Hours) -> None:
    """A put is assigned, and later REST reports it."""
    settle(studio)
    studio.simulator.settle("OPASN", PUT)
    studio.look(_EACH)
    for _ in range(4):
        studio.simulator.drop("fills")
        hours.pass_seconds(70)
        studio.look_until(lambda _live: studio.is_running("fills"))
        studio.look(_EACH)


SCENES: dict[Callable[[Studio, Hours], None], dict[str, Any]] = {
    quiet: {"tick_seconds": 0},
    burst: {},
    outage: {},
    refusals: {"prepare": refuse},
    mute: {"config": {"option_contracts": MANY}, "contracts": MANY},
    midnight: {"at": "2026-11-30T23:59:55-05:00"},
    expiry: {"at": "2026-12-18T15:54:57-05:00", "contract": EXPIRING},
    assignment: {},
}


def make(scene: Callable[[Studio, Hours], None], *, at: str = _MORNING, **more: Any) -> None:
    """Record one session."""
    contract = more.pop("contract", CALL)
    target = GOLDEN / f"{scene.__name__}.ohrec"
    with (
        time_machine.travel(times.dt.datetime.fromisoformat(at), tick=True),
        Hours() as hours,
        TemporaryDirectory() as folder,
    ):
        with recording(Path(folder), contract=contract, **{"tick_seconds": 0.1} | more) as studio:
            scene(studio, hours)
        GOLDEN.mkdir(exist_ok=True)
        shutil.copy(studio.path, target)
    print(f"{target.name}: {target.stat().st_size:,} bytes, {studio.looks} looks")  # noqa: T201


def accept(path: Path) -> None:
    """Replace the digests of a recording by those of its replay."""
    player, records = Player(), []
    for record in read(path):
        player.feed(record)
        if isinstance(record, Digest):
            record = msgspec.structs.replace(record, parts=dict(player.seen))  # noqa: PLW2901
        records.append(record)
    player.close()
    path.write_bytes(HEADER + pack_block(encode_records(records)))


if __name__ == "__main__":
    wanted = [each for each in sys.argv[1:] if not each.startswith("-")]
    for scene, settings in SCENES.items():
        if wanted and scene.__name__ not in wanted:
            continue
        if "--accept" in sys.argv:
            accept(GOLDEN / f"{scene.__name__}.ohrec")
        else:
            make(scene, **settings)
    assert threading.active_count() == 1
