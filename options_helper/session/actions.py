"""What was done to the one set of streams, by whom, and with what they run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import LiveStreamConfig
    from options_helper.models import Portfolio


class ActionKind(StrEnum):
    """What was done to the streams, in the word that the page shows."""

    STARTED = "Started"
    RESTARTED = "Restarted"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class HubAction:
    """The last thing done to the one set of streams.

    Attributes:
        session_id: The browser session that asked for it, None where the hub did it by itself.
        portfolio_name: The file that the streams were started with, or "".
        reason: Why the hub acted by itself, in words, or "".
    """

    kind: ActionKind
    at: dt.datetime
    session_id: str | None = None
    portfolio_name: str = ""
    reason: str = ""

    def is_from(self, session_id: str) -> bool:
        """Whether this session asked for it."""
        return self.session_id == session_id


@dataclass(frozen=True, slots=True)
class HubRun:
    """What the streams were started with."""

    config: LiveStreamConfig
    portfolio_name: str
    portfolio: Portfolio
