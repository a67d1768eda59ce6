"""The content of a recording: a summary, a check that it reveals no secret, and its records as JSON."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from options_helper.recording.file_format import RecordingReader, open_recording
from options_helper.recording.identifiers import (
    ACCOUNTS,
    FILLS,
    IDENTIFIERS,
    LIKE_AN_ACCOUNT,
    REPLACED,
    TRADING,
    UUID,
)
from options_helper.recording.recording_file import counted
from options_helper.recording.records import (
    Answer,
    Began,
    Connecting,
    Ended,
    LeftOut,
    Received,
    Record,
    Sent,
    Started,
)

# Alpaca's key ids, and its numbers of paper accounts.
_LIKE_A_KEY = re.compile(rb"\b[PAC]K[A-Z0-9]{18,24}\b")
_LIKE_AN_ACCOUNT = re.compile(LIKE_AN_ACCOUNT.pattern.encode())
_BYTES = frozenset({"messages", "message", "body", "text"})
_MICROSECOND = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True)
class _Summary:
    """The counts of a recording; one saved from memory begins with older records, for the state then."""

    since: int = 0
    first: Record | None = None
    last: Record | None = None
    versions: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    connections: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    streams: dict[int, str] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Count a record."""
        if isinstance(record, Began):
            self.versions, self.since = record.versions, record.since
            return
        if record.elapsed >= self.since:
            self.first, self.last = self.first or record, record
        match record:
            case Started():
                self.runs += 1
            case Connecting():
                self.streams[record.connection] = record.stream
                self.connections[record.stream] += 1
            case Received():
                stream = self.streams.get(record.connection, "?")
                self.messages[stream] += len(record.messages)
                self.bytes[stream] += sum(map(len, record.messages))
            case Ended() if record.outcome != "stopped":
                self.ends[self.streams.get(record.connection, "?")] += 1
            case Answer():
                self.answers[record.host] += 1
            case LeftOut():
                self.left_out += record.records

    def lines(self) -> Iterator[str]:
        """Yield the summary, line by line."""
        if self.first is not None and self.last is not None:
            seconds = (self.last.elapsed - self.first.elapsed) / 1e6
            yield f"From {_at(self.first)} to {_at(self.last)}, {seconds:,.0f} s"
        if self.versions:
            yield "Written by " + ", ".join(f"{name} {number}" for name, number in self.versions.items())
        for stream, count in self.connections.items():
            yield (
                f"{stream}: {self.messages[stream]:,} frames, {self.bytes[stream]:,} bytes, "
                f"{count} connection{'' if count == 1 else 's'}, {self.ends[stream]} lost or refused"
            )
        for host, count in self.answers.items():
            yield f"{host} host: {count:,} request{'' if count == 1 else 's'}"
        if self.left_out:
            yield f"Not complete: {counted(self.left_out)} left out."


def summarize(path: Path) -> list[str]:
    """Return the lines that describe a recording; the last one says how it ended.

    Raises:
        OptionsHelperError: The file cannot be read, or is not a recording.
    """
    with open_recording(path) as file:
        reader, summary = RecordingReader(file), _Summary()
        for record in reader.records():
            summary.take(record)
    return [*summary.lines(), _ending(reader)]


def find_leaks(path: Path, secrets: Sequence[str] = ()) -> list[str]:
    """Return sentences about what a recording reveals or lacks; none if it is sound.

    Args:
        path: The recording.
        secrets: Texts that it must not contain, such as the keys.
    """
    found: dict[str, None] = {}
    unwanted = [secret.encode() for secret in secrets if secret]
    with open_recording(path) as file:
        reader = RecordingReader(file)
        streams: dict[int, str] = {}
        for content, records in reader.blocks():
            if any(secret in content for secret in unwanted):
                found["It contains a key from this machine's settings."] = None
            if _LIKE_A_KEY.search(content):
                found["It contains text that looks like an Alpaca key."] = None
            if _LIKE_AN_ACCOUNT.search(content):
                found["It contains text that looks like an account number."] = None
            for record in records:
                if isinstance(record, Connecting):
                    streams[record.connection] = record.stream
                if any(map(_has_identifier, _account_messages(record, streams))):
                    found["It contains an account number or an order id."] = None
                if isinstance(record, LeftOut):
                    found[f"It is not complete: {record.reason}."] = None
    return [*found, *([] if reader.is_closed else [_ending(reader)])]


def describe_ending(path: Path) -> str:
    """Return "Nothing is cut off.", or a sentence that says why a recording ends early."""
    with open_recording(path) as file:
        reader = RecordingReader(file)
        for _ in reader.records():
            pass
    return _ending(reader)


def export(path: Path) -> Iterator[str]:
    """Yield each record as a line of JSON; a message that is neither msgpack nor JSON is in base64."""
    with open_recording(path) as file:
        for record in RecordingReader(file).records():
            fields = msgspec.structs.asdict(record)
            for name in _BYTES.intersection(fields):
                value = fields[name]
                fields[name] = [*map(_readable, value)] if isinstance(value, list) else _readable(value)
            kind = type(record).__struct_config__.tag
            yield msgspec.json.encode({"record": kind, **fields}).decode()


def _ending(reader: RecordingReader) -> str:
    if reader.damage:
        return f"Cut short: {reader.damage}"
    return "Nothing is cut off." if reader.is_closed else "Cut short: the recording was not closed."


def _at(record: Record) -> str:
    return f"{_EPOCH + record.at * _MICROSECOND:%Y-%m-%d %H:%M:%S} UTC"


def _account_messages(record: Record, streams: dict[int, str]) -> list[bytes]:
    match record:
        case Received() if streams.get(record.connection) == FILLS:
            return record.messages
        case Sent() if streams.get(record.connection) == FILLS:
            return [record.message]
        case Answer() if record.host == TRADING:
            return [record.body]
    return []


def _has_identifier(message: bytes) -> bool:
    try:
        return _is_identifying("", msgspec.json.decode(message))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def _is_identifying(key: str, value: object) -> bool:
    if isinstance(value, dict):
        return any(_is_identifying(str(name), each) for name, each in value.items())
    if isinstance(value, list):
        return any(_is_identifying(key, each) for each in value)
    if not isinstance(value, str):
        return key in ACCOUNTS and value is not None
    if key in IDENTIFIERS and value and not REPLACED.search(value):
        return True
    return any(not REPLACED.fullmatch(each) for each in UUID.findall(value))


def _readable(message: bytes) -> object:
    decoders: tuple[Callable[[bytes], object], ...] = (msgspec.json.decode, _from_msgpack)
    for decode in decoders:
        try:
            return decode(message)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
    return base64.b64encode(message).decode()


def _from_msgpack(message: bytes) -> object:
    """Return a decoded msgpack message, with values that JSON cannot express as text."""
    return msgspec.to_builtins(msgspec.msgpack.decode(message), enc_hook=repr, str_keys=True)
