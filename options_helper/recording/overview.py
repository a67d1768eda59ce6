"""The overview of a recording: what a replay needs before it begins, found in one reading of the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from options_helper.errors import OptionsHelperError
from options_helper.recording.file_format import RecordingReader, open_recording
from options_helper.recording.markers import Marker, MarkerFinder, possible_time
from options_helper.recording.records import Began, LeftOut, PortfolioText, Record, Started, Watching
from options_helper.times import NEW_YORK

_SHAPE = "%H:%M:%S"


@dataclass(frozen=True, slots=True)
class Overview:
    """The facts that a replay needs before it begins.

    Attributes:
        at: The wall clock at `first`.
        first, last: The `elapsed` from which nothing is missing, and the last one.
        config: The settings of the run.
        portfolio: The portfolio file's first text, or the first watched portfolio.
        markers: Its fills and failures, the first ones if there are very many.
        left_out: The number of records that are missing.
        damage: The reason why the file ends early, "" if it was not damaged.
        is_closed: True if the recording was closed, not cut short.
    """

    at: dt.datetime
    first: int
    last: int
    config: Mapping[str, object]
    portfolio: PortfolioText | None
    markers: Sequence[Marker]
    left_out: int
    damage: str
    is_closed: bool

    @property
    def ends_at(self) -> dt.datetime:
        """The wall clock at the end."""
        return self.at + dt.timedelta(microseconds=self.last - self.first)


def survey(path: Path) -> Overview:
    """Return the overview of a recording; only one block at a time is in memory.

    Raises:
        OptionsHelperError: The file is not a recording, or nothing in it can be played.
    """
    since = left_out = 0
    firsts: dict[type[Record], Record] = {}
    last = 0
    markers = MarkerFinder()
    with open_recording(path) as file:
        reader = RecordingReader(file)
        for record in reader.records():
            if isinstance(record, Began):
                since = max(since, record.since)
                continue
            firsts.setdefault(type(record), record)
            last = max(last, record.elapsed)
            markers.take(record, is_played=record.elapsed >= since)
            left_out += record.records if isinstance(record, LeftOut) else 0
    if not firsts:
        raise OptionsHelperError(
            f"The recording is empty; there is nothing to replay. {reader.damage}".strip()
        )
    first = next(iter(firsts.values()))
    begins = max(first.elapsed, since)  # a file saved from memory begins with older records
    started, text, watched = (firsts.get(each) for each in (Started, PortfolioText, Watching))
    if text is None and isinstance(watched, Watching):
        text = PortfolioText(watched.at, watched.elapsed, watched.portfolio)
    return Overview(
        at=_time_of(first.at + begins - first.elapsed, last - begins),
        first=begins,
        last=last,
        config=started.config if isinstance(started, Started) else {},
        portfolio=text if isinstance(text, PortfolioText) else None,
        markers=tuple(markers.found),
        left_out=left_out,
        damage=reader.damage,
        is_closed=reader.is_closed,
    )


def _time_of(at: int, length: int) -> dt.datetime:
    """Return a recording's beginning, if it and the end are possible times."""
    begins = possible_time(at)
    if begins is None or possible_time(at + max(0, length)) is None:
        raise OptionsHelperError("The recording is damaged: its times are impossible.")
    return begins


def find_place(written: str, begins: dt.datetime, ends: dt.datetime) -> dt.datetime:
    """Return the time in a recording that `HH:MM` or `HH:MM:SS` in New York means, even after midnight.

    Raises:
        OptionsHelperError: It is not a time of day, or the recording does not contain it.
    """
    try:
        time = dt.time.fromisoformat(written)
    except ValueError:
        raise OptionsHelperError(f"{written!r} is not a time of day such as 10:30.") from None
    if time.tzinfo is not None:
        raise OptionsHelperError(f"{written!r} has a time zone; write a time in New York, such as 10:30.")
    day, until = (at.astimezone(NEW_YORK) for at in (begins, ends))
    for days in range((until.date() - day.date()).days + 1):
        at = dt.datetime.combine(day.date() + dt.timedelta(days=days), time, NEW_YORK)
        if begins.replace(second=0, microsecond=0) <= at <= ends:  # 10:30 is valid if it begins at 10:30:12
            return max(at.astimezone(dt.UTC), begins)
    raise OptionsHelperError(
        f"{written} is not in the recording, which lasts from {day:{_SHAPE}} to {until:{_SHAPE}} in New York."
    )
