"""The head of the page, one row: title, badges, and the three buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.actions import restart, start, stop
from apps.streamlit.components.sidebar import feed_name

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.market_hours import MarketHours
    from apps.streamlit.components.page_model import PageModel
    from options_helper.hub import LiveHub
    from options_helper.market import LiveSnapshot

DEMO_WORDS = "DEMO: simulated prices"
_ACCOUNT_NAMES = {"paper": "Paper account", "live": "Live account"}


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

    def draw_badges(
        self, model: PageModel, snapshot: LiveSnapshot, hours: MarketHours, zone: dt.tzinfo
    ) -> None:
        """DEMO, the market's phase, the feeds, and the account."""
        settings, credentials = model.settings, model.credentials
        with self._badges:
            if credentials.demo or snapshot.demo:
                st.badge(DEMO_WORDS, icon=":material/science:", color="violet")
            st.badge(
                hours.words(snapshot.as_of, zone),
                icon=":material/schedule:",
                color="green" if hours.is_open else "gray",
            )
            st.badge(f"Options {feed_name(snapshot.options_feed or settings.options_feed)}", color="gray")
            st.badge(f"Stocks {feed_name(snapshot.stock_feed or settings.stock_feed)}", color="gray")
            account = snapshot.account or credentials.account(settings.account)
            if account in _ACCOUNT_NAMES:
                st.badge(_ACCOUNT_NAMES[account], color="gray")
