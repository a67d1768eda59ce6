"""Sentences about this computer's clock and about late streams."""

from __future__ import annotations

from options_helper.analysis.streams.ages import CLOCK_SKEW_TOLERANCE_SECONDS, stream_lag
from options_helper.analysis.text.figures import MINUS, MISSING, format_span
from options_helper.market import LiveSnapshot, StreamName

LATE_AFTER_SECONDS = 5.0  # quotes normally come within 25 ms (Alpaca's staff, forum thread 17678)

_DATA = (StreamName.STOCKS, StreamName.OPTIONS)


def describe_clock(live: LiveSnapshot) -> str:
    """Return a sentence about a wrong clock, or "" if the clock is right or unknown."""
    offset = live.clock_offset_seconds or 0.0
    if abs(offset) > CLOCK_SKEW_TOLERANCE_SECONDS:
        side = "ahead of" if offset > 0 else "behind"
        wrong = f"This computer's clock is {format_span(abs(offset))} {side} Alpaca's."
        return f"{wrong} All times shown are corrected for the difference."
    lags = [lag for stream in _DATA if (lag := stream_lag(live, stream)) is not None]
    if live.clock_offset_seconds is None and any(lag < -CLOCK_SKEW_TOLERANCE_SECONDS for lag in lags):
        return (
            f"Quotes are dated {format_span(-min(lags))} in the future: this computer's clock is behind. "
            "Their ages count from receipt."
        )
    return ""


def late_streams(live: LiveSnapshot) -> dict[StreamName, float]:
    """Return the lag in seconds of each data stream with late quotes."""
    lags = {stream: stream_lag(live, stream) for stream in _DATA}
    return {stream: lag for stream, lag in lags.items() if lag is not None and lag >= LATE_AFTER_SECONDS}


def format_lag(live: LiveSnapshot, stream: StreamName) -> str:
    """Return a stream's lag, such as `18 ms` or `2 m 5 s`, or "—" if unknown."""
    lag = stream_lag(live, stream)
    if lag is None:
        return MISSING
    if lag >= LATE_AFTER_SECONDS:
        return format_span(lag)
    return f"{MINUS if round(lag * 1000) < 0 else ''}{abs(lag) * 1000:,.0f} ms"
