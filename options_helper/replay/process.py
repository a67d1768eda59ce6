"""The process's one replay, as its environment asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from options_helper.recording import FOLDER_VARIABLE, RING_VARIABLE
from options_helper.replay import ACCOUNT_VARIABLE, AT_VARIABLE, FILE_VARIABLE, SPEED_VARIABLE
from options_helper.replay.clock import ReplayClock
from options_helper.times import to_microseconds, use_clock

if TYPE_CHECKING:
    from options_helper.recording.overview import Overview
    from options_helper.recording.records import Record
    from options_helper.replay.manager import ReplayManager

_FEEDS = {"stock_feed": "OH_ALPACA_STOCK_FEED", "options_feed": "OH_ALPACA_OPTIONS_FEED"}
# Nothing listens there, and nothing in a replay connects.
_NOWHERE = {
    "APCA_API_KEY_ID": "replay",
    "APCA_API_SECRET_KEY": "replay",
    "APCA_API_BASE_URL": "http://127.0.0.1:9",
    "APCA_API_DATA_URL": "http://127.0.0.1:9",
    "APCA_API_STREAM_URL": "ws://127.0.0.1:9",
}


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay in progress.

    Attributes:
        overview: Its fills and failures, and how it ends.
        file: The recording, kept open, so that a jump backward also works after it was moved or removed.
    """

    clock: ReplayClock
    manager: ReplayManager
    overview: Overview
    file: BinaryIO

    def stop(self) -> None:
        """End the replay."""
        self.manager.close()
        self.file.close()


_replay: Replay | None = None


def current_replay() -> Replay | None:
    """Return this process's replay, None if the data is live."""
    return _replay


def pace_of_time() -> float:
    """Return how fast this process's time runs: 1 if the data is live, 0 while a replay stands still."""
    return 1.0 if _replay is None else _replay.clock.pace


def start_replay(env: MutableMapping[str, str], portfolio: Path) -> Replay:
    """Start the replay that the environment names; its time becomes this process's time.

    Args:
        env: The environment; the feeds and the account of the recording are put into it.
        portfolio: Where the recorded portfolio file is written, again at each change.

    Raises:
        OptionsHelperError: The recording cannot be played.
    """
    from options_helper.recording.file_format import open_recording  # noqa: PLC0415 - only for a replay
    from options_helper.recording.overview import find_place, survey  # noqa: PLC0415 - the same
    from options_helper.replay.manager import ReplayManager, save_portfolio  # noqa: PLC0415 - the whole product
    from options_helper.session.hub import use_manager  # noqa: PLC0415 - the same
    from options_helper.session.registry import use_monitor  # noqa: PLC0415 - the same

    global _replay  # noqa: PLW0603 - the clock is one for the whole process
    path = Path(env[FILE_VARIABLE])
    found = survey(path)
    speed = float(env.get(SPEED_VARIABLE, "1"))
    clock = ReplayClock(to_microseconds(found.at), found.first, found.last, speed=speed)
    if env.get(AT_VARIABLE):
        at = find_place(env[AT_VARIABLE], found.at, found.ends_at)
        clock.skip((at - found.at).total_seconds())
    if found.portfolio is not None:
        save_portfolio(portfolio, found.portfolio)
    for name in (FOLDER_VARIABLE, "OH_NOTIFY"):  # what happened once is neither recorded nor reported again
        env.pop(name, None)
    env.update(_environment(found.config))
    use_clock(clock.wall, clock.elapsed_seconds)
    file = open_recording(path)
    manager = ReplayManager(partial(_records, file), clock, portfolio)
    use_manager(lambda: manager)
    use_monitor(lambda: manager.monitor)
    _replay = Replay(clock, manager, found, file)
    return _replay


def _records(file: BinaryIO) -> Iterator[Record]:
    """Yield the records from the first one."""
    from options_helper.recording.file_format import RecordingReader  # noqa: PLC0415 - only for a replay

    file.seek(0)
    yield from RecordingReader(file).records()


def _environment(config: Mapping[str, object]) -> dict[str, str]:
    feeds = {variable: str(config[key]) for key, variable in _FEEDS.items() if key in config}
    return {**_NOWHERE, RING_VARIABLE: "0", ACCOUNT_VARIABLE: str(config.get("account", "")), **feeds}
