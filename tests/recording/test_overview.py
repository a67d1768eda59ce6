"""Tests for what a replay needs to know before it begins."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from pathlib import Path

import pytest

pytest.importorskip("msgspec", reason="needs msgspec (pip install -e '.[alpaca]')")

from options_helper.errors import OptionsHelperError
from options_helper.recording import records
from options_helper.recording.file_format import HEADER, encode_records, pack_block
from options_helper.recording.markers import MOST_MARKERS
from options_helper.recording.overview import find_place, survey
from options_helper.times import NEW_YORK

GOLDEN = Path(__file__).parents[1] / "replay/golden"
SECOND = 1_000_000
AT = 1_796_000_000 * SECOND
FILL = b'{"data": {"event": "fill", "qty": "1", "price": "2", "order": {"symbol": "AAPL"}}}'


def write(path: Path, *blocks: list[records.Record]) -> Path:
    """Write blocks of records to a file."""
    packed = (pack_block(encode_records(block)) for block in blocks)
    path.write_bytes(HEADER + b"".join(packed))
    return path


def new_york(text: str) -> dt.datetime:
    """Return a time in New York as UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("23:50", "2026-11-30T23:50:12"),  # the beginning's own minute
        ("23:55", "2026-11-30T23:55"),
        ("00:30", "2026-12-01T00:30"),
        ("00:30:10", "2026-12-01T00:30:10"),
        ("23:49", "23:49 is not in the recording, which lasts from 23:50:12 to 00:45:00"),
        ("00:46", "00:46 is not in the recording"),
        ("00:30+05:00", "has a time zone"),
        ("24:00", "not a time of day"),
    ],
)
def test_a_time_of_day_is_also_found_after_midnight(written: str, found: str) -> None:
    """A time after midnight is on the next day; one outside the recording, or with a zone, is refused."""
    span = new_york("2026-11-30T23:50:12"), new_york("2026-12-01T00:45")
    if found[:4] == "2026":
        assert find_place(written, *span) == new_york(found)
    else:
        with pytest.raises(OptionsHelperError, match=found):
            find_place(written, *span)


def test_fills_and_failures_have_markers() -> None:
    """Fills and failures are found with their words, and the recording is complete."""
    found = survey(GOLDEN / "outage.ohrec")
    assert (found.is_closed, found.damage, found.left_out) == (True, "", 0)
    assert "stocks: the server refused the connection" in [m.words for m in found.markers if not m.is_fill]
    assert any(m.is_fill and m.words.startswith("fill: 1 AAPL391216C00250000 at ") for m in found.markers)
    assert found.config["stocks"] == ["AAPL"]
    assert found.portfolio is not None


def test_failures_before_the_last_minutes_have_no_markers(tmp_path: Path) -> None:
    """A file saved from memory begins with older records, whose times a replay does not reach."""
    began = records.Began(AT + 60 * SECOND, 60 * SECOND, {}, since=50 * SECOND)
    older, newer = (
        records.Observed(AT + each * SECOND, each * SECOND, "fills", "failed", {"text": f"at {each}"})
        for each in (10, 55)
    )
    found = survey(write(tmp_path / "a.ohrec", [began, older], [newer]))
    assert [marker.words for marker in found.markers] == ["fills: at 55"]
    assert min(marker.at for marker in found.markers) >= found.at


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([], "empty"),
        ([[records.Began(AT, 0, {})]], "empty"),
        ([[records.Stopped(2**62, 1)]], "its times are impossible"),
        ([[records.Stopped(AT, 1), records.Stopped(AT, 2**62)]], "its times are impossible"),
        ([[records.Stopped(1, 1)]], "its times are impossible"),
    ],
)
def test_an_unplayable_recording_is_refused(
    tmp_path: Path, blocks: list[list[records.Record]], words: str
) -> None:
    """A file without a record to play, or with impossible times, raises a sentence."""
    with pytest.raises(OptionsHelperError, match=words):
        survey(write(tmp_path / "a.ohrec", *blocks))


@pytest.mark.slow
def test_a_long_recording_needs_little_memory(tmp_path: Path) -> None:
    """Memory holds one block at a time, and only the first thousand of very many fills."""
    begin: list[records.Record] = [records.Connecting(AT, 0, 1, "fills")]
    block: list[records.Record] = [
        records.Received(AT, each, 1, [FILL, b" " * 500], is_text=True) for each in range(1000)
    ]
    path = write(tmp_path / "a.ohrec", begin, *[block] * 10)
    tracemalloc.start()
    found = survey(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.markers) == MOST_MARKERS
    assert not found.is_closed
    assert most < 4_000_000  # all of it is 6 MB
