"""Trading REST that is about no account: clocks, calendars and contracts.

Field names: schemas `legacy_clock`, `clock`, `legacy_calendar_day`, `calendar_day` and `OptionContract` of
Alpaca's Trading API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from options_helper.simulator.account.orders import asset_id
from options_helper.simulator.market.contracts import Contract, contract_symbol, parse_contract, root_of
from options_helper.simulator.market.mid_session import NEW_YORK, TradingDay
from options_helper.simulator.rest.application import RestError, read_count
from options_helper.simulator.world import World

JsonObject = dict[str, Any]

_MARKETS = {
    "OPRA": "Options Price Reporting Authority",
    "NYSE": "New York Stock Exchange",
    "NASDAQ": "Nasdaq Stock Market",
    "IEX": "Investors Exchange",
}
_FRIDAY = 4
_CHAIN_WEEKS, _CHAIN_STRIKES = 12, 12
_MOST_CONTRACTS = 10_000


def clock(world: World, _path: Mapping[str, str], _query: Mapping[str, str]) -> object:
    """`/v2/clock`: always open."""
    now = dt.datetime.now(dt.UTC)
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": True,
        "next_open": world.session.next_open(now).isoformat(),
        "next_close": world.session.next_close(now).isoformat(),
    }


def _market(acronym: str) -> JsonObject:
    if acronym not in _MARKETS:
        raise RestError(400, f"invalid market: {acronym}")
    return {"acronym": acronym, "name": _MARKETS[acronym], "timezone": "America/New_York"}


def market_clocks(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v3/clock?markets=`: always in the core phase."""
    now = dt.datetime.now(dt.UTC)
    close = world.session.next_close(now).isoformat()
    names = [name for name in query.get("markets", "NYSE").split(",") if name]
    return {
        "clocks": [
            {
                "market": _market(name),
                "timestamp": now.astimezone(NEW_YORK).isoformat(),
                "is_market_day": True,
                "next_market_open": world.session.next_open(now).isoformat(),
                "next_market_close": close,
                "phase": "core",
                "phase_until": close,
            }
            for name in names
        ]
    }


def _span(world: World, query: Mapping[str, str], default_days: int) -> list[TradingDay]:
    now = dt.datetime.now(dt.UTC)
    try:
        first = dt.date.fromisoformat(query.get("start", world.session.today(now).isoformat())[:10])
        last = (
            dt.date.fromisoformat(query["end"][:10])
            if "end" in query
            else first + dt.timedelta(days=default_days)
        )
    except ValueError as error:
        raise RestError(400, "start and end are dates") from error
    return world.session.days(first, last, now)


def calendar(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/calendar`: times without a zone are New York's."""
    return [
        {
            "date": day.date.isoformat(),
            "open": f"{day.open:%H:%M}",
            "close": f"{day.close:%H:%M}",
            "session_open": f"{day.early:%H%M}",
            "session_close": f"{day.late:%H%M}",
            "settlement_date": world.session.settlement(day.date).isoformat(),
        }
        for day in _span(world, query, 365)
    ]


def market_calendar(world: World, path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v3/calendar/{market}`."""
    market = _market(path["market"])

    def at(day: TradingDay, time: dt.time) -> str:
        return dt.datetime.combine(day.date, time, NEW_YORK).isoformat()

    return {
        "market": market,
        "calendar": [
            {
                "date": day.date.isoformat(),
                "pre_start": at(day, day.early),
                "pre_end": at(day, day.open),
                "core_start": at(day, day.open),
                "core_end": at(day, day.close),
                "post_start": at(day, day.close),
                "post_end": at(day, day.late),
                "settlement_date": world.session.settlement(day.date).isoformat(),
            }
            for day in _span(world, query, 7)
        ],
    }


def contract(world: World, path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/options/contracts/{symbol_or_id}`: any well-formed symbol exists."""
    parsed = parse_contract(path["symbol"])
    if parsed is None:
        raise RestError(404, f"option contract {path['symbol']} not found", 40410000)
    return _contract_row(world, parsed, deliverables=query.get("show_deliverables") == "true")


def contracts(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/options/contracts`: weekly chains around the price; by default those of the coming weekend."""
    limit = read_count(query, "limit", 100, _MOST_CONTRACTS)
    today = world.market.today
    latest = today + dt.timedelta(days=(6 - today.weekday()) or 7)
    first = query.get("expiration_date", query.get("expiration_date_gte", today.isoformat()))
    last = query.get("expiration_date", query.get("expiration_date_lte"))
    if last is None:
        last = "9999-12-31" if "expiration_date_gte" in query else latest.isoformat()
    try:
        offset = int(query.get("page_token", 0))
    except ValueError as error:
        raise RestError(400, "invalid page_token") from error
    found = [
        one
        for underlying in query.get("underlying_symbols", "AAPL").split(",")
        for one in _chain(world, underlying)
        if first <= one.expiry.isoformat() <= last and _is_wanted(one, query)
    ]
    rest = len(found) > offset + limit
    return {
        "option_contracts": [
            _contract_row(world, one, deliverables=query.get("show_deliverables") == "true")
            for one in found[offset : offset + limit]
        ],
        "next_page_token": str(offset + limit) if rest else None,
    }


def _is_wanted(one: Contract, query: Mapping[str, str]) -> bool:
    kind = "call" if one.is_call else "put"
    return (
        query.get("type", kind) == kind
        and query.get("root_symbol", one.root) == one.root
        and float(query.get("strike_price_gte", 0)) <= one.strike <= float(query.get("strike_price_lte", 1e9))
    )


def _chain(world: World, underlying: str) -> Iterator[Contract]:
    close = world.market.previous_close(underlying)
    step = next((size for size in (1.0, 2.5, 5.0, 10.0, 25.0) if close / size < 100), 50.0)  # noqa: PLR2004 - about a hundred steps to the price
    middle = round(close / step)
    today = world.market.today
    friday = today + dt.timedelta(days=(_FRIDAY - today.weekday()) % 7)
    for week in range(_CHAIN_WEEKS):
        for number in range(middle - _CHAIN_STRIKES, middle + _CHAIN_STRIKES + 1):
            for kind in ("call", "put"):
                expiry = friday + dt.timedelta(weeks=week)
                parsed = parse_contract(contract_symbol(root_of(underlying), expiry, kind, number * step))
                if parsed is not None:
                    yield parsed


def _contract_row(world: World, one: Contract, *, deliverables: bool) -> JsonObject:
    kind = "call" if one.is_call else "put"
    active = one.expiry >= world.market.today
    close = world.market.previous_option_close(one)
    before = world.session.previous_day(dt.datetime.now(dt.UTC)).isoformat()
    row: JsonObject = {
        "id": asset_id(one.symbol),
        "symbol": one.symbol,
        "name": f"{one.underlying} {one.expiry:%b %d %Y} {one.strike:g} {kind.capitalize()}",
        "status": "active" if active else "inactive",
        "tradable": active and not one.adjusted,
        "expiration_date": one.expiry.isoformat(),
        "root_symbol": one.root,
        "underlying_symbol": one.underlying,
        "underlying_asset_id": asset_id(one.underlying),
        "type": kind,
        "style": "european" if one.european else "american",
        "strike_price": f"{one.strike:g}",
        "multiplier": "100",
        "size": "150" if one.adjusted else "100",
        "open_interest": str(int(5000 * world.market.chance(one.symbol, "interest"))),
        "open_interest_date": before,
    }
    if close is not None:
        row |= {"close_price": f"{close:g}", "close_price_date": before}
    if deliverables:
        row["deliverables"] = [_deliverable(one)]
    return row


def _deliverable(one: Contract) -> JsonObject:
    return {
        "type": "equity",
        "symbol": one.underlying,
        "asset_id": asset_id(one.underlying),
        "amount": "150" if one.adjusted else "100",
        "allocation_percentage": "100",
        "settlement_type": "T+1",
        "settlement_method": "CCC",
        "delayed_settlement": False,
    }
