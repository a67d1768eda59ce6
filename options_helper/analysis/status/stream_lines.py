"""The page's line for each stream: its state as a sign and a word, and its details."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from options_helper.analysis.streams.silence import MUTE_AFTER_SECONDS, seconds_since, silence_seconds
from options_helper.analysis.text.figures import MISSING, format_span
from options_helper.analysis.text.wording import count, format_time, join_words
from options_helper.market import LiveSnapshot, StreamFailure, StreamHealth, StreamName, StreamState

NO_ANSWER_AFTER_SECONDS = 3.0
_JUST_NOW_SECONDS = 3.0

LABELS = {StreamName.OPTIONS: "Options", StreamName.STOCKS: "Stocks", StreamName.FILLS: "Fills"}


@dataclass(frozen=True, slots=True)
class StreamLine:
    """The page's line for one stream.

    Attributes:
        label: `Options`, `Stocks` or `Fills`.
        sign: A character for the state.
        word: The state.
        text: The number of symbols and the time of the last event, or what the stream is waiting for.
        last_failure: The cause and time of the last failure, kept after recovery; "" if there was none.
    """

    label: str
    sign: str
    word: str
    text: str
    last_failure: str = ""


def stream_records(snapshot: LiveSnapshot) -> list[StreamHealth]:
    """Return the streams in use in the page's order.

    A stream without a health record gets one made from the snapshot's other fields.
    """
    records = []
    for name in LABELS:
        record = snapshot.health.get(name)
        if record is None and name in snapshot.status_by_stream:
            error = snapshot.errors_by_stream.get(name)
            state = StreamState(snapshot.status_by_stream[name])
            record = StreamHealth(
                name,
                state=state,
                attempts=snapshot.reconnect_attempts.get(name, 0),
                last_event_at=snapshot.last_event_ts_by_stream.get(name),
                last_failure=StreamFailure(error, snapshot.as_of, final=state is StreamState.ERROR)
                if error
                else None,
            )
        if record is not None and record.state != StreamState.NOT_STARTED:
            records.append(record)
    return records


def describe_stream(record: StreamHealth, as_of: dt.datetime, *, zone: dt.tzinfo) -> StreamLine:
    """Return the page's line for a stream."""
    sign, word = _sign(record, as_of)
    failure = record.last_failure
    last_failure = f"{failure.words}, {format_time(failure.at, zone, as_of)}" if failure else ""
    return StreamLine(LABELS[record.stream], sign, word, _text(record, as_of, zone), last_failure)


_SIGNS = {
    StreamState.NOT_STARTED: ("○", "off"),
    StreamState.CONNECTING: ("◌", "connecting"),
    StreamState.RUNNING: ("●", "running"),
    StreamState.RECONNECTING: ("↻", "reconnecting"),
    StreamState.ERROR: ("✕", "error"),
    StreamState.STOPPED: ("■", "stopped"),
}


def _sign(record: StreamHealth, as_of: dt.datetime) -> tuple[str, str]:
    if record.state == StreamState.RUNNING and (record.missing or _is_silent(record, as_of)):
        return "◐", "running"
    return _SIGNS[record.state]


def _text(record: StreamHealth, as_of: dt.datetime, zone: dt.tzinfo) -> str:
    match record.state:
        case StreamState.CONNECTING:
            return describe_wait(record, as_of)
        case StreamState.RECONNECTING:
            return describe_next_try(record, as_of)
        case StreamState.ERROR:
            return record.last_failure.words if record.last_failure else "ended"
        case StreamState.STOPPED:
            last = record.last_event_at
            return f"last event {format_time(last, zone, as_of)}" if last else MISSING
        case StreamState.RUNNING:
            return f"{coverage(record)} · {_last_event(record, as_of, zone)}"
        case _:
            return MISSING


def _last_event(record: StreamHealth, as_of: dt.datetime, zone: dt.tzinfo) -> str:
    last, is_fills = record.last_event_at, record.stream == StreamName.FILLS
    if last is None:
        return "none yet" if is_fills else "no quote yet"
    if not is_fills and seconds_since(last, as_of) < _JUST_NOW_SECONDS:
        return "just now"
    return f"last {format_time(last, zone, as_of)}"


def describe_next_try(record: StreamHealth, as_of: dt.datetime) -> str:
    """Return the attempt with its time or current step, such as `attempt 3, next try in 4 s`."""
    number = record.tries or record.attempts
    attempt = f"attempt {number:,}" if number else "trying again"
    if record.next_attempt_at is None:
        return f"{attempt}: {record.step}" if record.step else attempt
    wait = (record.next_attempt_at - as_of).total_seconds()
    return f"{attempt}, next try {f'in {format_span(wait)}' if wait >= 1 else 'now'}"


def describe_wait(record: StreamHealth, as_of: dt.datetime) -> str:
    """Return the step of a connecting stream and its duration, such as `opening the connection (2 s)`.

    After `NO_ANSWER_AFTER_SECONDS`, the words say that no answer has come.
    """
    seconds = seconds_since(record.since, as_of)
    step = record.step or "opening the connection"
    if seconds >= NO_ANSWER_AFTER_SECONDS:
        return f"{step}, no answer for {format_span(seconds)}"
    return f"{step} ({format_span(seconds)})"


def _is_silent(record: StreamHealth, as_of: dt.datetime) -> bool:
    """Return whether a data stream is silent: no event yet, or none for a long time; fills never count."""
    if record.stream == StreamName.FILLS:
        return False
    seen, silent = silence_seconds(record, as_of)
    return not seen or silent >= MUTE_AFTER_SECONDS


def name_live(records: Sequence[StreamHealth], as_of: dt.datetime) -> str:
    """Return a sentence about the running streams that are not silent, such as `Stocks are live.`, or ""."""
    running = [each for each in records if each.state == StreamState.RUNNING and not _is_silent(each, as_of)]
    live = [LABELS[each.stream].lower() for each in running]
    return f"{join_words(live).capitalize()} are live." if live else ""


def coverage(record: StreamHealth) -> str:
    """Return a stream's coverage, such as `12 of 12`, `200 stream, 50 polled every 15 s` or `listening`."""
    if record.stream == StreamName.FILLS:
        return "listening"
    if not record.asked:
        return "connected"
    streaming = len(record.asked) - len(record.missing)
    if record.polled:
        return f"{streaming} stream, {describe_polled(record)}"
    return f"{streaming:,} of {len(record.asked):,}"


def describe_polled(record: StreamHealth) -> str:
    """Return the number of polled symbols, such as `50 polled every 15 s`."""
    return f"{len(record.polled):,} polled every {format_span(record.poll_seconds)}"


def describe_mix(snapshot: LiveSnapshot) -> str:
    """Return the mix of streamed and polled symbols, such as `200 stream, 50 polled every 15 s`.

    Return "" if nothing is polled.
    """
    records = [record for record in snapshot.health.values() if record.stream is not StreamName.FILLS]
    polled = sum(len(record.polled) for record in records)
    if not polled:
        return ""
    streaming = sum(
        len(record.asked) - len(record.missing) for record in records if record.state is StreamState.RUNNING
    )
    seconds = max(record.poll_seconds for record in records)
    return f"{streaming:,} stream, {polled:,} polled every {format_span(seconds)}"


def describe_limit(record: StreamHealth) -> str:
    """Return a sentence about the plan's limit, or "" if it was not reached.

    For example `Alpaca granted 30 channels: 24 underlyings stream quotes; 6 are polled.`
    """
    if record.channels is None:
        return ""
    words = "underlying" if record.stream is StreamName.STOCKS else "contract"
    streaming = len(record.asked) - len(record.missing)
    verb = "streams" if streaming == 1 else "stream"
    granted = f"Alpaca granted {count(record.channels, 'channel')}: {count(streaming, words)} {verb} quotes"
    if not record.polled:
        return f"{granted}."
    return f"{granted}; {len(record.polled):,} {'is' if len(record.polled) == 1 else 'are'} polled."
