"""What one refresh of the page is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from apps.streamlit.components.market_hours import MarketHours
    from apps.streamlit.components.page_model import PageModel
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
