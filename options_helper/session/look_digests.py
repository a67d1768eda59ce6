"""A short digest of each part of what the monitor saw, so that a replay can be compared with its recording.

The digests leave out what cannot be the same twice: identifiers, which a recording replaces; ages, because a
table is kept while only they change (the times that they count from are in it); rates, lags and latencies,
which depend on this computer's speed; the steps of a handshake; and alerts on ages, Greeks and exposures,
which depend on the time of the last computation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from options_helper.analysis.alerts.records import Alerts
from options_helper.analysis.alerts.rules import EXPOSURES, AlertMetric
from options_helper.analysis.arrays.typed_columns import ColumnValues
from options_helper.analysis.fills.day import FillDay
from options_helper.analysis.status.clock import describe_clock
from options_helper.analysis.status.stream_diagnosis import diagnose
from options_helper.analysis.status.stream_lines import describe_stream, stream_records
from options_helper.analysis.tables.columns import COLUMNS
from options_helper.analysis.tables.view import TablesView
from options_helper.files.alerts_state import KeptAlerts, encode_alerts
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.quote_tables import QuoteTable, TradeTable
from options_helper.recording.records import Watching
from options_helper.times import NEW_YORK

# A lag is not an age: it does not grow.
_AGES = frozenset(each.name for each in COLUMNS if each.unit in {"seconds", "hours"}) - {"lag_seconds"}
_UNSTEADY_ALERTS = EXPOSURES | {AlertMetric.QUOTE_AGE_SECONDS}
_IDENTIFIERS = ("key", "order_id", "parent_id", "execution_id", "activity_id")
_DECIMALS = 6


class LookRecorder(Protocol):
    """The part of `Recorder` that a monitor needs."""

    def look(
        self, watcher: object, watched: WatchedPortfolio, take: Callable[[], LiveSnapshot], /
    ) -> tuple[LiveSnapshot, bool]:
        """Return a snapshot, and True if it is recorded as a look between two events."""
        ...

    def note_digest(self, digest: Callable[[], Mapping[str, str]], alerts: Alerts, /) -> None:
        """Record what the last look saw, if it is wanted, and the alerts after it."""


@dataclass(frozen=True, slots=True, eq=False)
class WatchedPortfolio:
    """The inputs of a monitor's next look besides the snapshot."""

    portfolio: Portfolio
    stale_after_seconds: float
    alerts: Alerts

    def objects(self) -> tuple[object, ...]:
        """Return the parts; as long as each is the same object, nothing has changed."""
        return self.portfolio, self.stale_after_seconds, self.alerts

    def record(self, at: int, elapsed: int) -> Watching:
        """Return the parts as a record."""
        portfolio = self.portfolio.model_dump_json(exclude_none=True).encode()
        return Watching(
            at, elapsed, portfolio, self.stale_after_seconds, encode_alerts(KeptAlerts(self.alerts))
        )


class LookDigests:
    """Digests of one look after another; those of unchanged tables, columns and fills are computed once."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], tuple[ColumnValues, bytes]] = {}
        self._tables: tuple[TablesView | None, dict[str, str]] = (None, {})
        self._fills: tuple[FillDay | None, str] = (None, "")

    def of(self, live: LiveSnapshot, tables: TablesView, day: FillDay, alerts: Alerts) -> dict[str, str]:
        """Return the digest of each part, by the part's name."""
        if self._tables[0] is not tables:
            parts = {
                str(name): _digest(self._of_columns(str(name), columns))
                for name, columns in tables.columns.items()
            }
            totals = replace(tables.totals, oldest_age_seconds=None)
            self._tables = tables, parts | {"totals": _digest([repr(totals)])}
        if self._fills[0] is not day:
            self._fills = day, _digest(_of_fills(day))
        return {
            "prices": _digest(_of_prices(live)),
            **self._tables[1],
            "fills": self._fills[1],
            "account": _digest([repr(live.broker)]),
            "health": _digest(_of_health(live)),
            "alerts": _digest(_of_alerts(alerts)),
        }

    def _of_columns(self, table: str, columns: Mapping[str, ColumnValues]) -> Iterator[str | bytes]:
        for name, values in columns.items():
            if name not in _AGES:
                kept = self._columns.get((table, name))
                if kept is None or kept[0] is not values:
                    kept = self._columns[table, name] = values, _of_values(values)
                yield name
                yield kept[1]


def _digest(parts: Iterable[str | bytes]) -> str:
    found = hashlib.blake2s(digest_size=6)
    for part in parts:
        found.update(part if isinstance(part, bytes) else part.encode(errors="replace"))
        found.update(b"\0")
    return found.hexdigest()


def _of_values(values: ColumnValues) -> bytes:
    """Return the content of a column; numbers are rounded, because sums differ a little between computers."""
    if isinstance(values, pd.arrays.DatetimeArray):
        return np.asarray(values.astype(np.int64)).tobytes()
    if isinstance(values, pd.Categorical):
        return repr(list(values.categories)).encode() + np.asarray(values.codes).tobytes()
    if isinstance(values, pd.arrays.IntegerArray | pd.arrays.BooleanArray):
        return values.to_numpy(np.float64, na_value=np.nan).tobytes()
    plain: Any = np.asarray(values)
    if plain.dtype.kind == "f":
        rounded: bytes = (np.round(plain, _DECIMALS) + 0.0).tobytes()
        return rounded
    return repr(plain.tolist()).encode(errors="replace")


def _of_prices(live: LiveSnapshot) -> Iterator[str | bytes]:
    quotes = map(QuoteTable.from_mapping, (live.stock_quotes, live.option_quotes))
    trades = map(TradeTable.from_mapping, (live.stock_trades, live.option_trades))
    for rows in (*(each.rows for each in quotes), *(each.rows for each in trades)):
        yield from (rows[name].tobytes() for name in rows.dtype.names or () if name != "received_at")


def _of_fills(day: FillDay) -> Iterator[str]:
    yield day.words
    yield from sorted(
        repr({name: getattr(one, name) for name in one.__dataclass_fields__ if name not in _IDENTIFIERS})
        for one in day.executions
    )
    yield from sorted(f"{one.symbol} {one.status} {one.filled}" for one in day.orders)
    yield from (repr(replace(one, activity_id=None)) for one in (*day.events, *day.earlier_events))


def _of_health(live: LiveSnapshot) -> Iterator[str]:
    steady = {
        name: replace(record, rate=0.0, lag_seconds=None, latency_seconds=None, step="")
        for name, record in live.health.items()
    }
    live = replace(live, health=steady)
    yield repr((live.status, live.market_phase, live.fill_gaps, sorted(live.backfill.items())))
    yield repr(diagnose(live))
    yield describe_clock(live)
    for record in stream_records(live):
        yield repr(describe_stream(record, live.as_of, zone=NEW_YORK))
        yield repr((record.attempts, record.tries, record.messages, record.malformed, record.channels))
        yield repr((sorted(record.missing), sorted(record.invalid), record.last_event_at))


def _of_alerts(alerts: Alerts) -> Iterator[str]:
    for rule in alerts.rules:
        if rule.metric not in _UNSTEADY_ALERTS:
            yield repr((rule.metric, alerts.status.get(rule.id)))
    steady = [each for each in alerts.history if each.rule.metric not in _UNSTEADY_ALERTS]
    yield repr([(each.at, each.phase, each.value, each.text) for each in steady])
