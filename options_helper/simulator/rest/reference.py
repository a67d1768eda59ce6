"""The trading API's routes without an account: clock, calendar and contracts.

Field names: schemas `legacy_clock`, `legacy_calendar_day` and `OptionContract` of Alpaca's Trading API.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from options_helper.simulator.account.orders import asset_id
from options_helper.simulator.market.contracts import Contract, parse_contract
from options_helper.simulator.market.mid_session import NEW_YORK, TradingDay
from options_helper.simulator.rest.application import RestError
from options_helper.simulator.wire import JsonObject
from options_helper.simulator.world import World


def clock(world: World, _path: Mapping[str, str], _query: Mapping[str, str]) -> object:
    """`/v2/clock`: the simulated market is always open."""
    now = dt.datetime.now(dt.UTC)
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": True,
        "next_open": world.session.next_open(now).isoformat(),
        "next_close": world.session.next_close(now).isoformat(),
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
    """`/v2/calendar`: the times are New York's, without a zone."""
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


def contract(world: World, path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/options/contracts/{symbol_or_id}`: every well-formed symbol exists."""
    parsed = parse_contract(path["symbol"])
    if parsed is None:
        raise RestError(404, f"option contract {path['symbol']} not found", 40410000)
    return _contract_row(world, parsed, deliverables=query.get("show_deliverables") == "true")


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
        "size": "100",  # also for adjusted contracts: only root and deliverables show the adjustment
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
