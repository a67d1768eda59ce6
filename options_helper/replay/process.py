"""The process's one replay, as its environment asks for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from options_helper.recording import FOLDER_VARIABLE, RING_VARIABLE
from options_helper.replay import ACCOUNT_VARIABLE, AT_VARIABLE, FILE_VARIABLE, SPEED_VARIABLE
from options_helper.replay.clock import ReplayClock
from options_helper.times import NEW_YORK, use_clock

if TYPE_CHECKING:
    from options_helper.replay.server import ReplayServer

_FEEDS = {"stock_feed": "OH_ALPACA_STOCK_FEED", "options_feed": "OH_ALPACA_OPTIONS_FEED"}


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay in progress."""

    clock: ReplayClock
    server: ReplayServer

    def stop(self) -> None:
        """End the server."""
        self.server.stop()


_replay: Replay | None = None


def current_replay() -> Replay | None:
    """Return this process's replay, None if the data is live."""
    return _replay


def start_replay(env: MutableMapping[str, str], portfolio: Path) -> Replay:
    """Start the replay that the environment names; its time becomes this process's time.

    Args:
        env: The environment; the hosts, feeds and the account of the recording are put into it.
        portfolio: Where the recorded portfolio file is written, again at each change.
    """
    from options_helper.recording.file_format import read_recording  # noqa: PLC0415 - only for a replay
    from options_helper.replay.script import Script  # noqa: PLC0415 - the same
    from options_helper.replay.server import ReplayServer  # noqa: PLC0415 - needs aiohttp

    global _replay  # noqa: PLW0603 - the clock is one for the whole process
    script = Script(read_recording(Path(env[FILE_VARIABLE])))
    speed = float(env.get(SPEED_VARIABLE, "1"))
    clock = ReplayClock(script.begins_at, script.begins, script.last.elapsed, speed=speed)
    if env.get(AT_VARIABLE):
        clock.skip_to(time_of_day(env[AT_VARIABLE], clock.wall()))
    server = ReplayServer(script, clock, portfolio)
    server.start()
    for name in (FOLDER_VARIABLE, "OH_NOTIFY"):  # what happened once is neither recorded nor reported again
        env.pop(name, None)
    env.update(
        server.environment(), **{RING_VARIABLE: "0", ACCOUNT_VARIABLE: str(script.config.get("account", ""))}
    )
    env.update(
        {variable: str(script.config[key]) for key, variable in _FEEDS.items() if key in script.config}
    )
    use_clock(clock.wall, clock.elapsed_seconds)
    _replay = Replay(clock, server)
    return _replay


def time_of_day(written: str, day: dt.datetime) -> dt.datetime:
    """Return `HH:MM` or `HH:MM:SS` in New York on the day of another time.

    Raises:
        ValueError: It is not a time of day.
    """
    return dt.datetime.combine(day.astimezone(NEW_YORK).date(), dt.time.fromisoformat(written), NEW_YORK)
