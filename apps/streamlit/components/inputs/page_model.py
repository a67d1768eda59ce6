"""The inputs of Start: settings, portfolio, subscription plan and credentials."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from apps.streamlit.components.inputs.credentials import Credentials
from apps.streamlit.components.inputs.portfolio_source import PortfolioSource, keep_last_valid, read_portfolio
from apps.streamlit.components.inputs.sidebar import PageSettings
from options_helper.analysis.status.stream_diagnosis import Readiness
from options_helper.data.streaming.subscriptions import SubscriptionPlan
from options_helper.times import new_york_date, utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class PageModel:
    """The inputs of this tab's Start; `plan` is None if no portfolio is loaded."""

    settings: PageSettings
    credentials: Credentials
    source: PortfolioSource
    plan: SubscriptionPlan | None = None

    @property
    def ready(self) -> Readiness | None:
        """The size of the subscription that Start would make, None without a portfolio."""
        if self.plan is None:
            return None
        return Readiness(contracts=len(self.plan.option_contracts), underlyings=len(self.plan.stocks))


def build_page_model(settings: PageSettings, credentials: Credentials, *, running: bool = False) -> PageModel:
    """Return the inputs of Start; the portfolio file is read again if it changed.

    While streams are running, a file that became invalid does not take the last valid version away.
    """
    source = read_portfolio(settings.portfolio_path)
    if running:
        source = keep_last_valid(source)
    plan = _plan(source, settings, new_york_date(utc_now()))
    return PageModel(settings=settings, credentials=credentials, source=source, plan=plan)


@lru_cache(maxsize=16)
def _plan(source: PortfolioSource, settings: PageSettings, today: dt.date) -> SubscriptionPlan | None:
    """Return the subscription plan for one version of a file, None without a portfolio."""
    from options_helper.data.streaming.subscriptions import build_subscription_plan  # noqa: PLC0415 - late

    if source.portfolio is None:
        return None
    return build_subscription_plan(
        source.portfolio,
        stream_stocks=settings.stream_stocks,
        stream_options=settings.stream_options,
        max_option_contracts=settings.contract_limit,
        today=today,
    )
