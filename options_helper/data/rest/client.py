"""Alpaca's REST routes, GET only.

Sources: Alpaca's Trading API and Market Data API (OpenAPI). Answers are returned as raw dictionaries and
lists; the normalizers read them.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from options_helper.data.rest.bounded import EXCHANGE_SECONDS
from options_helper.data.rest.data_pages import part_of, read_data_pages
from options_helper.data.rest.http import Answer, Host, HostReader, Json, Query
from options_helper.data.rest.open_order_groups import OpenOrderGroups
from options_helper.data.rest.order_pages import read_pages
from options_helper.data.rest.symbol_chunks import SYMBOLS_PER_CALL, SymbolChunks
from options_helper.data.settings import AlpacaSettings
from options_helper.errors import AlpacaRestError
from options_helper.recording.journal import Journal
from options_helper.recording.taps import AnswerTap

if TYPE_CHECKING:
    import httpx

ORDERS_PER_PAGE = 500
ACTIVITIES_PER_PAGE = 100
_MOST_PAGES = 10_000
_MOST_ACTIONS = 1000
_MOST_BARS = 10_000  # a year of daily bars for 39 symbols

# Stands in for the pages that could not be requested; no reader understands it, so it counts as unreadable.
CUT_SHORT: Mapping[str, str] = {"problem": "a full page leaves nothing to continue from"}
_SECOND = dt.timedelta(seconds=1)


class AlpacaRest:
    """Alpaca's read-only routes; every method raises `AlpacaRestError` if there is no usable answer.

    Each host has its own reader, so a thread that uses one host never waits for the other.

    Args:
        settings: Keys and hosts.
        transport, clock, pause, exchange_seconds: Passed to each `HostReader`.
        journal: Records each exchange.
    """

    def __init__(
        self,
        settings: AlpacaSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], bool] | None = None,
        exchange_seconds: float = EXCHANGE_SECONDS,
        journal: Journal | None = None,
    ) -> None:
        keys = (settings.key_id, settings.secret_key)
        urls = {Host.TRADING: settings.trading_url, Host.DATA: settings.data_url}
        self._readers = {
            host: HostReader(
                url,
                keys,
                transport=transport,
                clock=clock,
                pause=pause,
                exchange_seconds=exchange_seconds,
                tap=AnswerTap(journal, host) if journal is not None and journal.is_recording else None,
            )
            for host, url in urls.items()
        }
        self._chunks = SymbolChunks()

    def get(self, host: Host, path: str, query: Query, kind: type[Answer]) -> Answer:
        """Return the decoded answer of any route."""
        return self._readers[host].get(path, query, kind)

    def when_limited(self, call: Callable[[Host, str, float], None]) -> None:
        """Register a callback for "too many requests"; it receives the host, the path and the seconds."""
        for host, reader in self._readers.items():
            reader.when_limited(partial(call, host))

    def stop(self) -> None:
        """End all waits and requests now; callable from any thread. Later requests raise."""
        for reader in self._readers.values():
            reader.stop()

    def close(self) -> None:
        """Stop, and close the connections; idempotent."""
        for reader in self._readers.values():
            reader.close()

    # The trading host

    def clock(self) -> Json:
        """Return `/v2/clock`."""
        return self.get(Host.TRADING, "/v2/clock", {}, dict)

    def calendar(self, start: dt.date, end: dt.date) -> list[object]:
        """Return `/v2/calendar` from one date to another, inclusive."""
        return self.get(
            Host.TRADING, "/v2/calendar", {"start": start.isoformat(), "end": end.isoformat()}, list
        )

    def account(self) -> Json:
        """Return `/v2/account`."""
        return self.get(Host.TRADING, "/v2/account", {}, dict)

    def positions(self) -> list[object]:
        """Return `/v2/positions`."""
        return self.get(Host.TRADING, "/v2/positions", {}, list)

    def orders(self, after: dt.datetime | None = None, *, status: str = "all") -> list[object]:
        """Return all pages of `/v2/orders` with legs nested, oldest first; rows without an id come last.

        Open orders include a filled order with open legs, such as the entry of a bracket, which Alpaca omits
        if legs are nested. If a full page leaves nothing to continue from, the last row is `CUT_SHORT`.

        Args:
            after: Only orders submitted later.
            status: "open", "closed" or "all".
        """
        listed = self._list_orders(after, status, nested=True)
        return [*listed, *self._open_order_groups.find(listed)] if status == "open" else listed

    def _list_orders(self, after: dt.datetime | None, status: str, *, nested: bool) -> list[object]:
        def fetch(after: dt.datetime | None) -> list[object]:
            query: dict[str, str | int] = {
                "status": status,
                "limit": ORDERS_PER_PAGE,
                "direction": "asc",
                "nested": str(nested).lower(),
            }
            if after is not None:
                query["after"] = _precise(after)
            return self.get(Host.TRADING, "/v2/orders", query, list)

        rows, is_whole = read_pages(fetch, after, size=ORDERS_PER_PAGE)
        return rows if is_whole else [*rows, CUT_SHORT]

    def order(self, order_id: str) -> Json:
        """Return `/v2/orders/{order_id}` with legs nested."""
        path = f"/v2/orders/{quote(order_id, safe='')}"
        return self.get(Host.TRADING, path, {"nested": "true"}, dict)

    def fill_pages(self, after: dt.datetime) -> Iterator[list[object]]:
        """Yield the pages of executions in `/v2/account/activities` since a time, oldest first.

        If a full page leaves nothing to continue from, a page of `CUT_SHORT` follows it.
        """
        return self._activity_pages({"activity_types": "FILL"}, after)

    def non_trade_pages(self, after: dt.datetime) -> Iterator[list[object]]:
        """Yield the pages of all activities except executions, in the same way as `fill_pages`."""
        return self._activity_pages({"category": "non_trade_activity"}, after)

    def _activity_pages(self, chosen: Mapping[str, str], after: dt.datetime) -> Iterator[list[object]]:
        token: str | None = None
        for _ in range(_MOST_PAGES):
            query: dict[str, str | int] = {
                **chosen,
                "after": _whole_seconds(after),
                "direction": "asc",
                "page_size": ACTIVITIES_PER_PAGE,
            }
            if token is not None:
                query["page_token"] = token
            page = self.get(Host.TRADING, "/v2/account/activities", query, list)
            yield page
            # Continue from the last row with an id, because an unreadable row must not end the pages.
            ids = [row["id"] for row in page if isinstance(row, dict) and isinstance(row.get("id"), str)]
            if not ids or ids[-1] == token:
                if len(page) < ACTIVITIES_PER_PAGE:
                    return
                break
            token = ids[-1]  # even of a short page, which is not documented to be the last
        yield [CUT_SHORT]

    def option_contract(self, symbol: str) -> Json:
        """Return `/v2/options/contracts/{symbol}`: `multiplier`, `size`, deliverables."""
        return self.get(Host.TRADING, f"/v2/options/contracts/{quote(symbol, safe='')}", {}, dict)

    # The data host

    def _get_data(self, path: str, query: Query) -> Json:
        return self.get(Host.DATA, path, query, dict)

    def option_snapshots(self, symbols: Sequence[str], feed: str) -> Json:
        """Return `/v1beta1/options/snapshots` by contract, 100 per call, without refused contracts."""
        path = "/v1beta1/options/snapshots"
        return self._chunks.fetch(path, symbols, lambda some: self._option_snapshots(path, some, feed))

    def _option_snapshots(self, path: str, symbols: Sequence[str], feed: str) -> Json:
        query: Query = {"symbols": ",".join(symbols), "feed": feed, "limit": SYMBOLS_PER_CALL}
        found: Json = {}
        for part in read_data_pages(self._get_data, path, query, "snapshots"):
            found |= part
        return found

    def stock_snapshots(self, symbols: Sequence[str], feed: str) -> Json:
        """Return `/v2/stocks/snapshots` by symbol, 100 per call, without refused symbols."""
        path = "/v2/stocks/snapshots"

        def fetch(some: Sequence[str]) -> Json:
            return self._get_data(path, {"symbols": ",".join(some), "feed": feed})

        return self._chunks.fetch(path, symbols, fetch)

    def daily_bars(
        self, symbols: Sequence[str], start: dt.date, end: dt.date, *, adjusted: bool = True
    ) -> Json:
        """Return the daily bars of `/v2/stocks/bars` by symbol, from one date to another, inclusive.

        Prices are adjusted for splits and dividends if `adjusted` is true, else as traded on the day.
        """
        path = "/v2/stocks/bars"
        adjustment = "all" if adjusted else "raw"
        return self._chunks.fetch(
            path, symbols, lambda some: self._daily_bars(path, some, start, end, adjustment)
        )

    def _daily_bars(
        self, path: str, symbols: Sequence[str], start: dt.date, end: dt.date, adjustment: str
    ) -> Json:
        query: Query = {
            "symbols": ",".join(symbols),
            "timeframe": "1Day",
            "adjustment": adjustment,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "limit": _MOST_BARS,
        }
        found: dict[str, list[object]] = {}
        for bars in read_data_pages(self._get_data, path, query, "bars"):
            for symbol, rows in bars.items():
                found.setdefault(symbol, []).extend(rows if isinstance(rows, list) else [])
        return dict(found)

    def index_values(self, symbols: Sequence[str]) -> Json:
        """Return `/v1beta1/indices/latest/values` by index: `{"t": …, "v": …}`."""
        path = "/v1beta1/indices/latest/values"

        def fetch(some: Sequence[str]) -> Json:
            return part_of(self._get_data(path, {"symbols": ",".join(some)}), "values", path)

        return self._chunks.fetch(path, symbols, fetch)

    def splits(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> list[object]:
        """Return splits, stock dividends, spin-offs and rights with an ex-date from `start` to `end`."""
        splits = ("forward_split", "reverse_split", "unit_split")
        types = (*splits, "stock_dividend", "spin_off", "rights_distribution")
        return self._corporate_actions(types, symbols, start, end)

    def dividends(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> list[object]:
        """Return the cash dividends of `/v1/corporate-actions` with an ex-date from `start` to `end`."""
        return self._corporate_actions(("cash_dividend",), symbols, start, end)

    def _corporate_actions(
        self, types: Sequence[str], symbols: Sequence[str], start: dt.date, end: dt.date
    ) -> list[object]:
        query: Query = {
            "symbols": ",".join(symbols),
            "types": ",".join(types),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "limit": _MOST_ACTIONS,
        }
        path = "/v1/corporate-actions"
        found: list[object] = []
        for actions in read_data_pages(self._get_data, path, query, "corporate_actions"):
            for kind in (f"{each}s" for each in types):
                rows = actions.get(kind) or []
                if not isinstance(rows, list):
                    raise AlpacaRestError(path, "the answer has an unexpected form")
                found += rows
        return found

    @cached_property
    def _open_order_groups(self) -> OpenOrderGroups:
        """The finder of the orders that open legs belong to."""
        return OpenOrderGroups(
            list_flat=lambda: self._list_orders(None, "open", nested=False),
            fetch=self.order,
            list_near=self._orders_near,
        )

    def _orders_near(self, symbol: str, at: dt.datetime) -> list[object]:
        """Return the orders of a symbol that were submitted within a second of a time, legs nested."""
        query: dict[str, str | int] = {
            "status": "all",
            "symbols": symbol,
            "after": _precise(at - _SECOND),
            "until": _precise(at + _SECOND),
            "limit": ORDERS_PER_PAGE,
            "nested": "true",
        }
        return self.get(Host.TRADING, "/v2/orders", query, list)


def _precise(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _whole_seconds(at: dt.datetime) -> str:
    """Format a time for the activities route, a second earlier because its `after` is exclusive."""
    return (at.astimezone(dt.UTC) - _SECOND).strftime("%Y-%m-%dT%H:%M:%SZ")
