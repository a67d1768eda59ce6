"""The relay's facts, which are everything but the streams' messages: all of them, or the changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from options_helper.data.calendar.alpaca_clock import AlpacaCalendar
from options_helper.data.calendar.market_clock import MarketCalendar
from options_helper.data.streaming.backfill.rest_rows import indices_of
from options_helper.data.streaming.run.cache import BrokerHistory, CacheState, Reference
from options_helper.data.streaming.run.live_run import LiveRun
from options_helper.market import Quote, Trade
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.relay.wire import Ask, CalendarFacts, Facts, OrderHistory

_ROWS_PER_MESSAGE = 2000
_REFERENCE = (
    "previous_closes",
    "daily_closes",
    "greeks",
    "multipliers",
    "broker",
    "splits",
    "dividends",
    "betas",
)
_POSITIONS = ("broker_positions", "broker_unread", "broker_positions_at")
_HISTORY = ("broker_fills", "broker_events", "broker_history_since", "broker_cash", "broker_cash_since")
_ORDERS = ("rest_fills", "rest_orders", "unreadable_rows")
_TABLES = ("stock_quotes", "stock_trades", "option_quotes", "option_trades")
_NOTHING = CacheState()


class FactSource:
    """The facts of a run, compared with those of the last call.

    Attributes:
        gaps: The gaps in the order updates. One that REST has closed is still here until REST's executions
            are published.
    """

    def __init__(self, run: LiveRun, epoch: str) -> None:
        self._run, self._epoch = run, epoch
        self._state = _NOTHING
        self._others: dict[str, object] = {}
        self.gaps = tuple(run.cache.state.fill_gaps)

    def changes(self) -> Iterator[Facts]:
        """Yield everything from REST that has changed since the last call."""
        before, state = self._state, self._run.cache.state
        if state is not before:
            self._state = state
            yield from self._state_facts(before, state)
            rows = {name: _rest_rows(getattr(before, name), getattr(state, name)) for name in _TABLES}
            yield from self._row_facts(rows)
        now = self._other_facts()
        changed = {name: value for name, value in now.items() if value is not self._others.get(name)}
        self._others = now
        if changed:
            yield Facts(self._epoch, **_encodable(changed))
        self.gaps = tuple(state.fill_gaps)

    def everything(self, ask: Ask) -> Iterator[Facts]:
        """Yield every fact, and the newest quote and trade of every requested symbol."""
        state = self._run.cache.state
        yield from self._state_facts(_NOTHING, state)
        contracts = [*ask.contracts, *ask.polled]
        stocks = [*ask.stocks, *indices_of(contracts)]
        rows = {
            name: _rows_of(getattr(state, name), stocks if name.startswith("stock") else contracts)
            for name in _TABLES
        }
        yield from self._row_facts(rows)
        others = _encodable({name: value for name, value in self._other_facts().items() if value is not None})
        yield Facts(self._epoch, halts=dict(self._run.cache.halted_since), **others)

    def _state_facts(self, before: CacheState, state: CacheState) -> Iterator[Facts]:
        epoch = self._epoch
        for reference in _references(before, state):
            yield Facts(epoch, reference=reference)
        if _differ(before, state, _ORDERS):
            history = OrderHistory(state.rest_fills, state.rest_orders, state.unreadable_rows)
            yield Facts(epoch, history=history)
        if state.backfill is not before.backfill:
            yield Facts(epoch, progress=dict(state.backfill))

    def _row_facts(self, rows: dict[str, list[Any]]) -> Iterator[Facts]:
        for name, part in rows.items():
            for start in range(0, len(part), _ROWS_PER_MESSAGE):
                chunk: dict[str, Any] = {name: part[start : start + _ROWS_PER_MESSAGE]}
                yield Facts(self._epoch, **chunk)

    def _other_facts(self) -> dict[str, object]:
        results = self._run.results
        return {
            "polling": results.polling,
            "calendar": results.calendar,
            "clock_offset": results.measured_offset,
        }


def _encodable(facts: dict[str, object]) -> dict[str, Any]:
    calendar = facts.get("calendar")
    if calendar is None:
        return facts
    return {**facts, "calendar": _calendar_facts(calendar)}


def _calendar_facts(calendar: MarketCalendar | object) -> CalendarFacts:
    if isinstance(calendar, AlpacaCalendar):
        return CalendarFacts(calendar.clock, list(calendar.sessions))
    return CalendarFacts()


def _references(before: CacheState, state: CacheState) -> Iterator[Reference]:
    """Yield the changed parts, each in its own message; positions and history belong together."""
    for name in _REFERENCE:
        value = getattr(state, name)
        if value is not getattr(before, name):
            part: dict[str, Any] = {name: value}
            yield Reference(**part)
    if state.broker_account != before.broker_account:
        yield Reference(account=state.broker_account)
    positions: dict[str, Any] = {name: getattr(state, name) for name in _POSITIONS}
    known = Reference(**positions) if state.broker_positions_at is not None else Reference()
    if _differ(before, state, _HISTORY):
        history = BrokerHistory(
            since=state.broker_history_since,
            fills=tuple(state.broker_fills),
            events=tuple(state.broker_events),
            cash=tuple(state.broker_cash),
            cash_since=state.broker_cash_since,
        )
        yield replace(known, broker_history=history)
    elif _differ(before, state, _POSITIONS):
        yield known


def _differ(before: CacheState, state: CacheState, names: Sequence[str]) -> bool:
    return any(getattr(before, name) is not getattr(state, name) for name in names)


def _rest_rows(before: QuoteTable | TradeTable, table: QuoteTable | TradeTable) -> list[Quote | Trade]:
    """Return the rows that REST has replaced; streamed ones are published as they arrive."""
    if table is before:
        return []
    changed = table.rows["from_rest"] & table.rows["present"]
    old = before.rows[: len(changed)]
    # A table only grows, so a symbol keeps its number.
    same = [old[name] == table.rows[name][: len(old)] for name in ("received_at", "timestamp", "from_rest")]
    changed[: len(old)] &= ~np.logical_and.reduce(same)
    numbers = set(np.flatnonzero(changed).tolist())
    return [table[symbol] for symbol, number in table.index.items() if number in numbers] if numbers else []


def _rows_of(table: QuoteTable | TradeTable, symbols: Iterable[str]) -> list[Quote | Trade]:
    return [table[symbol] for symbol in dict.fromkeys(symbols) if symbol in table]
