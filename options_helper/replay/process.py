"""The process's one replay, as its environment asks for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from options_helper.errors import OptionsHelperError
from options_helper.recording import FOLDER_VARIABLE, RING_VARIABLE
from options_helper.replay import ACCOUNT_VARIABLE, AT_VARIABLE, FILE_VARIABLE, SPEED_VARIABLE
from options_helper.replay.clock import ReplayClock
from options_helper.times import NEW_YORK, use_clock

if TYPE_CHECKING:
    from options_helper.replay.manager import ReplayManager
    from options_helper.replay.marks import Mark

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
        marks: Its fills and failures.
    """

    clock: ReplayClock
    manager: ReplayManager
    marks: Sequence[Mark] = ()

    def stop(self) -> None:
        """End the replay."""
        self.manager.close()


_replay: Replay | None = None


def current_replay() -> Replay | None:
    """Return this process's replay, None if the data is live."""
    return _replay


def start_replay(env: MutableMapping[str, str], portfolio: Path) -> Replay:
    """Start the replay that the environment names; its time becomes this process's time.

    Args:
        env: The environment; the feeds and the account of the recording are put into it.
        portfolio: Where the recorded portfolio file is written, again at each change.

    Raises:
        OptionsHelperError: The recording is empty.
    """
    from options_helper.recording.file_format import read_recording  # noqa: PLC0415 - only for a replay
    from options_helper.recording.records import Began, PortfolioText, Started, Watching  # noqa: PLC0415
    from options_helper.replay.manager import ReplayManager  # noqa: PLC0415 - the whole product
    from options_helper.replay.marks import find_marks, save_portfolio  # noqa: PLC0415 - the same
    from options_helper.session.hub import use_manager  # noqa: PLC0415 - the same
    from options_helper.session.registry import use_monitor  # noqa: PLC0415 - the same

    global _replay  # noqa: PLW0603 - the clock is one for the whole process
    records = list(read_recording(Path(env[FILE_VARIABLE])))
    since = max((record.since for record in records if isinstance(record, Began)), default=0)
    played = [record for record in records if not isinstance(record, Began)]
    if not played:
        raise OptionsHelperError("The recording is empty; there is nothing to replay.")
    # A file saved from memory begins with older records, which say how things stood.
    begins = max(played[0].elapsed, since)
    begins_at = played[0].at + begins - played[0].elapsed
    clock = ReplayClock(begins_at, begins, played[-1].elapsed, speed=float(env.get(SPEED_VARIABLE, "1")))
    if env.get(AT_VARIABLE):
        clock.skip_to(time_of_day(env[AT_VARIABLE], clock.wall()))
    texts = [record for record in records if isinstance(record, PortfolioText)]
    watched = [record for record in records if isinstance(record, Watching)]
    if texts:
        save_portfolio(portfolio, texts[0])
    elif watched:
        portfolio.write_bytes(watched[0].portfolio)
    for name in (FOLDER_VARIABLE, "OH_NOTIFY"):  # what happened once is neither recorded nor reported again
        env.pop(name, None)
    config = next((record.config for record in records if isinstance(record, Started)), {})
    env.update(_environment(config))
    use_clock(clock.wall, clock.elapsed_seconds)
    manager = ReplayManager(records, clock, portfolio)
    use_manager(lambda: manager)
    use_monitor(lambda: manager.monitor)
    _replay = Replay(clock, manager, tuple(find_marks(records)))
    return _replay


def _environment(config: Mapping[str, object]) -> dict[str, str]:
    feeds = {variable: str(config[key]) for key, variable in _FEEDS.items() if key in config}
    return {**_NOWHERE, RING_VARIABLE: "0", ACCOUNT_VARIABLE: str(config.get("account", "")), **feeds}


def time_of_day(written: str, day: dt.datetime) -> dt.datetime:
    """Return `HH:MM` or `HH:MM:SS` in New York on the day of another time.

    Raises:
        ValueError: It is not a time of day.
    """
    return dt.datetime.combine(day.astimezone(NEW_YORK).date(), dt.time.fromisoformat(written), NEW_YORK)
