"""The inputs of one refresh of the page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from apps.streamlit.components.inputs.credentials import Credentials
from apps.streamlit.components.inputs.market_hours import MarketHours, find_market_hours
from apps.streamlit.components.inputs.page_model import PageModel, build_page_model
from apps.streamlit.components.inputs.session import browser_zone
from apps.streamlit.components.inputs.sidebar import PageSettings
from options_helper.market import LiveSnapshot
from options_helper.session.hub import LiveHub
from options_helper.session.process_recorder import process_recorder


@dataclass(frozen=True, slots=True)
class PageContext:
    """The hub, this tab's model, one snapshot, the market's hours, and the reader's zone."""

    hub: LiveHub
    model: PageModel
    snapshot: LiveSnapshot
    hours: MarketHours
    zone: dt.tzinfo


def read_context(hub: LiveHub, settings: PageSettings, credentials: Credentials) -> PageContext:
    """Return the inputs of this refresh: the portfolio file, read again if it changed, and a new snapshot."""
    model = build_page_model(settings, credentials, running=hub.is_running())
    recorder = process_recorder()
    if recorder is not None and model.source.portfolio is not None:
        recorder.note_portfolio(model.source.content, model.source.saved_at)
    snapshot = hub.manager.snapshot()
    hours = find_market_hours(snapshot, demo=credentials.demo)
    return PageContext(hub, model, snapshot, hours, browser_zone())
