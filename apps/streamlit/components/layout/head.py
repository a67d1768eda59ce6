"""The head of the page, one row: title, badges, and the three buttons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import streamlit as st

from apps.streamlit.components.inputs.sidebar import feed_name
from apps.streamlit.components.inputs.start_stop import restart, start, stop
from apps.streamlit.components.plain_text import in_markdown
from apps.streamlit.entry.first_paint import LIVE_TITLE

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from apps.streamlit.components.inputs.page_context import PageContext

_Color = Literal["green", "gray", "violet"]

DEMO_WORDS = "DEMO: simulated prices"
_ACCOUNT_NAMES = {"paper": "Paper account", "live": "Live account"}


def lay_out_head() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Draw the title and return the containers for badges and buttons, which are filled later."""
    with st.container(key="live-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.title(LIVE_TITLE, anchor=False, width="content")
        badges = st.container(
            key="live-badges", horizontal=True, vertical_alignment="center", gap="small", width="stretch"
        )
        buttons = st.container(key="live-buttons", horizontal=True, width="content", gap="small")
    return badges, buttons


def draw_buttons(place: DeltaGenerator, context: PageContext) -> None:
    """Draw Start, Stop and Restart, each enabled only if it makes sense now."""
    running, source = context.hub.is_running(), context.model.source
    loaded = source.portfolio is not None and source.error is None
    buttons = (
        ("Start", ":material/play_arrow:", start, loaded and not running),
        ("Stop", ":material/stop:", stop, running),
        ("Restart", ":material/restart_alt:", restart, loaded and running),
    )
    with place:
        for label, icon, act, enabled in buttons:
            st.button(
                label,
                key=f"live-{label.lower()}",
                icon=icon,
                type="primary" if label == "Start" else "secondary",
                disabled=not enabled,
                on_click=act,
                args=(context.hub, context.model),
            )


def draw_badges(place: DeltaGenerator, context: PageContext) -> None:
    """Draw DEMO, the market's phase, the feeds, and the account."""
    with place:
        for words, icon, color in _badges(context):
            st.badge(in_markdown(words), icon=icon, color=color)


def describe_head(context: PageContext) -> tuple[object, ...]:
    """Return everything that the head shows, and what its buttons start with, in comparable form."""
    return context.hub.is_running(), context.model.source, context.model.plan, *_badges(context)


def _badges(context: PageContext) -> Iterator[tuple[str, str | None, _Color]]:
    """Yield each badge's words, icon and colour."""
    settings, credentials, snapshot = context.model.settings, context.model.credentials, context.snapshot
    if credentials.demo or snapshot.demo:
        yield DEMO_WORDS, ":material/science:", "violet"
    hours = context.hours.words(snapshot.as_of, context.zone)
    yield hours, ":material/schedule:", "green" if context.hours.is_open else "gray"
    yield f"Options {feed_name(snapshot.options_feed or settings.options_feed)}", None, "gray"
    yield f"Stocks {feed_name(snapshot.stock_feed or settings.stock_feed)}", None, "gray"
    account = snapshot.account or credentials.account(settings.account)
    if account in _ACCOUNT_NAMES:
        yield _ACCOUNT_NAMES[account], None, "gray"
