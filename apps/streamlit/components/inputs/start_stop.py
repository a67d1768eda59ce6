"""The callbacks of Start, Stop, Restart and Show my account.

A press of Start passes through four `start` functions; each does one thing and calls the next:

1. `start`, here: reads the keys, builds the configuration, and shows an error as a sentence in this tab.
2. `LiveHub.start`: does nothing if the streams are running; otherwise it records who started them, and when.
3. `LiveStreamManager.start`: checks the configuration, ends the previous run, and begins the recording.
4. `LiveRun.start`: starts the threads that connect, and the requests over REST.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.inputs.credentials import Credentials
from apps.streamlit.components.inputs.page_model import PageModel, build_page_model
from apps.streamlit.components.inputs.portfolio_source import AccountPortfolio, use_account
from apps.streamlit.components.inputs.session import session_id
from options_helper.errors import MissingDependency, OptionsHelperError
from options_helper.session.hub import LiveHub
from options_helper.session.last_action import HubAction
from options_helper.times import utc_now

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import LiveStreamConfig

logger = logging.getLogger("options_helper.page")

_PROBLEM_KEY = "button-problem"


@dataclass(frozen=True, slots=True)
class ButtonProblem:
    """A button press that failed.

    Attributes:
        headline: A sentence that says what failed.
        text: A sentence that says why.
        streams_ran: True if earlier streams were still running afterwards.
        action: The hub's last action at that time.
        credentials: The tab's credentials at that time, which may be the reason.
    """

    headline: str
    text: str
    streams_ran: bool
    action: HubAction | None
    credentials: Credentials


def find_problem(hub: LiveHub) -> ButtonProblem | None:
    """Return the failure of this tab's last press, until any tab starts, restarts or stops the streams."""
    problem: ButtonProblem | None = st.session_state.get(_PROBLEM_KEY)
    return problem if problem is not None and problem.action is hub.last_action else None


def start(hub: LiveHub, model: PageModel) -> None:
    """Start the streams with this tab's portfolio and settings; the module's docstring lists the steps."""
    _guarded(hub, model, "Not started.", lambda: _begin(hub.start, model))


def restart(hub: LiveHub, model: PageModel) -> None:
    """Stop, then start with this tab's portfolio and settings."""
    _guarded(hub, model, "Not restarted.", lambda: _begin(hub.restart, model))


def stop(hub: LiveHub, model: PageModel) -> None:
    """Stop the streams for every tab."""
    _guarded(hub, model, "Not stopped.", lambda: hub.stop(session_id()))


def show_account(hub: LiveHub, model: PageModel) -> None:
    """Read the account, let it stand in for the missing file, and start the streams with it."""
    _guarded(hub, model, "The account is not shown.", lambda: _show_account(hub, model))


def _show_account(hub: LiveHub, model: PageModel) -> None:
    from options_helper.data.account.history import read_account  # noqa: PLC0415 - needs httpx
    from options_helper.data.rest.client import AlpacaRest  # noqa: PLC0415 - the same
    from options_helper.data.settings import load_settings  # noqa: PLC0415
    from options_helper.files.account_portfolio import write_account_portfolio  # noqa: PLC0415 - heavy

    read_at = utc_now()
    with closing(AlpacaRest(load_settings().with_account(model.settings.account))) as rest:
        account = read_account(rest)
    text = write_account_portfolio(account.history).text
    use_account(model.source.path, AccountPortfolio(text, read_at, account.left_out))
    shown = build_page_model(model.settings, model.credentials)
    _begin(hub.restart if hub.is_running() else hub.start, shown)


def _guarded(hub: LiveHub, model: PageModel, headline: str, act: Callable[[], None]) -> None:
    """Run an action; store a failure as this tab's problem, with this headline."""
    st.session_state[_PROBLEM_KEY] = None
    try:
        act()
    except OptionsHelperError as error:
        text = str(error)
    except Exception as error:  # the last resort: the page shows a sentence, the log the cause
        logger.exception("The button failed")
        text = f"Something unexpected went wrong ({type(error).__name__}); see the log."
    else:
        return
    st.session_state[_PROBLEM_KEY] = ButtonProblem(
        headline, text, hub.is_running(), hub.last_action, model.credentials
    )


def _begin(begin: Callable[..., None], model: PageModel) -> None:
    portfolio = model.source.portfolio
    if portfolio is None:
        return
    config = build_config(model)
    name = model.source.path.name if model.source.account is None else model.source.name
    begin(config, session_id=session_id(), portfolio_name=name, portfolio=portfolio)


def build_config(model: PageModel) -> LiveStreamConfig:
    """Return a run's configuration for this tab's portfolio and settings; keys are read again.

    Raises:
        MissingDependency: Alpaca's SDK is not installed.
        SettingsError: Keys are missing, or a setting is invalid.
    """
    if not model.credentials.relay and find_spec("alpaca") is None:
        raise MissingDependency("alpaca-py", "alpaca")
    from options_helper.data.settings import load_settings  # noqa: PLC0415
    from options_helper.data.streaming.live_manager import LiveStreamConfig  # noqa: PLC0415 - heavy

    settings, plan = model.settings, model.plan
    return LiveStreamConfig(
        settings=None if model.credentials.relay else load_settings().with_account(settings.account),
        stocks=plan.stocks if plan else (),
        option_contracts=plan.option_contracts if plan else (),
        polled_contracts=plan.polled_contracts if plan else (),
        stream_first=plan.stream_first if plan else (),
        stream_stocks=settings.stream_stocks,
        stream_options=settings.stream_options,
        stream_fills=settings.stream_fills,
        stock_feed=settings.stock_feed,
        options_feed=settings.options_feed,
    )
