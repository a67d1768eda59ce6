"""Fetches the account's balances, positions and history, and reference data such as splits and betas."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from options_helper.data.account.activities import MOVES_POSITIONS
from options_helper.data.account.activity_log import BOOKED_LATE, ActivityLog
from options_helper.data.masking import mask
from options_helper.data.rest.client import AlpacaRest
from options_helper.data.rest.refusals import NOT_FOUND
from options_helper.data.streaming.backfill.betas import fetch_betas, read_closes
from options_helper.data.streaming.backfill.rest_rows import (
    find_unread,
    read_broker_account,
    read_dividends,
    read_multiplier,
    read_positions,
    read_splits,
    require_all,
)
from options_helper.data.streaming.run.cache import BrokerHistory, Reference
from options_helper.data.streaming.run.rest_results import RestResults
from options_helper.data.values import to_identifier
from options_helper.errors import AlpacaRestError
from options_helper.times import new_york_date, start_of_day, utc_now

ACCOUNT_SECONDS = 60.0
POSITION_SECONDS = 60.0
HISTORY_SECONDS = 60.0
CLOSE_SECONDS = SPLIT_SECONDS = DIVIDEND_SECONDS = 6 * 3600.0
HISTORY_DAYS = 30
BETA_SECONDS = 24 * 3600.0
_DECLARED_AHEAD = dt.timedelta(days=370)  # dividends are declared weeks ahead, rarely a year
_RELOOK = dt.timedelta(days=1)  # a fill's cancellation is noticed up to this long afterwards
_DAY = dt.timedelta(days=1)


class AccountFetch:
    """Parts of the background fetch.

    Each method returns the seconds until it is due again, or None for never, and raises AlpacaRestError.
    """

    def __init__(
        self,
        rest: AlpacaRest,
        log: ActivityLog,
        results: RestResults,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._rest, self._log, self._results, self._clock = rest, log, results, clock
        self._multipliers: dict[str, float] = {}
        self._read_until: dt.datetime | None = None
        self._positions = Reference()
        self._in_positions: set[str] = set()  # the events that were booked before the positions were read

    def fetch_positions(self) -> float:
        """Fetch the broker's positions; once there is a history, `fetch_history` publishes both together."""
        rows = self._read_positions()
        if self._read_until is None:  # the first history takes a long time
            self._results.put_reference(self._positions)
        require_all("/v2/positions", wanted=rows, read=len(self._positions.broker_positions or ()))
        return POSITION_SECONDS

    def _read_positions(self) -> int:
        """Fetch the broker's positions, and return the number of rows."""
        as_of = self._clock()
        booked = {event.activity_id for event in self._log.events}
        rows = self._rest.positions()
        positions = read_positions(rows)
        self._in_positions = booked
        self._positions = Reference(
            broker_positions=positions,
            broker_unread=find_unread(rows, positions),
            broker_positions_at=as_of,
        )
        return len(rows)

    def fetch_account(self) -> float:
        """Fetch the account's balances and its number, which is masked."""
        as_of = self._clock()
        row = self._rest.account()
        number = to_identifier(row.get("account_number"))
        broker = read_broker_account(row, as_of)
        masked = None if number is None else mask(number)
        self._results.put_reference(Reference(account=masked, broker=broker))
        return ACCOUNT_SECONDS

    def fetch_history(self) -> float:
        """Fetch the account's recent activities: all of them at first, then the newest.

        They are published together with the positions fetched before them, so that no fill is contained in
        the positions alone. An event has no time, so it counts with the first positions fetched after it;
        those are fetched at once.
        """
        today = self._today()
        first = today - dt.timedelta(days=HISTORY_DAYS)
        try:
            self._read_history(first)
            if self._unplaced(today):
                self._read_positions()
                self._read_history(first)  # the positions may include a fill made meanwhile
        except AlpacaRestError:
            self._results.put_reference(self._positions)
            raise
        unplaced = self._unplaced(today)
        events = [one for one in self._log.events if one.activity_id not in unplaced]
        lost = [row for row in self._log.unreadable.rows if row.kind in MOVES_POSITIONS]
        history = BrokerHistory(
            # Unknown while a row is unreadable, or while an event may or may not be in the positions.
            since=None if lost or unplaced else first,
            fills=tuple(self._log.fills),
            events=tuple(events),
            cash=tuple(self._log.cash),
            cash_since=self._cash_since(first),
        )
        self._results.put_reference(replace(self._positions, broker_history=history))
        require_all("/v2/account/activities", wanted=len(lost), read=0)
        return HISTORY_SECONDS

    def _read_history(self, first: dt.date) -> None:
        now = self._clock()
        since = start_of_day(first) if self._read_until is None else self._read_until - _RELOOK
        self._log.update(now, since)
        self._read_until = now

    def _unplaced(self, today: dt.date) -> set[str]:
        """Return the ids of recent events that the positions may or may not contain."""
        booked = today - BOOKED_LATE
        recent = {event.activity_id for event in self._log.events if event.date >= booked}
        return recent - self._in_positions

    def _today(self) -> dt.date:
        """Return the New York date according to Alpaca's clock; this computer's may be wrong."""
        return new_york_date(self._results.to_alpaca_time(self._clock()))

    def _cash_since(self, first: dt.date) -> dt.date | None:
        """Return the day from which all changes in cash are known; None if an unreadable row has no date."""
        lost = [row.date for row in self._log.unreadable.rows]
        known = [date for date in lost if date is not None]
        return max([first, *(date + _DAY for date in known)]) if len(known) == len(lost) else None

    def fetch_closes(self, stocks: Sequence[str]) -> float:
        """Fetch the stocks' closes of the last `HISTORY_DAYS`, at which expired contracts are settled."""
        today = self._today()
        bars = self._rest.daily_bars(
            stocks, today - dt.timedelta(days=HISTORY_DAYS), today - _DAY, adjusted=False
        )
        closes = {symbol: read_closes(rows) for symbol, rows in bars.items()}
        self._results.put_reference(Reference(daily_closes=closes))
        return CLOSE_SECONDS

    def fetch_splits(self, stocks: Sequence[str]) -> float:
        """Fetch the stocks' splits of the last `HISTORY_DAYS`."""
        today = self._today()
        first = today - dt.timedelta(days=HISTORY_DAYS)
        rows = self._rest.splits(stocks, first, today)
        splits = tuple(read_splits(rows))
        self._results.put_reference(Reference(splits=splits))
        require_all("/v1/corporate-actions", wanted=len(rows), read=len(splits))
        return SPLIT_SECONDS

    def fetch_dividends(self, stocks: Sequence[str]) -> float:
        """Fetch the declared dividends with an ex-date of today or later."""
        today = self._today()
        rows = self._rest.dividends(stocks, today, today + _DECLARED_AHEAD)
        dividends = tuple(read_dividends(rows))
        self._results.put_reference(Reference(dividends=dividends))
        require_all("/v1/corporate-actions", wanted=len(rows), read=len(dividends))
        return DIVIDEND_SECONDS

    def fetch_betas(self, stocks: Sequence[str]) -> float:
        """Fetch the stocks' betas over the last year."""
        today = self._today()
        self._results.put_reference(Reference(betas=fetch_betas(self._rest, stocks, today)))
        return BETA_SECONDS

    def fetch_multipliers(self, symbols: Iterable[str]) -> None:
        """Fetch the contracts' multipliers, except those already known."""
        for symbol in symbols:
            if symbol in self._multipliers:
                continue
            multiplier = self._fetch_multiplier(symbol)
            if multiplier is not None:
                self._multipliers[symbol] = multiplier
        self._results.put_reference(Reference(multipliers=dict(self._multipliers)))

    def _fetch_multiplier(self, symbol: str) -> float | None:
        try:
            return read_multiplier(self._rest.option_contract(symbol))
        except AlpacaRestError as error:
            if error.status != NOT_FOUND:
                raise
            return None
