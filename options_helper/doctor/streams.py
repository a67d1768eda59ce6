"""Checks of the plan's streams, and of the subscription against its limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from options_helper.analysis.text.wording import count
from options_helper.data.settings import INDICATIVE_QUOTE_LIMIT, OPTIONS_FEEDS, STOCK_FEEDS, AlpacaSettings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.subscriptions import build_subscription_plan
from options_helper.doctor.feed_probe import Entitlement, FeedProbe, probe_feed
from options_helper.doctor.findings import Finding, Level
from options_helper.errors import MissingDependency
from options_helper.market import StreamName
from options_helper.models import Portfolio

# What the page asks for at most, if nothing in its sidebar is changed.
MOST_OPTION_CONTRACTS = 250
# Alpaca's "About Market Data API": the Basic plan's websocket limits, and OPRA's of Algo Trader Plus.
OPTION_LIMITS = {"indicative": INDICATIVE_QUOTE_LIMIT, "opra": 1000}
STOCK_LIMITS = {"iex": 30}

_FEED_NAMES = {"iex": "IEX", "sip": "SIP", "indicative": "indicative", "opra": "OPRA"}


@dataclass(frozen=True, slots=True)
class AskedStream:
    """A stream to probe; `needed` if the page would use it with the current settings."""

    stream: StreamName
    feed: str = ""
    needed: bool = True

    @property
    def name(self) -> str:
        """`Stocks`, `Options` or `Fills`."""
        return self.stream.capitalize()


def streams_to_ask(settings: AlpacaSettings) -> list[list[AskedStream]]:
    """Return the feeds to probe by stream, the configured one first.

    Alpaca may count connections over all feeds of a stream.
    """
    feeds = (
        (StreamName.STOCKS, settings.stock_feed, STOCK_FEEDS),
        (StreamName.OPTIONS, settings.options_feed, OPTIONS_FEEDS),
    )
    groups = [
        [
            AskedStream(stream, configured),
            *(AskedStream(stream, feed, needed=False) for feed in every if feed != configured),
        ]
        for stream, configured, every in feeds
    ]
    return [*groups, [AskedStream(StreamName.FILLS)]]


def check_streams(
    asked: list[AskedStream], settings: AlpacaSettings, times: ConnectionTimes | None
) -> Iterator[Finding]:
    """Ask for the feeds of one stream, one after the other."""
    for one in asked:
        try:
            probe = probe_feed(settings, one.stream, one.feed, times=times)
        except MissingDependency as error:
            yield Finding(one.name, Level.FAIL, str(error))
            return
        yield judge_stream(one, probe)
        if probe.entitlement in {Entitlement.IN_USE, Entitlement.UNREACHABLE}:
            return  # the other feed would only say the same


def judge_stream(asked: AskedStream, probe: FeedProbe) -> Finding:
    """Return the finding for a server's answer."""
    feed = f"{_FEED_NAMES[probe.feed]}: " if probe.feed else ""
    if probe.entitlement is Entitlement.GRANTED:
        choice = "" if asked.needed else ", if you choose it"
        return Finding(asked.name, Level.OK, f"{feed}granted{choice}")
    if probe.entitlement is Entitlement.IN_USE:
        words = f"{feed}{probe.entitlement}, such as a page that runs beside this; it was not asked further"
        return Finding(asked.name, Level.NOTE, words)
    if not asked.needed:
        return Finding(asked.name, Level.NOTE, f"{feed}not granted: {probe.detail}; it is not chosen either")
    return Finding(asked.name, Level.FAIL, f"{feed}{probe.entitlement}: {probe.detail}")


def check_subscription(portfolio: Portfolio, settings: AlpacaSettings | None, today: dt.date) -> Finding:
    """Compare what Start would subscribe with the plan's limits."""
    options_feed = settings.options_feed if settings else OPTIONS_FEEDS[0]
    stock_feed = settings.stock_feed if settings else STOCK_FEEDS[0]
    limit = min(MOST_OPTION_CONTRACTS, OPTION_LIMITS[options_feed])
    plan = build_subscription_plan(
        portfolio, stream_stocks=True, stream_options=True, max_option_contracts=limit, today=today
    )
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
