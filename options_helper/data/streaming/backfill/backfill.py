"""Fetches over REST, in the background of a run, the data that the streams do not carry.

These are first quotes, previous closes and Greeks; quotes of symbols that do not stream, at an interval; the
market's clock; the account and its positions; the multipliers of adjusted contracts; and the day's executions
and orders. Quotes and executions are fetched again after every acknowledgement of their stream. Each part
fails and is retried on its own, and each host has its own thread, so neither waits for the other.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from options_helper.data.account.activity_log import ActivityLog
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.http import Host
from options_helper.data.streaming.backfill.account import AccountFetch
from options_helper.data.streaming.backfill.market import MarketFetch
from options_helper.data.streaming.backfill.order_history import OrderHistory
from options_helper.data.streaming.backfill.prices import PriceFetch, Wanted
from options_helper.data.streaming.backfill.rest_rows import adjusted_contracts
from options_helper.data.streaming.backfill.schedule import Part, Schedule
from options_helper.data.streaming.run.progress_words import count_words, limit_words
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.market import StreamName
from options_helper.recording.journal import Journal
from options_helper.recording.records import Fetching
from options_helper.times import StepWatch, elapsed_seconds, new_york_date, utc_now

logger = logging.getLogger(__name__)

FILL_SECONDS = 60.0
SPACING_SECONDS = 1.0  # between two fetches of a part that are requested in succession
SETTLE_SECONDS = 2.0  # how long REST may lag behind the stream
_LONGEST_SLEEP = 1.0  # a change to the computer's clock is noticed within this time


class Backfill:
    """The background fetch of one run: one daemon thread per host from `start` to `stop`.

    Args:
        rest: The client; closed when the backfill is joined.
        wanted: The streams' symbols and feeds, so that first quotes have the same source.
        want_fills: True to fetch executions and orders.
        results: Receives the results.
        journal: The clock, and the record of when each part begins.
        monotonic: Returns monotonic seconds, by default those that include sleep.
        steps: Returns the seconds by which the computer's clock was set since the last call.
        settle_seconds: How long REST may lag; a fetch after that is complete.
    """

    def __init__(
        self,
        rest: AlpacaRest,
        wanted: Wanted,
        *,
        want_fills: bool,
        results: RestResults,
        journal: Journal | None = None,
        monotonic: Callable[[], float] = elapsed_seconds,
        steps: Callable[[], float] | None = None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._rest, self._results, self._monotonic = rest, results, monotonic
        self._journal = journal or Journal(utc_now)
        self._clock = clock = self._journal.now
        self._steps = steps or StepWatch()
        self._settle_seconds = settle_seconds
        self._activities = ActivityLog(rest)  # used by the thread of the trading host only
        self._history = OrderHistory(rest, self._activities)
        self._fills_asked_at: float | None = None
        self._stopped = threading.Event()
        self._market = MarketFetch(rest, results, clock, self._stopped.is_set)
        self._prices = PriceFetch(rest, results, wanted, clock=clock, calendar=self._market.known_calendar)
        self._schedules = {
            host: Schedule(
                parts,
                results.put_progress,
                monotonic=monotonic,
                is_stopped=self._stopped.is_set,
                begins=partial(self._note_begin, host),
            )
            for host, parts in self._parts(wanted, want_fills=want_fills).items()
        }
        rest.when_limited(self._report_limit)
        self._wakes = {host: threading.Event() for host in Host}
        self._threads = [self._make_thread(host) for host in Host]

    def start(self) -> None:
        """Start fetching."""
        self.announce_polls()
        for thread in self._threads:
            thread.start()

    def announce_polls(self) -> None:
        """Publish which symbols are polled, and how often."""
        for stream in self._polls:
            self._prices.announce_poll(stream)

    def request_fills(self) -> None:
        """Schedule a fetch of executions, and another once REST has caught up; return immediately.

        Called after each acknowledgement of the trading stream; simultaneous requests are merged.
        """
        self._fills_asked_at = self._monotonic()
        self._ask(Host.TRADING, "fills")

    def request_quotes(self, stream: StreamName) -> None:
        """Schedule a fetch of the data that a data stream may have missed or does not carry.

        Called after each acknowledgement of the stream, which never reports earlier changes. Returns
        immediately.
        """
        self._prices.begin_again(stream)
        self._ask(Host.DATA, stream)
        if stream in self._polls:
            self._prices.announce_poll(stream)
            self._ask(Host.DATA, _polled(stream))

    def request_lost(self, stream: StreamName) -> None:
        """Schedule a fetch of the quotes of a data stream that lost messages; return immediately.

        However many messages are lost, these fetches are spaced like those of polled symbols.
        """
        self._prices.begin_again(stream)
        self._ask(Host.DATA, stream, self._prices.pace_seconds)

    def stop(self) -> None:
        """End waits and requests now; idempotent, and callable at any time."""
        self._stopped.set()
        self._rest.stop()
        for wake in self._wakes.values():
            wake.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait up to `timeout` seconds for the threads to end, and close the client."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self._rest.close()

    def step(self, host: Host) -> float:
        """Fetch a host's part if one is due, and return the seconds until the next is due."""
        if host is Host.TRADING and self._steps():
            logger.warning("This computer's clock was changed, so Alpaca's clock is requested again.")
            self._ask(host, "market")
        return self._schedules[host].step()

    @property
    def parts(self) -> dict[Host, tuple[str, ...]]:
        """The names of the parts by host, in order of priority."""
        return {host: schedule.names for host, schedule in self._schedules.items()}

    def fetch(self, host: Host, part: str) -> None:
        """Fetch a part now, whether or not it is due."""
        self._schedules[host].run(part)

    def _note_begin(self, host: Host, part: str) -> None:
        self._journal.begin(lambda at, elapsed: Fetching(at, elapsed, host.value, part))

    def _make_thread(self, host: Host) -> threading.Thread:
        return threading.Thread(
            target=self._run, args=(host,), name=f"options-helper-backfill-{host}", daemon=True
        )

    def _run(self, host: Host) -> None:
        wake = self._wakes[host]
        try:
            if host is Host.DATA:
                self._market.wait_until_tried()
            while not self._stopped.is_set():
                wake.clear()
                seconds = self.step(host)
                self._journal.end()
                if seconds > 0 and not self._stopped.is_set():
                    wake.wait(min(seconds, _LONGEST_SLEEP))
        finally:
            self._journal.end()
            if not self._stopped.is_set():
                logger.error("The background fetch ended unexpectedly.")
                self._schedules[host].say_of_all(
                    "the background fetch ended unexpectedly; Restart starts it again."
                )

    def _ask(self, host: Host, part: str, spacing: float = SPACING_SECONDS) -> None:
        self._schedules[host].ask(part, spacing)
        self._wakes[host].set()

    def _parts(self, wanted: Wanted, *, want_fills: bool) -> dict[Host, list[Part]]:
        """Return the parts to fetch by host, in order of priority."""
        account = AccountFetch(self._rest, self._activities, self._results, self._clock)
        prices = self._prices
        trading = [Part("market", self._market.fetch)]
        if want_fills:
            trading.append(Part("fills", self._fetch_fills))
        trading += [
            Part("positions", account.fetch_positions),
            Part("account", account.fetch_account),
            Part("history", account.fetch_history),
        ]
        if adjusted := adjusted_contracts(wanted.option_contracts):
            trading.append(Part("multipliers", partial(account.fetch_multipliers, adjusted)))
        streams = [each for each in (StreamName.OPTIONS, StreamName.STOCKS) if wanted.symbols(each)]
        data = [Part(each, partial(prices.fetch_streamed, each)) for each in streams]
        self._polls = streams if wanted.to_poll is not None else []
        data += [Part(_polled(each), partial(prices.poll, each)) for each in self._polls]
        if wanted.stocks:
            data.append(Part("splits", partial(account.fetch_splits, wanted.stocks)))
            data.append(Part("closes", partial(account.fetch_closes, wanted.stocks)))
            data.append(Part("betas", partial(account.fetch_betas, wanted.stocks)))
            data.append(Part("dividends", partial(account.fetch_dividends, wanted.stocks)))
        if prices.indices:
            data.append(Part("indices", prices.fetch_indices))
        return {Host.TRADING: trading, Host.DATA: data}

    def _fetch_fills(self) -> float:
        began, began_at = self._monotonic(), self._clock()
        day_at = self._results.to_alpaca_time(began_at)
        self._history.update(day_at, self._report_count)
        if new_york_date(self._results.to_alpaca_time(self._clock())) != new_york_date(day_at):
            return 0.0  # the result belongs to the day before, so fetch again immediately
        settled = began_at - dt.timedelta(seconds=self._settle_seconds)
        history = self._history
        self._results.put_order_history(history.fills, history.orders, settled, history.unreadable)
        asked_at = self._fills_asked_at
        if asked_at is not None and began < asked_at + self._settle_seconds:
            return max(0.0, asked_at + self._settle_seconds - self._monotonic())
        return FILL_SECONDS

    def _report_limit(self, host: Host, path: str, seconds: float) -> None:
        self._schedules[host].say_of_running(limit_words(path, seconds))

    def _report_count(self, count: int) -> None:
        trading = self._schedules[Host.TRADING]
        if not trading.has_succeeded("fills"):
            trading.say("fills", count_words(count))


def _polled(stream: StreamName) -> str:
    """Return the name of the part that polls the symbols that a data stream does not carry."""
    return f"polled {stream}"
