"""The market data API's routes: snapshots, daily bars, corporate actions and index values.

Field names: schemas of Alpaca's Market Data API (`option_snapshot`, `stock_snapshot`, `index_value`, …).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from options_helper.simulator.market.contracts import Contract, is_stock_symbol, parse_contract
from options_helper.simulator.market.market import is_index
from options_helper.simulator.market.messages import without_type
from options_helper.simulator.market.mid_session import NEW_YORK
from options_helper.simulator.rest.application import RestError, read_symbols
from options_helper.simulator.wire import JsonObject, Nanoseconds
from options_helper.simulator.world import World

_MOST_OPTION_SYMBOLS = 100
_SATURDAY = 5
_BELL = NormalDist()
_ROOT_OF_YEAR = 16  # of about 256 trading days
_OWN_SHARE, _OWN_SHARE_OF_MARKET = 0.7, 0.2  # the stock's own part of a day's move
_GREEKS = ("delta", "gamma", "theta", "vega", "rho")
_DEEP, _FAR = 0.985, 0.008
_SHARE_WITHOUT_GREEKS = 0.03
_SHARE_WITH_OLD_CLOSE = 0.04


def _check_feed(world: World, query: Mapping[str, str], known: set[str]) -> None:
    feed = query.get("feed")
    if feed is not None and feed not in known:
        raise RestError(400, f"invalid feed: {feed}")
    if feed is not None and feed not in world.plan.feeds:
        raise RestError(403, f"subscription does not permit querying {feed} data")


def _option_symbols(world: World, query: Mapping[str, str]) -> list[Contract]:
    _check_feed(world, query, {"opra", "indicative"})
    contracts = []
    for symbol in read_symbols(query, _MOST_OPTION_SYMBOLS):
        contract = parse_contract(symbol)
        if contract is None:
            raise RestError(400, f"invalid symbol: {symbol}")
        contracts.append(contract)
    return contracts


def _stock_symbols(world: World, query: Mapping[str, str]) -> list[str]:
    _check_feed(world, query, {"iex", "sip", "delayed_sip", "boats", "overnight"})
    symbols = read_symbols(query)
    for symbol in symbols:
        if not is_stock_symbol(symbol):
            raise RestError(400, f"invalid symbol: {symbol}")
    return [symbol for symbol in symbols if not is_index(symbol)]


def option_snapshots(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v1beta1/options/snapshots`; expired contracts are left out."""
    rows = {one.symbol: _option_snapshot(world, one) for one in _option_symbols(world, query)}
    return {"snapshots": {symbol: row for symbol, row in rows.items() if row}, "next_page_token": None}


def _option_snapshot(world: World, contract: Contract) -> JsonObject | None:
    quote = world.tape.latest_quote(contract.symbol)
    value = world.market.option_value(contract)
    if quote is None or value is None:
        return None
    row: JsonObject = {"latestQuote": without_type(quote)}
    previous = world.market.previous_option_close(contract)
    if not world.market.is_quiet(contract.symbol):
        trade = world.tape.latest_trade(contract.symbol)
        price = None if trade is None else float(trade["p"])
        row["latestTrade"] = None if trade is None else without_type(trade)
        if price is not None and previous is not None:
            row |= _today_bars(world, contract.symbol, previous, price)
    if previous is not None:
        older = world.market.chance(contract.symbol, "old close") < _SHARE_WITH_OLD_CLOSE
        row["prevDailyBar"] = _previous_bar(world, contract.symbol, previous, back=2 if older else 1)
    if contract.expiry <= world.market.today:
        # On the last day, Alpaca computes no Greeks; it sends five zeros and no volatility.
        row["greeks"] = dict.fromkeys(_GREEKS, 0)
    elif _has_greeks(world, contract, value.delta):
        years = max((contract.expiry - world.market.today).days, 1) / 365
        row["impliedVolatility"] = round(world.market.implied_volatility(contract, years), 6)
        row["greeks"] = {name: round(getattr(value, name), 6) for name in _GREEKS}
    return row


def _has_greeks(world: World, contract: Contract, delta: float) -> bool:
    lost = world.market.chance(contract.symbol, "no greeks") < _SHARE_WITHOUT_GREEKS
    return not lost and _FAR < abs(delta) < _DEEP


def stock_snapshots(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/stocks/snapshots`, by symbol at the top level."""
    return {symbol: _stock_snapshot(world, symbol) for symbol in _stock_symbols(world, query)}


def _stock_snapshot(world: World, symbol: str) -> JsonObject:
    trade, quote = world.tape.latest_trade(symbol), world.tape.latest_quote(symbol)
    previous = world.market.previous_close(symbol)
    price = previous if trade is None else float(trade["p"])
    return {
        "latestTrade": None if trade is None else without_type(trade),
        "latestQuote": None if quote is None else without_type(quote),
        **_today_bars(world, symbol, previous, price),
        "prevDailyBar": _previous_bar(world, symbol, previous * _split_since(world, symbol), back=1),
    }


def _split_since(world: World, symbol: str) -> float:
    """Return the ratio of the stock's splits since its previous bar, which is not adjusted for them."""
    before = world.session.previous_day(dt.datetime.now(dt.UTC)).isoformat()
    own = [one for one in world.splits if one["symbol"] == symbol and str(one["ex_date"]) > before]
    return math.prod(float(str(one["new_rate"])) / float(str(one["old_rate"])) for one in own)


def _today_bars(world: World, symbol: str, previous: float, price: float) -> JsonObject:
    now = dt.datetime.now(dt.UTC)
    minute = now.replace(second=0, microsecond=0)
    opened = round(previous * (0.995 + 0.01 * world.market.chance(symbol, "open")), 2)
    volume = 10 + int(5000 * world.market.chance(symbol, "volume") ** 2)
    return {
        "minuteBar": _bar(minute, price, price, max(1, volume // 390)),
        "dailyBar": _bar(_midnight(world.session.today(now)), opened, price, volume),
    }


def _previous_bar(world: World, symbol: str, close: float, *, back: int) -> JsonObject:
    now = dt.datetime.now(dt.UTC)
    volume = 10 + int(6000 * world.market.chance(symbol, "previous volume") ** 2)
    opened = max(round(close * (0.99 + 0.02 * world.market.chance(symbol, "previous open")), 2), 0.01)
    return _bar(_midnight(world.session.previous_day(now, back)), opened, close, volume)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(0, 0), NEW_YORK).astimezone(dt.UTC)


def _bar(at: dt.datetime, opened: float, close: float, volume: int) -> JsonObject:
    return {
        "t": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "o": opened,
        "h": max(opened, close),
        "l": min(opened, close),
        "c": close,
        "v": volume,
        "n": max(1, volume // 7),
        "vw": round((opened + close) / 2, 6),
    }


def daily_bars(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v2/stocks/bars`: one bar per weekday of a span, the last with yesterday's close, all on one page."""
    start, end = (dt.date.fromisoformat(query[name]) for name in ("start", "end"))
    span = ((end - dt.timedelta(days=back)) for back in range((end - start).days + 1))
    days = [day for day in span if day.weekday() < _SATURDAY]
    bars = {symbol: _bars_back(world, symbol, days) for symbol in _stock_symbols(world, query)}
    return {"bars": bars, "next_page_token": None}


def _bars_back(world: World, symbol: str, days: Sequence[dt.date]) -> list[JsonObject]:
    """Return a random walk backwards from yesterday's close; about half of each move is the market's."""
    price, volatility = world.market.base(symbol)
    rows = []
    for day in days:
        at = dt.datetime(day.year, day.month, day.day, 5, tzinfo=dt.UTC)
        rows.append(_bar(at, price, price, 1000))
        moves = [_BELL.inv_cdf(world.market.chance(who, "bar", day.toordinal())) for who in ("", symbol)]
        own = _OWN_SHARE_OF_MARKET if symbol == "SPY" else _OWN_SHARE
        price /= math.exp(volatility / _ROOT_OF_YEAR * (math.sqrt(1 - own**2) * moves[0] + own * moves[1]))
    return rows[::-1]


def corporate_actions(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v1/corporate-actions`: the splits and cash dividends that a test or the demo has declared."""
    symbols = set(read_symbols(query))
    wanted = [split for split in world.splits if split["symbol"] in symbols and _is_in_span(split, query)]
    actions: dict[str, list[JsonObject]] = {}
    for split in wanted:
        grows = float(str(split["new_rate"])) > float(str(split["old_rate"]))
        kind = "forward_splits" if grows else "reverse_splits"
        actions.setdefault(kind, []).append(split)
    types = query.get("types", "").split(",")
    dividends = [row for row in world.dividends if row["symbol"] in symbols and _is_in_span(row, query)]
    if dividends and "cash_dividend" in types:
        actions["cash_dividends"] = dividends
    return {"corporate_actions": actions, "next_page_token": None}


def _is_in_span(split: JsonObject, query: Mapping[str, str]) -> bool:
    return query.get("start", "") <= str(split["ex_date"]) <= query.get("end", "9999")


def index_values(world: World, _path: Mapping[str, str], query: Mapping[str, str]) -> object:
    """`/v1beta1/indices/latest/values`; symbols that are not indices are left out."""
    now = Nanoseconds.now().to_text()
    symbols = [symbol for symbol in read_symbols(query) if is_index(symbol)]
    return {"values": {symbol: {"t": now, "v": round(world.market.spot(symbol), 2)} for symbol in symbols}}
