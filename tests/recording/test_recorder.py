"""Tests for the recorder: a file for each run, the last minutes in memory, and what is in neither."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from options_helper.errors import StreamInterrupted
from options_helper.recording import recorder as recorder_module
from options_helper.recording import records, ring, taps, writer
from options_helper.recording.file_format import RecordingReader
from options_helper.recording.journal import Journal
from options_helper.recording.recorder import Recorder
from options_helper.recording.taps import AnswerTap, ConnectionTap

KEY = "PKMARKED0123456789AB"
ORDER = b'{"stream":"trade_updates","data":{"order":{"id":"61e69015-8549-4bfd-b9c3-01e75843f47d"}}}'


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder to a folder that does not exist yet, and to memory; its run ends with the test."""
    made = Recorder(folder=tmp_path / "recordings", ring_bytes=2**20)
    yield made
    made.end(10)


@pytest.fixture
def clock(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seconds that the taps and the journal read."""
    seconds = [0]
    recorder.journal.began = 0
    monkeypatch.setattr(Journal, "clock_times", lambda _self: (seconds[0] * 10**6, seconds[0] * 10**6))
    for module in (taps, recorder_module, writer):
        monkeypatch.setattr(module, "clock_times", lambda: (seconds[0] * 10**6, seconds[0] * 10**6))
    return seconds


def read(content: bytes) -> list[records.Record]:
    """Return the records of a file that is whole."""
    reader = RecordingReader(io.BytesIO(content))
    found = list(reader.records())
    assert not reader.damage
    return found


def kinds(found: list[records.Record]) -> list[str]:
    """Return the names of records."""
    return [type(record).__name__ for record in found]


def file_of(recorder: Recorder) -> bytes:
    """Return the content of the recorder's file."""
    status = recorder.status
    assert status is not None
    return status.path.read_bytes()


def test_each_run_has_its_own_file(recorder: Recorder) -> None:
    """Everything between begin and end is in the file, in order, and only its owner may read it."""
    recorder.note_portfolio(b'{"positions": []}')
    recorder.begin({"stocks": ["AAPL"]}, [KEY])
    tap = ConnectionTap(recorder.journal, "stocks")
    tap.opened()
    tap.sent("subscribe")
    tap.received(b"[]")
    passed: list[list[bytearray]] = []
    tap.before(passed.append)([bytearray(b"one"), bytearray(b"two")])
    tap.ended(StreamInterrupted("stocks", "lost", code=500), "", 1006)
    answers = AnswerTap(recorder.journal, "data")
    answers.take("/v2/stocks/bars", {"limit": 5}, began=1.0, status=200, body=b"{}")
    recorder.note_portfolio(b'{"positions": []}')
    recorder.note_portfolio(b'{"positions": [1]}')
    recorder.end(10)
    tap.received(b"late")

    found = read(file_of(recorder))
    assert passed == [[bytearray(b"one"), bytearray(b"two")]]
    assert kinds(found) == [
        *("Began", "Started", "PortfolioText", "Connecting", "Opened", "Sent", "Received", "Received"),
        *("Ended", "Answer", "PortfolioText", "Stopped", "Closed"),
    ]
    assert found[7].messages == [b"one", b"two"]  # type: ignore[union-attr]
    assert found[9].query == {"limit": "5"}  # type: ignore[union-attr]
    status = recorder.status
    assert status is not None
    assert status.size == status.path.stat().st_size
    assert status.ended == "The recording is complete."
    if os.name == "posix":
        assert stat.S_IMODE(status.path.stat().st_mode) == 0o600
    recorder.begin({})
    assert recorder.status is not None
    assert recorder.status.path != status.path


def test_identifiers_of_the_account_are_replaced_and_market_data_stays(recorder: Recorder) -> None:
    """Fill frames and answers from the trading host lose their ids; others keep every byte."""
    recorder.begin({})
    ConnectionTap(recorder.journal, "fills").received(ORDER)
    ConnectionTap(recorder.journal, "options").received(ORDER)
    for host in ("trading", "data"):
        AnswerTap(recorder.journal, host).take("/v2/orders/mine", {}, began=0, status=200, body=ORDER)
    recorder.end(10)
    found = read(file_of(recorder))
    messages = [record.messages[0] for record in found if isinstance(record, records.Received)]
    answers = [record for record in found if isinstance(record, records.Answer)]
    assert [message == ORDER for message in messages] == [False, True]
    assert [answer.body == ORDER for answer in answers] == [False, True]
    assert [answer.path.endswith("mine") for answer in answers] == [False, True]
    assert b'"trade_updates"' in messages[0]


def test_a_record_with_a_key_or_a_known_account_number_is_left_out(recorder: Recorder) -> None:
    """If a server sends a key or an account number back, that record is left out and counted."""
    recorder.begin({"odd": f"_{KEY}_"}, [KEY])
    account = b'{"account_number": "PA3ABCDEFGHI"}'
    AnswerTap(recorder.journal, "trading").take("/v2/account", {}, began=0, status=200, body=account)
    answers = AnswerTap(recorder.journal, "data")
    answers.take("/v2/x", {}, began=0, status=200, body=f"your key {KEY}".encode())
    answers.take("/v2/y", {}, began=0, status=200, body=b"of PA3ABCDEFGHI")
    answers.take("/v2/z", {}, began=0, status=200, body=b"{}")
    recorder.end(10)
    found = read(file_of(recorder))
    assert kinds(found) == ["Began", "LeftOut", "Answer", "LeftOut", "LeftOut", "Answer", "Stopped", "Closed"]


def test_a_full_disk_ends_the_recording_and_nothing_else(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The complete blocks remain, a sentence says why it ended, and the last minutes continue."""
    write = os.write

    def refuse(file: int, content: bytes) -> int:
        if len(content) < 1000:
            return write(file, content)
        write(file, content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("options_helper.recording.recording_file.os.write", refuse)
    recorder.begin({})
    tap = ConnectionTap(recorder.journal, "stocks")
    recorder.last_minutes()  # writes what is waiting
    tap.received(os.urandom(5000))
    recorder.last_minutes()
    status = recorder.status
    assert status is not None
    assert "No space left" in status.ended
    tap.received(b"after")
    assert kinds(read(recorder.last_minutes()))[-3:] == ["Received", "Received", "Closed"]
    assert kinds(read(file_of(recorder))) == ["Began", "Started", "Connecting"]


def test_the_limit_ends_the_recording(tmp_path: Path) -> None:
    """A file never exceeds its limit, and says that it has reached it."""
    recorder = Recorder(folder=tmp_path, limit_bytes=5000)
    recorder.begin({})
    tap = ConnectionTap(recorder.journal, "stocks")
    for _ in range(4):
        tap.received(os.urandom(2000))
        recorder.last_minutes()
    recorder.end(10)
    status = recorder.status
    assert status is not None
    assert "limit" in status.ended
    assert status.size == status.path.stat().st_size <= 5000
    assert kinds(read(file_of(recorder))).count("Received") == 2


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_recording_whose_file_is_gone_is_not_complete(recorder: Recorder, *, is_moved: bool) -> None:
    """If the file is moved or removed, the recording ends with a sentence that says so."""
    recorder.begin({})
    recorder.last_minutes()  # writes what is waiting
    assert recorder.status is not None
    path = recorder.status.path
    if is_moved:
        path.parent.rename(path.parent.with_name("elsewhere"))
    else:
        path.unlink()
    recorder.end(10)
    assert recorder.status.ended == "The recording ended: its file was moved or removed."
    assert recorder.status.size == 0
    recorder.begin({})
    recorder.end(10)
    assert recorder.status.ended == "The recording is complete."


def test_a_slow_disk_does_not_mix_two_runs(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> None:
    """A run that begins before the last one is written has its own file, and both are whole."""
    arrived, go_on = threading.Event(), threading.Event()
    write = os.write

    def write_slowly(file: int, content: bytes) -> int:
        if len(content) > 1000:
            arrived.set()
            go_on.wait(10)
        return write(file, content)

    monkeypatch.setattr("options_helper.recording.recording_file.os.write", write_slowly)
    recorder.begin({})
    assert recorder.status is not None
    first = recorder.status.path
    ConnectionTap(recorder.journal, "stocks").received(os.urandom(5000))
    recorder.end(0)
    arrived.wait(10)
    begin = threading.Thread(target=recorder.begin, args=({},))
    begin.start()
    begin.join(10)
    tap = ConnectionTap(recorder.journal, "options")
    go_on.set()
    tap.received(b"second")
    recorder.end(10)
    assert recorder.status.path != first
    second = kinds(read(recorder.status.path.read_bytes()))
    assert second == ["Began", "Started", "Connecting", "Received", "Stopped", "Closed"]
    wait_until(lambda: kinds(read(first.read_bytes()))[-1:] == ["Closed"])
    assert kinds(read(first.read_bytes())) == [
        "Began",
        "Started",
        "Connecting",
        "Received",
        "Stopped",
        "Closed",
    ]


def test_without_a_writable_folder_the_run_continues(tmp_path: Path) -> None:
    """If the folder cannot be created, a sentence says so and the run continues."""
    (tmp_path / "file").write_text("")
    recorder = Recorder(folder=tmp_path / "file" / "folder")
    recorder.begin({})
    recorder.end(10)
    assert recorder.status is not None
    assert recorder.status.ended.startswith("No recording can be written")


def test_records_that_the_thread_cannot_keep_up_with_are_counted(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory stays bounded, and the number of refused records is in the file."""
    monkeypatch.setattr(writer, "_MOST_WAITING", 1400)  # with what every record takes
    monkeypatch.setattr(writer, "_BLOCK_BYTES", 10**9)  # the thread is not woken
    recorder.begin({})
    tap = ConnectionTap(recorder.journal, "stocks")
    for _ in range(5):
        tap.received(b"x" * 400)
    recorder.end(10)
    found = read(file_of(recorder))
    assert kinds(found).count("Received") == 2
    assert [record.records for record in found if isinstance(record, records.LeftOut)] == [3]
    assert recorder.status is not None
    assert recorder.status.ended == "The recording is not complete: 3 records were left out."


def test_records_without_messages_count_too(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded although a record reports no size."""
    monkeypatch.setattr(writer, "_MOST_WAITING", 2000)
    recorder.begin({})
    tap = ConnectionTap(recorder.journal, "stocks")
    assert recorder._writer is not None
    with recorder._writer._keeping:  # the disk is slow
        for _ in range(100):
            tap.opened()
    recorder.end(10)
    found = read(file_of(recorder))
    assert kinds(found).count("Opened") < 20
    assert any(isinstance(record, records.LeftOut) for record in found)


def test_the_last_minutes_are_a_separate_recording(recorder: Recorder, clock: list[int]) -> None:
    """Blocks older than five minutes are dropped, except for the context that a replay needs."""
    recorder.begin({"stocks": ["AAPL"]})
    old, tap = ConnectionTap(recorder.journal, "stocks"), ConnectionTap(recorder.journal, "fills")
    tap.opened()
    tap.acknowledged(None)
    old.ended(None, "", None)
    answers = AnswerTap(recorder.journal, "data")
    for body in (b"1", b"2"):
        answers.take("/v2/x", {}, began=0, status=200, body=body)
    tap.received(b"old")
    recorder.last_minutes()
    for second in (200, 299, 301, 302):
        clock[0] = second
        tap.received(b"%d" % second)
        recorder.last_minutes()
    clock[0] = 600
    tap.received(b"600")
    found = read(recorder.last_minutes())
    assert kinds(found)[:5] == ["Began", "Started", "Connecting", "Opened", "Acknowledged"]
    assert found[0].since == 301 * 10**6  # type: ignore[union-attr]
    assert [record.body for record in found if isinstance(record, records.Answer)] == [b"2"]
    assert [record.elapsed // 10**6 for record in found if isinstance(record, records.Received)] == [
        301,
        302,
        600,
    ]
    assert kinds(found)[-1] == "Closed"


def test_the_ring_stays_within_its_memory() -> None:
    """Whatever is added, blocks and context stay within the limit."""
    kept = ring.Ring(80_000)
    for number in range(200):
        answer = records.Answer(number, number, number, "data", f"/{number}", {}, 200, os.urandom(1000))
        kept.append(os.urandom(1000), [answer])
        assert kept.size <= 70_000
    began, closed = records.Began(1, 1, {}), records.Closed(1, 1, "")
    assert len(kept.to_file(began, closed)) < 85_000


def test_repeated_answers_replace_each_other_in_the_context() -> None:
    """An answer replaces an earlier one to the same request with other times; empty ones are bounded too."""
    context = ring.Context(10_000)
    for number in range(100):
        query = {"limit": "5", "after": f"{number}"}
        context.take(records.Answer(number, number, number, "trading", "/v2/x", query, 200, b""))
    assert [record.elapsed for record in context.records()] == [99]
    for number in range(100):
        context.take(records.Answer(number, number, number, "trading", f"/{number}", {}, 0, b""))
    assert len(context.records()) <= 20


def test_decoded_records_count_as_memory() -> None:
    """Answers that compress well do not fill the memory."""
    kept = ring.Ring(80_000)
    for number in range(50):
        kept.append(b"x", [records.Answer(number, number, number, "data", "/", {}, 200, bytes(10_000))])
    assert len(kept._kept) < 8


@pytest.mark.parametrize(
    ("name", "words"), [("file", "Not a directory"), ("nowhere", "No such file"), ("full", "No space left")]
)
def test_a_recording_that_cannot_begin_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """The reason is a sentence, the run continues, and no empty file is left."""

    def refuse(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / name
    if name == "file":
        folder.touch()
    elif name == "nowhere":
        folder.symlink_to(tmp_path / "gone")
    else:
        monkeypatch.setattr("options_helper.recording.recording_file.os.write", refuse)
    recorder = Recorder(folder=folder)
    recorder.begin({})
    recorder.end(10)
    assert recorder.status is not None
    assert words in recorder.status.ended
    assert not list(tmp_path.rglob("*.ohrec"))


def test_nothing_is_kept_unless_requested(recorder: Recorder) -> None:
    """Before the first run, there is no file and nothing in memory."""
    ConnectionTap(recorder.journal, "stocks").received(b"x")
    assert recorder.status is None
    assert not recorder.keeps_last_minutes
    assert recorder.last_minutes() == b""


def test_a_killed_process_leaves_a_readable_file(tmp_path: Path) -> None:
    """Everything written before the kill is readable, and the file counts as cut short."""
    code = (
        "import sys, os, pathlib\n"
        "from options_helper.recording.recorder import Recorder\n"
        "from options_helper.recording.taps import ConnectionTap\n"
        "recorder = Recorder(folder=pathlib.Path(sys.argv[1]))\n"
        "recorder.begin({})\n"
        "ConnectionTap(recorder.journal, 'stocks').received(b'before')\n"
        "recorder.last_minutes()\n"
        "ConnectionTap(recorder.journal, 'stocks').received(b'after')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, str(tmp_path)], check=False
    )
    (path,) = tmp_path.iterdir()
    reader = RecordingReader(io.BytesIO(path.read_bytes()))
    found = list(reader.records())
    assert [record.messages for record in found if isinstance(record, records.Received)][:1] == [[b"before"]]
    assert not reader.is_closed


def test_a_short_key_causes_no_omission(recorder: Recorder) -> None:
    """No record is left out for a short key, such as the demo's "demo", which the settings contain too."""
    recorder.begin({"account": "demo"}, ["demo", "demo"])
    recorder.end(10)
    assert kinds(read(file_of(recorder))) == ["Began", "Started", "Stopped", "Closed"]
