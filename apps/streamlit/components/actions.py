"""Start, Stop and Restart: what a press of a button does. Runs in a widget's callback."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.session import session_id
from options_helper.errors import MissingDependency, OptionsHelperError

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.streamlit.components.page_model import PageModel
    from options_helper.data.streaming.live_manager import LiveStreamConfig
    from options_helper.hub import LiveHub

logger = logging.getLogger("options_helper.page")

_PROBLEM_KEY = "start-problem"


def start_problem(*, running: bool) -> str:
    """Why the last Start of this tab started nothing, or ""; forgotten once a set of streams runs."""
    if running:
        st.session_state[_PROBLEM_KEY] = ""
    return str(st.session_state.get(_PROBLEM_KEY, ""))


def start(hub: LiveHub, model: PageModel) -> None:
    """Start the streams with this tab's portfolio and settings."""
    _guarded(lambda: _begin(hub.start, model))


def restart(hub: LiveHub, model: PageModel) -> None:
    """Stop, then start with this tab's portfolio and settings."""
    _guarded(lambda: _begin(hub.restart, model))


def stop(hub: LiveHub, _model: PageModel) -> None:
    """Stop the streams for every tab."""
    _guarded(lambda: hub.stop(session_id()))


def _guarded(act: Callable[[], None]) -> None:
    """Do it; what goes wrong becomes this tab's sentence."""
    st.session_state[_PROBLEM_KEY] = ""
    try:
        act()
    except OptionsHelperError as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    except Exception as error:  # the last resort: a page with a sentence, and the log with the cause
        logger.exception("The button failed")
        st.session_state[_PROBLEM_KEY] = (
            f"Something unexpected went wrong ({type(error).__name__}); nothing was started; see the log."
        )


def _begin(begin: Callable[..., None], model: PageModel) -> None:
    portfolio = model.source.portfolio
    if portfolio is None:
        return
    config = build_config(model)
    begin(config, session_id=session_id(), portfolio_name=model.source.path.name, portfolio=portfolio)


def build_config(model: PageModel) -> LiveStreamConfig:
    """This tab's portfolio and settings as a run's configuration; keys are read again now.

    Raises:
        MissingDependency: Alpaca's SDK is not installed.
        SettingsError: No keys, or a setting that cannot be used.
    """
    if find_spec("alpaca") is None:
        raise MissingDependency("alpaca-py", "alpaca")
    from options_helper.data.alpaca_settings import load_settings  # noqa: PLC0415
    from options_helper.data.streaming.live_manager import LiveStreamConfig  # noqa: PLC0415 - heavy

    settings, plan = model.settings, model.plan
    return LiveStreamConfig(
        settings=load_settings().with_account(settings.account),
        stocks=plan.stocks if plan else (),
        option_contracts=plan.option_contracts if plan else (),
        stream_stocks=settings.stream_stocks,
        stream_options=settings.stream_options,
        stream_fills=settings.stream_fills,
        stock_feed=settings.stock_feed,
        options_feed=settings.options_feed,
    )
