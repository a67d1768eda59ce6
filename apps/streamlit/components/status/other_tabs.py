"""Sentences about another tab's actions on the shared streams."""

from __future__ import annotations

from apps.streamlit.components.inputs.page_context import PageContext
from apps.streamlit.components.inputs.session import session_id
from options_helper.analysis.text.wording import format_near_time
from options_helper.session.hub import LiveHub


def is_from_another_tab(hub: LiveHub) -> bool:
    """Return whether the last action on the streams came from another tab that is still open.

    A reloaded tab is a new session, but what it did before the reload does not count as another tab's.
    """
    action = hub.last_action
    if action is None or action.session_id is None or action.is_from(session_id()):
        return False
    return hub.is_connected(action.session_id)


def describe_other_tab(context: PageContext, not_live: int) -> str:
    """Return what another tab started, or ""; `not_live` is the number of this tab's positions not live."""
    action = context.hub.last_action
    if action is None or not context.hub.is_running() or not is_from_another_tab(context.hub):
        return ""
    at = format_near_time(action.at, context.snapshot.as_of, context.zone)
    text = f"{action.kind} from another tab {at} with {action.portfolio_name}"
    if not_live:
        return f"{text}; {not_live} of your positions {'is' if not_live == 1 else 'are'} not live."
    return f"{text}."
