"""The parts of the live page that tests read and press, and a snapshot of streams in good health."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.quote_tables import QuoteTable
from options_helper.times import utc_now

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


KEY, SECRET = "PKMARKER0000KEYID", "marker-of-a-secret"
CONTRACT = "AAPL991218C00250000"


def status(page: AppTest) -> str:
    """The one line that gives the state of the streams."""
    lines = [*page.info, *page.success, *page.warning, *page.error]
    assert len(lines) == 1
    return str(lines[0].value).replace("\\", "")


def enabled(page: AppTest) -> set[str]:
    """Return which of the three buttons are enabled."""
    return {name for name in ("start", "stop", "restart") if not page.button(key=f"live-{name}").disabled}


def press(page: AppTest, name: str) -> AppTest:
    """Press one of the three buttons."""
    return page.button(key=f"live-{name}").click().run()


def live_snapshot(**fields: Any) -> LiveSnapshot:
    """Streams in good health, and a quote of the call."""
    now = utc_now()
    health = {
        name: StreamHealth(
            name,
            state=StreamState.RUNNING,
            since=now,
            asked=frozenset({CONTRACT} if name is StreamName.OPTIONS else {"AAPL"}),
            connected_at=now,
            last_event_at=now,
            last_heard_at=now,
        )
        for name in StreamName
    }
    good: dict[str, Any] = {
        "as_of": now,
        "running": True,
        "status": StreamState.RUNNING,
        "status_by_stream": dict.fromkeys(StreamName, StreamState.RUNNING),
        "health": health,
        "started_at": now,
        "version": 7,
        "market_phase": MarketPhase.OPEN,
        "market_phase_until": now + dt.timedelta(hours=2),
        "options_feed": "opra",
        "stock_feed": "iex",
        "option_quotes": QuoteTable.of(
            [Quote(CONTRACT, bid_price=23.0, ask_price=23.4, timestamp=now, received_at=now)]
        ),
        "stock_quotes": QuoteTable.of(
            [Quote("AAPL", bid_price=271.5, ask_price=271.6, timestamp=now, received_at=now)]
        ),
    }
    return LiveSnapshot(**(good | fields))
