"""Tests for the format of a recording."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from options_helper.recording import records
from options_helper.recording.file_format import (
    HEADER,
    RecordingReader,
    UnreadableRecording,
    encode_records,
    open_recording,
    pack_block,
)

RECORDS: tuple[records.Record, ...] = (
    records.Began(1, 2, {"options-helper": "0.1.0"}),
    records.Started(3, 4, {"stocks": ["AAPL"], "stream_fills": True}),
    records.PortfolioText(3, 4, b'{"positions": []}'),
    records.Connecting(5, 6, 1, "stocks"),
    records.Opened(7, 8, 1),
    records.Sent(9, 10, 1, b"\x81", is_text=False),
    records.Received(11, 12, 1, [b"\x00\xff", b""]),
    records.Received(11, 12, 1, [b"[]"], is_text=True),
    records.Acknowledged(13, 14, 1, ["AAPL"]),
    records.Ended(15, 16, 1, "interrupted", "", "the connection was lost", None, 1006),
    records.Answer(17, 18, 16, "data", "/v2/stocks/snapshots", {"symbols": "AAPL"}, 200, b"{}"),
    records.Answer(17, 18, 16, "trading", "/v2/account", {}, 0, b"", None, "no answer"),
    records.LeftOut(19, 20, 3, "the computer was too slow"),
    records.Stopped(21, 22),
    records.Closed(23, 24, "the run ended"),
)


def block(*some: records.Record) -> bytes:
    """Return a block of records."""
    return pack_block(encode_records(some))


def read(content: bytes) -> tuple[list[records.Record], RecordingReader]:
    """Return the records of a file, and its reader."""
    reader = RecordingReader(io.BytesIO(content))
    return list(reader.records()), reader


def test_every_kind_of_record_is_read_as_it_was_written() -> None:
    """A file returns the records that were written, and is closed if its last record says so."""
    found, reader = read(HEADER + block(*RECORDS[:4]) + block(*RECORDS[4:]))
    assert tuple(found) == RECORDS
    assert (reader.is_closed, reader.damage) == (True, "")


def test_a_file_cut_anywhere_is_read_to_its_last_whole_block() -> None:
    """Whatever length remains after a crash, exactly the complete blocks are read."""
    blocks = [block(record) for record in RECORDS]
    content = HEADER + b"".join(blocks)
    ends = [len(HEADER) + len(b"".join(blocks[:count])) for count in range(len(blocks) + 1)]
    for size in range(len(HEADER), len(content)):
        found, reader = read(content[:size])
        whole = sum(end <= size for end in ends) - 1
        assert tuple(found) == RECORDS[:whole]
        assert not reader.is_closed
        assert bool(reader.damage) is (size not in ends)


def test_a_damaged_block_ends_the_reading() -> None:
    """A changed byte is noticed, and the blocks before it are read."""
    first = HEADER + block(RECORDS[0])
    for place in range(len(first), len(first) + len(block(RECORDS[1]))):
        content = bytearray(first + block(RECORDS[1]) + block(RECORDS[2]))
        content[place] ^= 0x10
        found, reader = read(bytes(content))
        assert found == [RECORDS[0]]
        assert reader.damage


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a recording"),
        (b"{}\n", "not a recording"),
        (HEADER[:-1], "not a recording"),
        (HEADER[:-1] + b"\x09", "A newer version of options-helper wrote this recording .format 9"),
        (HEADER[:-1] + b"\x00", "damaged: there is no format 0"),
    ],
)
def test_another_file_is_refused_with_its_reason(content: bytes, words: str) -> None:
    """Another file, or a recording of a different version, raises a sentence that fits it."""
    with pytest.raises(UnreadableRecording, match=words):
        RecordingReader(io.BytesIO(content))


def test_a_pipe_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Nothing waits for a pipe, which may never have a writer."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableRecording, match="is not a regular file"):
        open_recording(tmp_path / "pipe")


def test_unknown_records_end_the_reading() -> None:
    """A block of unknown records is reported instead of guessed at."""
    found, reader = read(HEADER + block(RECORDS[0]) + pack_block(b"\x91\x93\xa3new\x01\x02"))
    assert found == [RECORDS[0]]
    assert "not made of known records" in reader.damage


def test_the_format_does_not_change_by_accident() -> None:
    """A file of the first version is still readable, byte for byte."""
    found, _ = read(Path(__file__).with_name("version-1.ohrec").read_bytes())
    assert tuple(found) == RECORDS
