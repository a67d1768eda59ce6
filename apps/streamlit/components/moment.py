"""What one refresh of the page is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.streamlit.components.market_hours import MarketHours, find_market_hours
from apps.streamlit.components.page_model import PageModel, build_page_model
from apps.streamlit.components.session import browser_zone

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.credentials import Credentials
    from apps.streamlit.components.sidebar import PageSettings
    from options_helper.hub import LiveHub
    from options_helper.market import LiveSnapshot


@dataclass(frozen=True, slots=True)
class Moment:
    """The hub, this tab's model, one snapshot, the market's hours, and the reader's zone."""

    hub: LiveHub
    model: PageModel
    snapshot: LiveSnapshot
    hours: MarketHours
    zone: dt.tzinfo


def take_moment(hub: LiveHub, settings: PageSettings, credentials: Credentials) -> Moment:
    """Read the file if it changed, and take a snapshot now."""
    model = build_page_model(settings, credentials)
    snapshot = hub.manager.snapshot()
    hours = find_market_hours(snapshot, demo=credentials.demo)
    return Moment(hub, model, snapshot, hours, browser_zone())
