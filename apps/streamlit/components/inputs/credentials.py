"""Credentials as the page may see them: whether they exist and for which account, never their values."""

from __future__ import annotations

from dataclasses import dataclass

from options_helper.data.settings import (
    OPTIONS_FEEDS,
    STOCK_FEEDS,
    AlpacaSettings,
    load_risk_free_rate,
    load_settings,
    read_environment,
)
from options_helper.errors import SettingsError
from options_helper.relay import RELAY_VARIABLE


@dataclass(frozen=True, slots=True)
class Credentials:
    """The part of the environment and `config/alpaca.env` that the page may know.

    Attributes:
        settings: Everything needed to connect (its keys stay out of its repr), or None.
        problem: Why there are no settings, as a sentence.
        risk_free_rate: The rate for the risk model, None for the model's own constant.
        rate_problem: Why the rate that is set cannot be used, or "".
        relay: True if a relay has the keys, and this machine needs none.
    """

    settings: AlpacaSettings | None = None
    problem: str = ""
    stock_feed: str = STOCK_FEEDS[0]
    options_feed: str = OPTIONS_FEEDS[0]
    risk_free_rate: float | None = None
    rate_problem: str = ""
    relay: bool = False

    @property
    def demo(self) -> bool:
        """True if prices and fills are simulated on this machine."""
        return self.settings is not None and self.settings.demo

    @property
    def can_override_account(self) -> bool:
        """True if the page may choose between Alpaca's two trading hosts."""
        return not self.relay and (self.settings is None or self.settings.can_override_account)

    def account(self, override: str) -> str:
        """Return the account in effect: paper, live or demo; "" if unknown."""
        return "" if self.settings is None else self.settings.with_account(override).account


def find_credentials() -> Credentials:
    """Return the credentials in the environment and the env file, which are read now."""
    rate, rate_problem = _find_rate()
    if _written_values().get(RELAY_VARIABLE):
        return Credentials(risk_free_rate=rate, rate_problem=rate_problem, relay=True)
    try:
        settings = load_settings()
    except SettingsError as error:
        values = _written_values()
        return Credentials(
            problem=str(error),
            stock_feed=_known(values.get("OH_ALPACA_STOCK_FEED", ""), STOCK_FEEDS),
            options_feed=_known(values.get("OH_ALPACA_OPTIONS_FEED", ""), OPTIONS_FEEDS),
            risk_free_rate=rate,
            rate_problem=rate_problem,
        )
    return Credentials(settings, "", settings.stock_feed, settings.options_feed, rate, rate_problem)


def _find_rate() -> tuple[float | None, str]:
    """Return the risk-free rate that is set, or None, and why it cannot be used, or ""."""
    try:
        return load_risk_free_rate(), ""
    except SettingsError as error:
        return None, str(error)


def _written_values() -> dict[str, str]:
    """Return the values as written, valid or not; empty if the env file is unreadable."""
    try:
        return read_environment()
    except SettingsError:
        return {}


def _known(feed: str, feeds: tuple[str, ...]) -> str:
    word = feed.strip().lower()
    return word if word in feeds else feeds[0]
