"""Checks of the streams that Alpaca grants, and of the subscription against its plan's limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from options_helper.analysis.text.wording import count
from options_helper.data.settings import INDICATIVE_QUOTE_LIMIT, OPTIONS_FEEDS, STOCK_FEEDS, AlpacaSettings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.subscriptions import SubscriptionPlan, build_subscription_plan
from options_helper.doctor.feed_probe import Entitlement, FeedProbe, probe_feed
from options_helper.doctor.findings import Finding, Level
from options_helper.errors import MissingDependency
from options_helper.market import StreamName
from options_helper.models import Portfolio

# The largest number of contracts that the page streams by default.
MOST_OPTION_CONTRACTS = 250
# Alpaca's "About Market Data API": the Basic plan's websocket limits, and OPRA's of Algo Trader Plus.
OPTION_LIMITS = {"indicative": INDICATIVE_QUOTE_LIMIT, "opra": 1000}
STOCK_LIMITS = {"iex": 30}

_FEED_NAMES = {
    "iex": "IEX",
    "sip": "SIP",
    "delayed_sip": "delayed SIP",
    "boats": "Boats",
    "overnight": "overnight",
    "indicative": "indicative",
    "opra": "OPRA",
}
# The feeds that most people choose between; another one is probed only if it is configured.
_STOCK_CHOICE = ("iex", "sip")


@dataclass(frozen=True, slots=True)
class AskedStream:
    """A stream to probe.

    Attributes:
        needed: True if the page would use it with the current settings.
        symbols: The symbols that the page would subscribe to, in order of priority.
    """

    stream: StreamName
    feed: str = ""
    needed: bool = True
    symbols: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`Stocks`, `Options` or `Fills`."""
        return self.stream.capitalize()


def streams_to_ask(settings: AlpacaSettings, plan: SubscriptionPlan | None = None) -> list[list[AskedStream]]:
    """Return the feeds to probe, one list per stream, the configured one first and with the page's symbols.

    The feeds of a list must not be probed at once, because Alpaca may count connections across them.
    """
    wanted = plan or SubscriptionPlan()
    feeds = (
        (StreamName.STOCKS, settings.stock_feed, _STOCK_CHOICE, set(wanted.stocks)),
        (StreamName.OPTIONS, settings.options_feed, OPTIONS_FEEDS, set(wanted.option_contracts)),
    )
    groups = [
        [
            AskedStream(stream, configured, symbols=tuple(s for s in wanted.stream_first if s in symbols)),
            *(AskedStream(stream, feed, needed=False) for feed in every if feed != configured),
        ]
        for stream, configured, every, symbols in feeds
    ]
    return [*groups, [AskedStream(StreamName.FILLS)]]


def check_streams(
    asked: list[AskedStream], settings: AlpacaSettings, times: ConnectionTimes | None
) -> Iterator[Finding]:
    """Probe the feeds of one stream, one after the other."""
    for one in asked:
        try:
            probe = probe_feed(settings, one.stream, one.feed, symbols=one.symbols, times=times)
        except MissingDependency as error:
            yield Finding(one.name, Level.FAIL, str(error))
            return
        yield judge_stream(one, probe)
        if probe.entitlement in {Entitlement.IN_USE, Entitlement.TOO_MANY, Entitlement.UNREACHABLE}:
            return  # the other feed would only answer the same


def judge_stream(asked: AskedStream, probe: FeedProbe) -> Finding:
    """Return the finding for a server's answer."""
    feed = f"{_FEED_NAMES[probe.feed]}: " if probe.feed else ""
    if probe.entitlement is Entitlement.GRANTED:
        choice = "" if asked.needed else ", if you choose it"
        limits = _describe_limits(asked, probe)
        return Finding(asked.name, Level.NOTE if limits else Level.OK, f"{feed}granted{choice}{limits}")
    if probe.entitlement is Entitlement.IN_USE:
        words = f"{feed}{probe.entitlement}, such as a running page; the stream's other feeds were not tried"
        return Finding(asked.name, Level.NOTE, words)
    if probe.entitlement is Entitlement.TOO_MANY:
        words = f"{feed}{probe.entitlement}: a running page, or earlier attempts; try again in a minute"
        return Finding(asked.name, Level.NOTE, words)
    if not asked.needed:
        return Finding(
            asked.name, Level.NOTE, f"{feed}not granted: {probe.detail}; the settings do not use it"
        )
    return Finding(asked.name, Level.FAIL, f"{feed}{probe.entitlement}: {probe.detail}")


def _describe_limits(asked: AskedStream, probe: FeedProbe) -> str:
    """Return the symbols that do not stream although the feed is granted, in words, or ""."""
    words = ""
    if probe.channels is not None and probe.granted is not None and probe.granted < len(asked.symbols):
        streamed = f"{probe.granted} of {len(asked.symbols)} stream"
        words += f", {probe.channels} channels: {streamed}, the rest are polled"
    if probe.invalid:
        words += f"; not accepted: {', '.join(sorted(probe.invalid))}"
    return words


def plan_subscription(
    portfolio: Portfolio, settings: AlpacaSettings | None, today: dt.date
) -> SubscriptionPlan:
    """Return the subscription that Start would make if nothing in the sidebar is changed."""
    options_feed = settings.options_feed if settings else OPTIONS_FEEDS[0]
    limit = min(MOST_OPTION_CONTRACTS, OPTION_LIMITS[options_feed])
    return build_subscription_plan(
        portfolio, stream_stocks=True, stream_options=True, max_option_contracts=limit, today=today
    )


def check_subscription(portfolio: Portfolio, settings: AlpacaSettings | None, today: dt.date) -> Finding:
    """Compare the subscription that Start would make with the limits of Alpaca's plan."""
    options_feed = settings.options_feed if settings else OPTIONS_FEEDS[0]
    stock_feed = settings.stock_feed if settings else STOCK_FEEDS[0]
    plan = plan_subscription(portfolio, settings, today)
    most_stocks = STOCK_LIMITS.get(stock_feed)
    contracts, stocks = count(len(plan.option_contracts), "option contract"), count(len(plan.stocks), "stock")
    most = f"at most {most_stocks}" if most_stocks else "any number"
    asked = (
        f"{contracts} of at most {OPTION_LIMITS[options_feed]} ({_FEED_NAMES[options_feed]}), "
        f"{stocks} of {most} ({_FEED_NAMES[stock_feed]})."
    )
    words = [asked, *plan.warnings]
    over = most_stocks is not None and len(plan.stocks) > most_stocks
    if over:
        words.append(f"The free plan streams at most {most_stocks} (405); the others are polled.")
    return Finding("Subscription", Level.NOTE if over or plan.warnings else Level.OK, " ".join(words))
