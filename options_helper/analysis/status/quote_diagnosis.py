"""Diagnoses of dead, late and stale quotes on running streams."""

from __future__ import annotations

from collections.abc import Sequence

from options_helper.analysis.status.clock import late_streams
from options_helper.analysis.status.diagnosis import Diagnosis, Level, QuoteCounts
from options_helper.analysis.status.refusals import name_streams
from options_helper.analysis.streams.silence import seconds_since
from options_helper.analysis.text.figures import format_span
from options_helper.analysis.text.wording import capital, count, join_words
from options_helper.analysis.valuation.quote_state import QUIET_HEARD_SECONDS, is_polled_in_time
from options_helper.market import LiveSnapshot, StreamHealth, StreamName

_WORD = {StreamName.OPTIONS: "option", StreamName.STOCKS: "stock"}


def explain_dead(
    live: LiveSnapshot, records: Sequence[StreamHealth], counts: QuoteCounts
) -> Diagnosis | None:
    """Explain streams with stale quotes that have not even answered a ping recently."""
    dead = [each for each in _unheard(live, records) if counts.stale_by_stream.get(each.stream)]
    if not dead:
        return None
    silence = max(seconds_since(each.last_heard_at, live.as_of) for each in dead)
    return Diagnosis(
        Level.ERROR,
        f"No response from {name_streams([each.stream for each in dead])}.",
        f"Nothing has arrived for {format_span(silence)}, not even a pong. {describe_stale(counts)}",
    )


def explain_late(live: LiveSnapshot, counts: QuoteCounts) -> Diagnosis | None:
    """Explain streams with quotes that arrive late."""
    late = late_streams(live)
    if not late:
        return None
    stream, seconds = max(late.items(), key=lambda each: each[1])
    return Diagnosis(
        Level.WARNING,
        f"{_WORD[stream].capitalize()} quotes arrive {format_span(seconds)} late.",
        f"Their ages include this delay. {describe_stale(counts)}".strip(),
    )


def explain_overdue_poll(live: LiveSnapshot) -> Diagnosis | None:
    """Explain polled prices that REST did not return in time."""
    overdue = [
        record
        for record in live.health.values()
        if record.polled and record.polled_at is not None and not is_polled_in_time(live, record.stream)
    ]
    if not overdue:
        return None
    record = overdue[0]
    number = len(record.polled)
    since = format_span(seconds_since(record.polled_at, live.as_of))
    reason = capital(live.backfill.get(f"polled {record.stream}", ""))
    return Diagnosis(
        Level.WARNING,
        f"{count(number, f'{_WORD[record.stream]} quote')} {'is' if number == 1 else 'are'} not up to date.",
        f"They are not streamed; REST last returned all of them {since} ago. {reason}".rstrip(),
    )


def explain_stale(
    live: LiveSnapshot, records: Sequence[StreamHealth], counts: QuoteCounts
) -> Diagnosis | None:
    """Explain stale quotes: their number, the oldest, and the state of their streams."""
    if not counts.stale:
        return None
    are = "quote is" if counts.total == 1 else "quotes are"
    parts = [
        part for part in (_oldest(counts), f"threshold {format_span(counts.stale_after_seconds)}") if part
    ]
    return Diagnosis(
        Level.WARNING,
        f"{counts.stale:,} of {counts.total:,} {are} stale.",
        f"{capital(', '.join(parts))}; {_how_streams_are(live, records, counts)}.",
    )


def describe_stale(counts: QuoteCounts) -> str:
    """Return a sentence such as `8 of 12 quotes are stale, oldest 3 m 12 s (BRK.B 500 call).`, or ""."""
    if not counts.stale:
        return ""
    are = "quote is" if counts.total == 1 else "quotes are"
    parts = [f"{counts.stale:,} of {counts.total:,} {are} stale", _oldest(counts)]
    return f"{', '.join(part for part in parts if part)}."


def describe_rest(counts: QuoteCounts) -> str:
    """Return a sentence about quiet and missing quotes, such as `3 of 8 are quiet (options).`, or ""."""
    parts = []
    if counts.quiet:
        streams = f" ({', '.join(counts.quiet_by_stream)})" if counts.quiet_by_stream else ""
        are = "is" if counts.quiet == 1 else "are"
        parts.append(f"{counts.quiet:,} of {counts.total:,} {are} quiet{streams}")
    if counts.missing:
        parts.append(f"{counts.missing:,} of {counts.total:,} without a quote")
    return f"{join_words(parts)}." if parts else ""


def _how_streams_are(live: LiveSnapshot, records: Sequence[StreamHealth], counts: QuoteCounts) -> str:
    """Return a clause about the data streams: connected, or when one was last heard."""
    for record in _unheard(live, records):
        silence = format_span(seconds_since(record.last_heard_at, live.as_of))
        return f"the {_WORD[record.stream]} stream was last heard {silence} ago"
    streams = [stream for stream in _WORD if counts.stale_by_stream.get(stream)]
    if not streams:
        return "the stream is connected"
    return f"{name_streams(streams)} {'is' if len(streams) == 1 else 'are'} connected"


def _unheard(live: LiveSnapshot, records: Sequence[StreamHealth]) -> list[StreamHealth]:
    """Return the data streams that have not been heard from recently, not even with a pong."""
    data = [each for each in records if each.stream in _WORD]
    return [each for each in data if seconds_since(each.last_heard_at, live.as_of) > QUIET_HEARD_SECONDS]


def _oldest(counts: QuoteCounts) -> str:
    if counts.oldest_seconds is None:
        return ""
    whose = f" ({counts.oldest_name})" if counts.oldest_name else ""
    return f"oldest {format_span(counts.oldest_seconds)}{whose}"
