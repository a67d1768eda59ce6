"""The head of the page, one row: title, badges, and the three buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.actions import restart, start, stop
from apps.streamlit.components.sidebar import feed_name
from options_helper.analysis.wording import format_minutes, format_moment
from options_helper.market import LiveSnapshot, MarketPhase

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.page_model import PageModel
    from options_helper.hub import LiveHub

DEMO_WORDS = "DEMO: simulated prices"
_ACCOUNT_NAMES = {"paper": "Paper account", "live": "Live account"}
_PHASE_WORDS = {
    MarketPhase.PRE: "Before the open",
    MarketPhase.OPEN: "Market open",
    MarketPhase.AFTER: "After the close",
    MarketPhase.CLOSED: "Market closed",
}


class Head:
    """The row is laid out at once; badges and buttons are drawn into it as soon as they are known."""

    def __init__(self) -> None:
        with st.container(key="live-head", horizontal=True, vertical_alignment="center", gap="small"):
            st.title("Live Portfolio", anchor=False, width="content")
            self._badges = st.container(
                key="live-badges", horizontal=True, vertical_alignment="center", gap="small", width="stretch"
            )
            self._buttons = st.container(key="live-buttons", horizontal=True, width="content", gap="small")

    def draw_buttons(self, hub: LiveHub, model: PageModel) -> None:
        """Start, Stop and Restart; enabled only where they make sense now."""
        running, loaded = hub.is_running(), model.source.portfolio is not None
        buttons = (
            ("Start", ":material/play_arrow:", start, loaded and not running),
            ("Stop", ":material/stop:", stop, running),
            ("Restart", ":material/restart_alt:", restart, loaded and running),
        )
        with self._buttons:
            for label, icon, act, enabled in buttons:
                st.button(
                    label,
                    key=f"live-{label.lower()}",
                    icon=icon,
                    type="primary" if label == "Start" else "secondary",
                    disabled=not enabled,
                    on_click=act,
                    args=(hub, model),
                )

    def draw_badges(self, model: PageModel, snapshot: LiveSnapshot, zone: dt.tzinfo) -> None:
        """DEMO, the market's phase, the feeds, and the account."""
        settings, credentials = model.settings, model.credentials
        with self._badges:
            if credentials.demo or snapshot.demo:
                st.badge(DEMO_WORDS, icon=":material/science:", color="violet")
            _phase_badge(snapshot, zone)
            st.badge(f"Options {feed_name(snapshot.options_feed or settings.options_feed)}", color="gray")
            st.badge(f"Stocks {feed_name(snapshot.stock_feed or settings.stock_feed)}", color="gray")
            account = snapshot.account or credentials.account(settings.account)
            if account in _ACCOUNT_NAMES:
                st.badge(_ACCOUNT_NAMES[account], color="gray")


def _phase_badge(snapshot: LiveSnapshot, zone: dt.tzinfo) -> None:
    if snapshot.market_phase not in _PHASE_WORDS:
        return
    phase = MarketPhase(snapshot.market_phase)
    words, until = _PHASE_WORDS[phase], snapshot.market_phase_until
    if until is not None and phase is MarketPhase.OPEN:
        words += f" · closes in {format_minutes((until - snapshot.as_of).total_seconds())}"
    elif until is not None:
        words += f" · until {format_moment(until, snapshot.as_of, zone)}"
    st.badge(words, icon=":material/schedule:", color="green" if phase is MarketPhase.OPEN else "gray")
