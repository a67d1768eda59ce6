"""The checks, in the order of the report."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import ENV_FILE, KEY_NAMES, AlpacaSettings, load_settings, read_environment
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.doctor.account import check_account, check_clock
from options_helper.doctor.findings import Finding, Level
from options_helper.doctor.relay import check_relay
from options_helper.doctor.streams import (
    check_streams,
    check_subscription,
    plan_subscription,
    streams_to_ask,
)
from options_helper.doctor.versions import check_versions
from options_helper.errors import PortfolioError, SettingsError
from options_helper.launch.launcher import PORTFOLIO_VARIABLE
from options_helper.launch.log_file import log_file_path, usable_log_path
from options_helper.models import Portfolio
from options_helper.portfolio_file import load_portfolio
from options_helper.times import new_york_date, utc_now

if TYPE_CHECKING:
    from options_helper.doctor.streams import AskedStream

_WITHOUT_KEYS = "skipped: there are no usable keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorInput:
    """The inputs of the checks.

    Attributes:
        env: The environment.
        env_file: The settings file, for variables that the environment lacks.
        portfolio: The portfolio file; None for the one that the environment names, else `portfolio.json`.
        relay: The address of a relay's NATS to check instead of the keys and Alpaca; "" for none.
        build_rest: Returns the HTTP client for settings.
        times: The timings of each connection, None for the product's own.
        clock: Returns the current aware UTC time.
    """

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    env_file: Path = ENV_FILE
    portfolio: Path | None = None
    relay: str = ""
    build_rest: Callable[[AlpacaSettings], AlpacaRest] = AlpacaRest
    times: ConnectionTimes | None = None
    clock: Callable[[], dt.datetime] = utc_now

    @property
    def portfolio_path(self) -> Path:
        """The portfolio file that the page would open first."""
        return self.portfolio or Path(self.env.get(PORTFOLIO_VARIABLE) or "portfolio.json")


def examine(inputs: DoctorInput) -> Iterator[Finding]:
    """Yield every finding as soon as it is known."""
    yield check_versions(with_relay=bool(inputs.relay))
    portfolio, of_portfolio = _read_portfolio(inputs.portfolio_path)
    if inputs.relay:
        yield from check_relay(inputs.relay, inputs.env, inputs.env_file, inputs.clock)
        yield from (of_portfolio, _find_log(inputs.env))
    else:
        yield from _examine_alpaca(inputs, portfolio, of_portfolio)


def _examine_alpaca(
    inputs: DoctorInput, portfolio: Portfolio | None, of_portfolio: Finding
) -> Iterator[Finding]:
    settings, finding = _find_keys(inputs)
    yield finding
    today = new_york_date(inputs.clock())
    if settings is None:
        yield from (Finding(name, Level.NOTE, _WITHOUT_KEYS) for name in ("Account", "Clock", "Streams"))
    else:
        yield _name_hosts(settings)
        yield check_account(settings, inputs.build_rest)
        yield check_clock(settings, inputs.build_rest, inputs.clock)
        plan = plan_subscription(portfolio, settings, today) if portfolio is not None else None
        yield from _ask_streams(streams_to_ask(settings, plan), settings, inputs.times)
    yield of_portfolio
    if portfolio is not None:
        yield check_subscription(portfolio, settings, today)
    yield _find_log(inputs.env)


def _find_log(env: Mapping[str, str]) -> Finding:
    wanted = log_file_path(env)
    log = usable_log_path(None if wanted is None else wanted.absolute())
    if log is None:
        return Finding("Log", Level.NOTE, "no log file can be written; the page runs without one")
    return Finding("Log", Level.OK, str(log))


def _find_keys(inputs: DoctorInput) -> tuple[AlpacaSettings | None, Finding]:
    try:
        settings = load_settings(inputs.env, env_file=inputs.env_file)
    except SettingsError as error:
        level = Level.NOTE if _checks_only_the_file(inputs) else Level.FAIL
        return None, Finding("Keys", level, str(error))
    places = ("the environment" if inputs.env.get(name) else str(inputs.env_file) for name in KEY_NAMES)
    where = " and ".join(dict.fromkeys(places))
    return settings, Finding("Keys", Level.OK, f"{settings.masked_key} and its secret, from {where}")


def _checks_only_the_file(inputs: DoctorInput) -> bool:
    """Return whether only the file can be checked: one was named, and there are no keys."""
    if inputs.portfolio is None:
        return False
    try:
        values = read_environment(inputs.env, env_file=inputs.env_file)
    except SettingsError:
        return False
    return not any(values.get(name) for name in KEY_NAMES)


def _name_hosts(settings: AlpacaSettings) -> Finding:
    words = f"{settings.account}: {settings.trading_url}, {settings.data_url}, {settings.stream_url}"
    foreign, plain = ", ".join(settings.foreign_hosts), ", ".join(settings.unencrypted_hosts)
    if not foreign:
        return Finding("Hosts", Level.OK, words)
    unencrypted = f"; keys are sent unencrypted to {plain}" if plain else ""
    return Finding("Hosts", Level.NOTE, f"{words}; not Alpaca's: {foreign}{unencrypted}")


def _ask_streams(
    groups: Iterable[list[AskedStream]], settings: AlpacaSettings, times: ConnectionTimes | None
) -> Iterator[Finding]:
    """Probe all streams at once, because each unanswered handshake takes its whole time limit."""
    questions = [_Question(group, settings, times) for group in groups]
    for question in questions:
        question.start()
    for question in questions:
        question.join()
        yield from question.findings


class _Question(threading.Thread):
    """A thread that probes the feeds of one stream; a daemon, so that Ctrl-C need not wait for it."""

    def __init__(
        self, asked: list[AskedStream], settings: AlpacaSettings, times: ConnectionTimes | None
    ) -> None:
        super().__init__(name="options-helper-doctor", daemon=True)
        self._ask = partial(check_streams, asked, settings, times)
        self.findings = [Finding(asked[0].name, Level.FAIL, "the check ended unexpectedly")]

    def run(self) -> None:
        """Probe the feeds."""
        self.findings = list(self._ask())


def _read_portfolio(path: Path) -> tuple[Portfolio | None, Finding]:
    try:
        portfolio = load_portfolio(path)
    except PortfolioError as error:
        return None, Finding("Portfolio", Level.FAIL, " ".join(str(error).split("\n")))
    count = len(portfolio.positions)
    words = f"{path.absolute()}: {count} position{'' if count == 1 else 's'}"
    return portfolio, Finding("Portfolio", Level.OK, words)
