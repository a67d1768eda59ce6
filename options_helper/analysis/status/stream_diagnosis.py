"""The diagnosis of a snapshot: a headline, its cause, and one next step.

The worst problem wins, in this order: a stream in error, a stream that is reconnecting, a stream that is
still connecting; while the market is open, also a dead stream, symbols not granted, a mute stream, a late
stream, an overdue poll, and stale quotes. Otherwise the streams are live, shown in grey if a quote is quiet,
missing or polled.
"""

from __future__ import annotations

import datetime as dt

from options_helper.analysis.contracts.expiry import LATE_CLOSE_DELAY
from options_helper.analysis.status.diagnosis import Diagnosis, Level, QuoteCounts, Readiness
from options_helper.analysis.status.quote_diagnosis import (
    describe_rest,
    describe_stale,
    explain_dead,
    explain_late,
    explain_overdue_poll,
    explain_stale,
)
from options_helper.analysis.status.refusals import explain_rejection, explain_retry
from options_helper.analysis.status.silence_diagnosis import explain_silence
from options_helper.analysis.status.stream_lines import (
    LABELS,
    NO_ANSWER_AFTER_SECONDS,
    coverage,
    describe_limit,
    describe_mix,
    describe_next_try,
    describe_polled,
    describe_wait,
    name_live,
    stream_records,
)
from options_helper.analysis.streams.silence import seconds_since
from options_helper.analysis.text.figures import format_span
from options_helper.analysis.text.wording import (
    capital,
    count,
    format_minute,
    format_near_time,
    format_time,
    join_words,
)
from options_helper.market import LiveSnapshot, MarketPhase, StreamHealth, StreamName, StreamState
from options_helper.times import NEW_YORK

__all__ = ["Diagnosis", "Level", "QuoteCounts", "Readiness", "diagnose"]

_NAMED_SYMBOLS = 3

_DATA = (StreamName.OPTIONS, StreamName.STOCKS)
_CLOSED: dict[str, str] = {
    MarketPhase.PRE: "Regular session closed",
    MarketPhase.AFTER: "Regular session closed",
    MarketPhase.OVERNIGHT: "Overnight session; regular session closed",
    MarketPhase.CLOSED: "Market closed",
}


def diagnose(
    snapshot: LiveSnapshot,
    *,
    ready: Readiness | None = None,
    quotes: QuoteCounts | None = None,
    stop_reason: str = "",
    next_open: dt.datetime | None = None,
    zone: dt.tzinfo = NEW_YORK,
) -> Diagnosis:
    """Return the diagnosis of a snapshot.

    Args:
        snapshot: The newest snapshot; all spans are measured from its `as_of`.
        ready: The size of the subscription that Start would make, or None if no portfolio is loaded.
        quotes: The counts of the portfolio's quotes, or None if they were not computed.
        stop_reason: The reason why the streams stopped, if nobody pressed Stop.
        next_open: The start of the next regular session while the market is closed; None if unknown.
        zone: The time zone for the times in the text.
    """
    if snapshot.status == StreamState.NOT_STARTED:
        return _not_started(ready)
    if snapshot.status == StreamState.STOPPED:
        return _stopped(snapshot, stop_reason, zone)
    records = stream_records(snapshot)
    counts = quotes or QuoteCounts()
    return (
        explain_failed(snapshot, records)
        or _reconnecting(snapshot, records, counts, zone)
        or _connecting(snapshot, records)
        or _closed(snapshot, counts, next_open or snapshot.market_next_open, zone)
        or explain_dead(snapshot, records, counts)
        or _not_granted(records)
        or explain_silence(snapshot, records)
        or explain_late(snapshot, counts)
        or explain_overdue_poll(snapshot)
        or explain_stale(snapshot, records, counts)
        or _live(snapshot, records, counts, zone)
    )


def _not_started(ready: Readiness | None) -> Diagnosis:
    if ready is None:
        return Diagnosis(Level.INFO, "Not started.", "Load a portfolio, then press Start.")
    if not ready.contracts and not ready.underlyings:
        return Diagnosis(Level.INFO, "Not started.", "Nothing in this portfolio has a price to stream.")
    parts = [(ready.contracts, "contract"), (ready.underlyings, "underlying")]
    what = join_words([count(number, word) for number, word in parts if number])
    are = "is" if ready.contracts + ready.underlyings == 1 else "are"
    return Diagnosis(Level.INFO, "Not started.", f"{what} {are} ready. Press Start to connect.")


def _stopped(snapshot: LiveSnapshot, reason: str, zone: dt.tzinfo) -> Diagnosis:
    at = f" {format_time(snapshot.stopped_at, zone, snapshot.as_of)}" if snapshot.stopped_at else ""
    if reason:
        return Diagnosis(
            Level.INFO, f"Stopped{at}:", f"{reason}. Figures are frozen. Press Start to continue."
        )
    return Diagnosis(Level.INFO, f"Stopped{at}.", "Figures are frozen.")


def explain_failed(snapshot: LiveSnapshot, records: list[StreamHealth]) -> Diagnosis | None:
    """Explain the streams that ended for good, with the cause of the first."""
    failed = [record for record in records if record.state == StreamState.ERROR]
    if not failed:
        return None
    first = failed[0]
    alike = [each for each in failed if _code(each) == _code(first)]
    headline, step = explain_rejection(
        first, [each.stream for each in alike], snapshot, data_works=_data_works(records)
    )
    last_event = max((each.last_event_at for each in failed if each.last_event_at), default=None)
    polled = next((describe_polled(each) for each in failed if each.polled), "")
    parts = [step, polled and f"{polled}.", name_live(records, snapshot.as_of)]
    if last_event is not None:
        parts.append(f"Last event {format_span((snapshot.as_of - last_event).total_seconds())} ago.")
    return Diagnosis(Level.ERROR, headline, " ".join(part for part in parts if part))


def _reconnecting(
    snapshot: LiveSnapshot, records: list[StreamHealth], counts: QuoteCounts, zone: dt.tzinfo
) -> Diagnosis | None:
    """Explain a reconnection: amber while the affected prices are fresh, red once they are stale."""
    away = [record for record in records if record.state == StreamState.RECONNECTING]
    if not away:
        return None
    headline, cause = explain_retry(away, zone)
    whose = f"{LABELS[away[0].stream]}: " if len(away) > 1 else ""
    next_try = capital(f"{whose}{describe_next_try(away[0], snapshot.as_of)}.")
    parts = [cause, next_try, name_live(records, snapshot.as_of)]
    ageing = [_SINGULAR[each.stream] for each in away if each.stream in _DATA]
    dead = any(counts.stale_by_stream.get(each.stream) for each in away)
    if dead:
        parts.append(describe_stale(counts))
    elif ageing:
        parts.append(f"{join_words(ageing).capitalize()} marks are ageing.")
    level = Level.ERROR if dead else Level.WARNING
    return Diagnosis(level, headline, " ".join(part for part in parts if part))


_SINGULAR = {StreamName.OPTIONS: "option", StreamName.STOCKS: "stock", StreamName.FILLS: "fill"}


def _connecting(snapshot: LiveSnapshot, records: list[StreamHealth]) -> Diagnosis | None:
    waiting = [record for record in records if record.state == StreamState.CONNECTING]
    if not waiting and (records or snapshot.status != StreamState.CONNECTING):
        return None
    steps = [f"{LABELS[record.stream]}: {describe_wait(record, snapshot.as_of)}." for record in waiting]
    slow = any(seconds_since(each.since, snapshot.as_of) >= NO_ANSWER_AFTER_SECONDS for each in waiting)
    return Diagnosis(Level.WARNING if slow else Level.INFO, "Connecting.", " ".join(steps))


def _closed(
    snapshot: LiveSnapshot, counts: QuoteCounts, next_open: dt.datetime | None, zone: dt.tzinfo
) -> Diagnosis | None:
    headline = _CLOSED.get(snapshot.market_phase)
    if headline is None:
        return None
    span = f" until {format_near_time(next_open, snapshot.as_of, zone)}" if next_open else ""
    parts = [_late_options(snapshot, zone), "The streams are connected."]
    if counts.newest_at is not None:
        parts.append(f"Last marks from {format_near_time(counts.newest_at, snapshot.as_of, zone)}.")
    return Diagnosis(Level.INFO, f"{headline}{span}.", " ".join(part for part in parts if part))


def _late_options(snapshot: LiveSnapshot, zone: dt.tzinfo) -> str:
    """Return a sentence about options that still trade after the regular close, or ""."""
    close = snapshot.session_close
    if snapshot.market_phase != MarketPhase.AFTER or close is None:
        return ""
    end = close + LATE_CLOSE_DELAY
    if snapshot.as_of >= end:
        return ""
    return f"Options on SPY, QQQ and other late-closing products trade until {format_minute(end, zone)}."


def _not_granted(records: list[StreamHealth]) -> Diagnosis | None:
    """Explain symbols that Alpaca did not subscribe, unless they exceed a limit and are polled."""
    invalid = frozenset().union(*(record.invalid for record in records))
    if invalid:
        return _explain_invalid(invalid)
    running = (record for record in records if record.state == StreamState.RUNNING)
    return next((_explain_short(record) for record in running if _is_short(record)), None)


def _is_short(record: StreamHealth) -> bool:
    return bool(record.missing if record.channels is None else record.missing - record.polled)


def _explain_invalid(symbols: frozenset[str]) -> Diagnosis:
    one = len(symbols) == 1
    which, left_out = ("a symbol", "It is") if one else (f"{len(symbols):,} symbols", "They are")
    return Diagnosis(
        Level.WARNING,
        f"Alpaca does not accept {which}: {name_symbols(symbols)}.",
        f"{left_out} left out; the others continue. Check the portfolio file.",
    )


def _explain_short(record: StreamHealth) -> Diagnosis:
    """Explain why fewer symbols stream than requested: a channel limit, or a missing subscription."""
    label, missing, asked = LABELS[record.stream], len(record.missing), len(record.asked)
    names = name_symbols(record.missing)
    if record.channels is None:
        return Diagnosis(
            Level.WARNING,
            f"{label}: {missing:,} of {asked:,} not granted.",
            f"Alpaca did not subscribe to {names}. Check the portfolio file.",
        )
    return Diagnosis(
        Level.WARNING,
        f"{label}: Alpaca granted {record.channels:,} channels. "
        f"{asked - missing:,} of {asked:,} symbols stream.",
        f"Not streamed: {names}.",
    )


def name_symbols(symbols: frozenset[str]) -> str:
    """Return the first few symbols and the number of the others, such as `A, B, C and 2 more`."""
    names = sorted(symbols)
    rest = len(names) - _NAMED_SYMBOLS
    if rest <= 0:
        return join_words(names)
    return f"{', '.join(names[:_NAMED_SYMBOLS])} and {rest} more"


def _live(
    snapshot: LiveSnapshot, records: list[StreamHealth], counts: QuoteCounts, zone: dt.tzinfo
) -> Diagnosis:
    streams = " · ".join(
        f"{LABELS[each.stream] if not index else LABELS[each.stream].lower()} {coverage(each)}"
        for index, each in enumerate(records)
    )
    parts = [f"{streams}." if streams else ""]
    if counts.oldest_seconds is not None:
        parts.append(f"Oldest quote {format_span(counts.oldest_seconds)}.")
    rest = [*(describe_limit(record) for record in records), describe_rest(counts)]
    is_whole = not any(rest) and not describe_mix(snapshot)
    parts += [*rest, f"Updated {format_time(snapshot.as_of, zone)}."]
    headline = "Quiet." if 2 * counts.quiet > counts.total else "Live."
    return Diagnosis(
        Level.SUCCESS if is_whole else Level.QUIET, headline, " ".join(part for part in parts if part)
    )


def _data_works(records: list[StreamHealth]) -> bool:
    return any(each.stream in _DATA and each.state == StreamState.RUNNING for each in records)


def _code(record: StreamHealth) -> int | None:
    return record.last_failure.code if record.last_failure else None
