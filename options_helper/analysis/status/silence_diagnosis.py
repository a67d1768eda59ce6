"""The diagnosis of a connected data stream that delivers no data."""

from __future__ import annotations

from collections.abc import Sequence

from options_helper.analysis.status.diagnosis import Diagnosis, Level
from options_helper.analysis.status.stream_lines import name_live
from options_helper.analysis.streams.silence import is_silent, seconds_since, silence_seconds
from options_helper.analysis.text.figures import format_span
from options_helper.analysis.text.wording import capital
from options_helper.analysis.valuation.quote_state import QUIET_HEARD_SECONDS
from options_helper.market import LiveSnapshot, MarketPhase, StreamHealth, StreamName

_QUOTE = {StreamName.OPTIONS: "option quote", StreamName.STOCKS: "stock quote"}


def explain_silence(snapshot: LiveSnapshot, records: Sequence[StreamHealth]) -> Diagnosis | None:
    """Explain the first running data stream that has sent no data, or none for a long time."""
    session_open = snapshot.session_open if snapshot.market_phase == MarketPhase.OPEN else None
    for record in records:
        if record.stream not in _QUOTE or not (record.asked or snapshot.health.get(record.stream) is None):
            continue
        if not is_silent(record, snapshot.as_of, session_open):
            continue
        seen, silent = silence_seconds(record, snapshot.as_of, session_open)
        quote, span = _QUOTE[record.stream], format_span(silent)
        headline = f"Connected, no {quote} for {span}." if seen else f"Connected, no {quote} yet ({span})."
        parts = (
            _fell_silent(snapshot, record, seen=seen)
            if record.last_event_at
            else _permission(snapshot, record)
        )
        return Diagnosis(Level.WARNING, headline, f"{parts} {name_live(records, snapshot.as_of)}".rstrip())
    return None


def _fell_silent(snapshot: LiveSnapshot, record: StreamHealth, *, seen: bool) -> str:
    """Explain a stream that fell silent after sending data, so permission is not the cause."""
    if not seen:
        last = format_span(seconds_since(record.last_event_at, snapshot.as_of))
        return (
            f"The last one arrived {last} ago, on an earlier connection. "
            "Check Alpaca's status page for an outage."
        )
    silent = "the feed sends nothing. Press Restart to reconnect."
    if seconds_since(record.last_heard_at, snapshot.as_of) <= QUIET_HEARD_SECONDS:
        return f"Alpaca answers pings, but {silent}"
    return capital(silent)


def _permission(snapshot: LiveSnapshot, record: StreamHealth) -> str:
    feed = snapshot.options_feed if record.stream == StreamName.OPTIONS else snapshot.stock_feed
    if snapshot.market_phase == MarketPhase.UNKNOWN:
        return "The market's hours are not known yet; outside them, silence is normal."
    return f"Check the feed permission: does your plan include {(feed or 'this feed').upper()}?"
