"""The streams panel: one line per stream, and every figure on request."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import streamlit as st

from apps.streamlit.components.headings import panel_heading
from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.plain_text import in_html
from apps.streamlit.components.status.other_tabs import describe_other_tab
from apps.streamlit.components.status.recording_line import recording_words, render_recording
from options_helper.analysis.status.clock import describe_clock, format_lag
from options_helper.analysis.status.stream_lines import StreamLine, describe_stream, stream_records
from options_helper.analysis.text.figures import MISSING
from options_helper.analysis.text.wording import format_time
from options_helper.market import LiveSnapshot, StreamHealth, StreamName

_MILLISECONDS = 1000
_OPENED = "live-health-figures"  # the expander's key


class HealthWords(NamedTuple):
    """Everything that the panel shows.

    Attributes:
        panel: The heading and one line per stream, as HTML.
        other_tab: What another tab has done.
        recording: The state of the recording.
        figures: Every figure, as HTML; None while they are not shown.
        is_connected: False before Start, when there are no figures.
    """

    panel: str
    other_tab: str
    recording: str
    figures: str | None
    is_connected: bool


def describe_health(context: PageContext) -> HealthWords:
    """Return everything that the panel shows."""
    snapshot, zone = context.snapshot, context.zone
    records = stream_records(snapshot)
    lines = [(record, describe_stream(record, snapshot.as_of, zone=zone)) for record in records]
    is_open = bool(records) and bool(st.session_state.get(_OPENED))
    return HealthWords(
        panel=_panel(snapshot, lines),
        other_tab=describe_other_tab(context, 0),
        recording=recording_words(),
        figures=_figures(snapshot, lines, zone) if is_open else None,
        is_connected=bool(records),
    )


def render_health(context: PageContext) -> None:
    """Draw one line per stream, who started them, and all figures in an expander."""
    words = describe_health(context)
    with st.container(key="live-health", border=True):
        st.html(words.panel)
        if words.other_tab:
            st.html(f'<p class="oh-quiet">{in_html(words.other_tab)}</p>')
        render_recording(words.recording)
        if words.is_connected:
            opened = st.expander("All figures", key=_OPENED, on_change="rerun")
            if words.figures is not None:
                opened.html(words.figures)


def _panel(snapshot: LiveSnapshot, lines: list[tuple[StreamHealth, StreamLine]]) -> str:
    head = panel_heading("Streams", _pace(snapshot))
    if not lines:
        return f'{head}<p class="oh-quiet">Not connected. Nothing is requested from Alpaca before Start.</p>'
    rows = "".join(
        f'<tr class="oh-{line.word}"><td class="oh-sign" aria-hidden="true">{line.sign}</td>'
        f'<th scope="row">{line.label}</th>'
        f"<td>{_state(line)}{in_html(line.text)}</td>"
        f'<td class="oh-right">{in_html(_losses(record, snapshot))}</td></tr>'
        for record, line in lines
    )
    return f'{head}<table class="oh-streams" aria-label="Streams"><tbody>{rows}</tbody></table>'


def _state(line: StreamLine) -> str:
    """Return the state's word; while running it is hidden, but read aloud."""
    kind = "oh-hidden" if line.word == "running" else "oh-word"
    return f'<span class="{kind}">{line.word} · </span>'


def _pace(snapshot: LiveSnapshot) -> str:
    """Return the messages per second of all streams, and the median latency of the slowest one."""
    if not snapshot.running:
        return ""
    words = [f"{sum(record.rate for record in snapshot.health.values()):,.0f} msg/s"]
    latencies = [
        each.latency_seconds for each in snapshot.health.values() if each.latency_seconds is not None
    ]
    if latencies:
        words.append(f"{max(latencies) * _MILLISECONDS:,.0f} ms p50")
    return " · ".join(words)


def _losses(record: StreamHealth, snapshot: LiveSnapshot) -> str:
    """Return a stream's losses: the dropped messages of a data stream, the gaps in the fills."""
    if record.stream == StreamName.FILLS:
        gaps = len(snapshot.fill_gaps)
        return f"{gaps} gap{'' if gaps == 1 else 's'}"
    return f"{record.dropped:,} drop{'' if record.dropped == 1 else 's'}"


def _figures(snapshot: LiveSnapshot, lines: list[tuple[StreamHealth, StreamLine]], zone: dt.tzinfo) -> str:
    """Return a table of every figure, one column per stream."""
    rows: list[tuple[str, list[str]]] = [
        ("State", [line.word for _, line in lines]),
        ("Alive", ["yes" if record.alive else "no" for record, _ in lines]),
        ("Last event", [_at(record.last_event_at, zone, snapshot.as_of) for record, _ in lines]),
        ("Last heard", [_at(record.last_heard_at, zone, snapshot.as_of) for record, _ in lines]),
        ("Reconnect attempts", [f"{record.attempts:,}" for record, _ in lines]),
        ("Messages", [f"{record.messages:,}" for record, _ in lines]),
        ("Conflated", [f"{record.conflated:,}" for record, _ in lines]),
        ("Dropped", [f"{record.dropped:,}" for record, _ in lines]),
        ("Malformed", [f"{record.malformed:,}" for record, _ in lines]),
        ("Lag", [format_lag(snapshot, record.stream) for record, _ in lines]),
        *_relay_row(snapshot),
        ("Last error", [line.last_failure or MISSING for _, line in lines]),
    ]
    head = "".join(f'<th scope="col">{line.label}</th>' for _, line in lines)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{in_html(cell)}</td>" for cell in cells)}</tr>'
        for name, cells in rows
    )
    clock = describe_clock(snapshot)
    background = f"<p>{in_html(clock)}</p>" if clock else ""
    background += "".join(
        f"<p>{in_html(part.capitalize())}: {in_html(words)}</p>"
        for part, words in snapshot.backfill.items()
        if words
    )
    return (
        f'<div class="oh-scroll" tabindex="0" role="region" aria-label="Streams, all figures">'
        f'<table class="oh-figures"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div><div class='oh-quiet'>"
        f"<p>Waiting batches: {snapshot.queue_depth:,}</p>"
        f"{background}</div>"
    )


def _relay_row(snapshot: LiveSnapshot) -> list[tuple[str, list[str]]]:
    """Return a row with the part of the lag spent on the way from the relay, if there is one."""
    hops = [record.relay_seconds for record in stream_records(snapshot)]
    if all(hop is None for hop in hops):
        return []
    return [
        ("From the relay", [MISSING if hop is None else f"{hop * _MILLISECONDS:,.0f} ms" for hop in hops])
    ]


def _at(at: dt.datetime | None, zone: dt.tzinfo, now: dt.datetime) -> str:
    return format_time(at, zone, now) if at else MISSING
