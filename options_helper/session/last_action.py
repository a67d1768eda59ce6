"""The last action on the shared streams, who took it, and the inputs of the current run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import LiveStreamConfig
    from options_helper.models import Portfolio


class ActionKind(StrEnum):
    """An action on the streams, as the page names it."""

    STARTED = "Started"
    RESTARTED = "Restarted"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class HubAction:
    """The last action on the shared streams.

    Attributes:
        session_id: The browser session that requested it, or None if the hub acted on its own.
        portfolio_name: The file that the streams were started with, or "".
        reason: Why the hub acted on its own, in words, or "".
    """

    kind: ActionKind
    at: dt.datetime
    session_id: str | None = None
    portfolio_name: str = ""
    reason: str = ""

    def is_from(self, session_id: str) -> bool:
        """Return whether a session requested the action."""
        return self.session_id == session_id


@dataclass(frozen=True, slots=True)
class HubRun:
    """The inputs that the streams were started with."""

    config: LiveStreamConfig
    portfolio_name: str
    portfolio: Portfolio
