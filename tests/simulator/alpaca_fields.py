"""The fields of every frame and REST row that Alpaca sends, written from its own sources.

Sources: [S] "Real-time Stock Data", [O] "Real-time Option Data", [W] "WebSocket Stream" and [T] "Websocket
Streaming" of docs.alpaca.markets; [M] alpaca-py 0.44's models and mappings; [D] Market Data API 1.1 and [A]
Trading API 2.0.1, Alpaca's OpenAPI files as published in alpacahq/alpaca-mcp-server at 88722ce.

A list maps a field's name, with a question mark if it is optional, to the check of its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgpack

Check = Callable[[Any], bool]
Fields = dict[str, Check]


def is_a(*kinds: type) -> Check:
    """Return a check for a value of one of these types; a bool is not an int."""
    return lambda value: isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)


def matches(pattern: str) -> Check:
    """Return a check for text of this form."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def or_null(check: Check) -> Check:
    """Return a check that also accepts None."""
    return lambda value: value is None or check(value)


def one_of(*values: object) -> Check:
    """Return a check for one of these values."""
    return lambda value: value in values


def rows_of(fields: Fields) -> Check:
    """Return a check for a list of rows with these fields."""
    return lambda value: isinstance(value, list) and all(find_fault(row, fields) == "" for row in value)


def row_of(fields: Fields) -> Check:
    """Return a check for a row with these fields."""
    return lambda value: isinstance(value, dict) and find_fault(value, fields) == ""


def by_symbol(fields: Fields) -> Check:
    """Return a check for rows with these fields, by symbol."""
    return lambda value: isinstance(value, dict) and all(map(row_of(fields), value.values()))


def is_uuid(value: Any) -> bool:
    """Return whether a value is a UUID in its usual spelling."""
    return isinstance(value, str) and str(UUID(value)) == value


text, flag, integer = is_a(str), is_a(bool), is_a(int)
price = is_a(float, int)
decimal = matches(r"-?\d+(\.\d{1,9})?")
quantity = matches(r"\d+(\.\d{1,9})?")
day = matches(r"\d{4}-\d\d-\d\d")
moment = matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
exchange = matches(r"[A-Z]?")
flags: Check = lambda value: isinstance(value, list) and all(map(is_a(str), value))  # noqa: E731
packed_time = is_a(msgpack.Timestamp)

# [S] trades and quotes; [D] stock_trade, stock_quote. `T` and `S` are of the stream alone.
STOCK_TRADE: Fields = {"i": integer, "x": exchange, "p": price, "s": integer, "c": flags, "z": exchange}
STOCK_QUOTE: Fields = {
    "ax": exchange,
    "ap": price,
    "as": integer,
    "bx": exchange,
    "bp": price,
    "bs": integer,
    "c": flags,
    "z": exchange,
}
# [O] trades and quotes; [D] option_trade, option_quote: the condition is one string, there is no tape.
OPTION_TRADE: Fields = {"x": exchange, "p": price, "s": integer, "c": text}
OPTION_QUOTE: Fields = {
    "ax": exchange,
    "ap": price,
    "as": integer,
    "bx": exchange,
    "bp": price,
    "bs": integer,
    "c": text,
}
# [S] statuses; [M] TRADING_STATUS_MAPPING.
STATUS: Fields = {"sc": text, "sm": text, "rc": text, "rm": text, "z": exchange}
# [W] control messages; their codes are those of its table of errors.
SUCCESS: Fields = {"T": one_of("success"), "msg": one_of("connected", "authenticated")}
ERROR: Fields = {"T": one_of("error"), "code": one_of(*range(400, 414), 500), "msg": text}
OPTION_ACK: Fields = {"T": one_of("subscription"), "trades": flags, "quotes": flags}
STOCK_ACK: Fields = OPTION_ACK | dict.fromkeys(
    ("bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors"), flags
)

# [D] stock_bar, option_bar.
BAR: Fields = {
    "t": moment,
    "o": price,
    "h": price,
    "l": price,
    "c": price,
    "v": integer,
    "n": integer,
    "vw": price,
}
# [D] option_greeks, option_snapshot, stock_snapshot; every part of a snapshot is optional.
GREEKS: Fields = dict.fromkeys(("delta", "gamma", "theta", "vega", "rho"), price)
OPTION_SNAPSHOT: Fields = {
    "latestTrade?": row_of(OPTION_TRADE | {"t": moment}),
    "latestQuote?": row_of(OPTION_QUOTE | {"t": moment}),
    "impliedVolatility?": price,
    "greeks?": row_of(GREEKS),
    "minuteBar?": row_of(BAR),
    "dailyBar?": row_of(BAR),
    "prevDailyBar?": row_of(BAR),
}
STOCK_SNAPSHOT: Fields = {
    "latestTrade?": row_of(STOCK_TRADE | {"t": moment}),
    "latestQuote?": row_of(STOCK_QUOTE | {"t": moment}),
    "minuteBar?": row_of(BAR),
    "dailyBar?": row_of(BAR),
    "prevDailyBar?": row_of(BAR),
}

# [A] OrderStatus, PositionIntent, AssetClass.
order_status = one_of(
    "new",
    "partially_filled",
    "filled",
    "done_for_day",
    "canceled",
    "expired",
    "replaced",
    "pending_cancel",
    "pending_replace",
    "accepted",
    "pending_new",
    "accepted_for_bidding",
    "stopped",
    "rejected",
    "suspended",
    "calculated",
    "held",
)
intent = one_of("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
# [A] schema Order, and the examples OptionOrderResponse and MultilegOptionsOrderResponse for what is null
# and what is an empty string; `source`, `subtag` and `expires_at` of the examples are not sent here.
ORDER: Fields = {
    "id": is_uuid,
    "client_order_id": text,
    **dict.fromkeys(("created_at", "updated_at", "submitted_at"), moment),
    **dict.fromkeys(("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at"), or_null(moment)),
    "replaced_by": or_null(is_uuid),
    "replaces": or_null(is_uuid),
    "asset_id": is_uuid,
    "symbol": matches(r"[A-Z.]+[A-Z0-9]*"),
    "asset_class": one_of("us_equity", "us_option"),
    "notional": one_of(None),
    "qty": quantity,
    "filled_qty": quantity,
    "filled_avg_price": or_null(decimal),
    "order_class": one_of("simple"),
    "order_type": one_of("market", "limit"),
    "type": one_of("market", "limit"),
    "side": one_of("buy", "sell"),
    "position_intent": intent,
    "time_in_force": one_of("day"),
    "limit_price": or_null(decimal),
    "stop_price": one_of(None),
    "status": order_status,
    "extended_hours": flag,
    "legs": one_of(None),
    "trail_percent": one_of(None),
    "trail_price": one_of(None),
    "hwm": one_of(None),
}
LEG: Fields = ORDER | {
    "order_class": one_of("mleg"),
    "type": one_of(""),
    "order_type": one_of(""),
    "limit_price": one_of(None),
    "ratio_qty": matches(r"\d+"),
}
_EMPTY = dict.fromkeys(("asset_id", "symbol", "asset_class", "side", "position_intent"), one_of(""))
PARENT: Fields = ORDER | _EMPTY | {"order_class": one_of("mleg"), "legs": rows_of(LEG)}
STREAM_PARENT: Fields = PARENT | {"side": one_of("buy")}
FLAT_PARENT: Fields = PARENT | {"legs": one_of(None)}
# [M] OrderClass, OrderType; "Placing Orders" of docs.alpaca.markets, Bracket Orders: two held orders of the
# other side, the profit's limit and the loss's stop, each a whole order. The demo places no such order.
BRACKET_LEG: Fields = ORDER | {
    "order_class": one_of("bracket"),
    "type": one_of("limit", "stop", "stop_limit"),
    "order_type": one_of("limit", "stop", "stop_limit"),
    "stop_price": or_null(decimal),
}
BRACKET: Fields = ORDER | {"order_class": one_of("bracket"), "legs": rows_of(BRACKET_LEG)}

# [T] trade_updates; [M] TradeUpdate. Fills carry four fields more. A bust or a correction names what it
# changes in `previous_execution_id`, and a reason comes with canceled and trade_bust: Alpaca's Broker API
# documents both for the same events; that the trading stream has them too is an assumption.
UPDATE: Fields = {
    "event": one_of("pending_new", "new", "canceled", "expired", "replaced", "rejected", "pending_cancel"),
    "timestamp": moment,
    "reason?": text,
    "execution_id?": is_uuid,  # of a single order's "new", as recorded
}
FILL: Fields = {
    "event": one_of("fill", "partial_fill"),
    "timestamp": moment,
    "price": decimal,
    "qty": quantity,
}
# [T] one execution of a single order, or one of each leg of a multi-leg order.
SINGLE_FILL: Fields = FILL | {"execution_id": is_uuid, "position_qty": decimal}
LEG_FILL: Fields = {
    "execution_id": is_uuid,
    "order_id": is_uuid,
    "price": decimal,
    "qty": quantity,
    "symbol": text,
    "timestamp": moment,
}
MULTILEG_FILL: Fields = FILL | {
    "legs": rows_of(LEG_FILL),
    "position_qtys": lambda value: isinstance(value, dict) and all(map(decimal, value.values())),
}
PAST: Fields = {
    "event": one_of("trade_bust", "trade_correct"),
    "timestamp": moment,
    "execution_id": is_uuid,
    "previous_execution_id": is_uuid,
    "price": decimal,
    "qty": decimal,
    "position_qty": decimal,
    "reason?": text,
}

# [A] TradingActivities: neither an execution id nor anything else of the stream.
ACTIVITY: Fields = {
    "activity_type": one_of("FILL"),
    "id": matches(r"\d{17}::[0-9a-f-]{36}"),
    "cum_qty": quantity,
    "leaves_qty": quantity,
    "order_id": is_uuid,
    "order_status": order_status,
    "price": decimal,
    "qty": quantity,
    "side": one_of("buy", "sell", "sell_short"),
    "symbol": text,
    "transaction_time": moment,
    "type": one_of("fill", "partial_fill"),
}
# "Options Trading Overview" of docs.alpaca.markets.
EVENT: Fields = {
    "activity_type": one_of("OPASN", "OPEXC", "OPEXP", "OPTRD"),
    "id": matches(r"\d{8}0{9}::[0-9a-f-]{36}"),
    "date": day,
    "net_amount": decimal,
    "description": text,
    "symbol": text,
    "qty": decimal,
    "status": one_of("executed"),
    "price?": decimal,
    "group_id?": is_uuid,
}
# [A] Position.
POSITION: Fields = {
    "asset_id": is_uuid,
    "symbol": text,
    "exchange": one_of("AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC", ""),
    "asset_class": one_of("us_equity", "us_option"),
    "asset_marginable": flag,
    "side": one_of("long", "short"),
    **dict.fromkeys(
        (
            "avg_entry_price",
            "qty",
            "qty_available",
            "market_value",
            "cost_basis",
            "unrealized_pl",
            "unrealized_plpc",
            "unrealized_intraday_pl",
            "unrealized_intraday_plpc",
            "current_price",
            "lastday_price",
            "change_today",
        ),
        decimal,
    ),
}
# [A] Account, without the fields that are deprecated or of other products.
ACCOUNT: Fields = {
    "id": is_uuid,
    "account_number": text,
    "status": one_of("ACTIVE"),
    "currency": one_of("USD"),
    "balance_asof": day,
    "created_at": moment,
    "options_approved_level": one_of(0, 1, 2, 3),
    "options_trading_level": one_of(0, 1, 2, 3),
    **dict.fromkeys(
        (
            "account_blocked",
            "trading_blocked",
            "transfers_blocked",
            "trade_suspended_by_user",
            "shorting_enabled",
        ),
        flag,
    ),
    **dict.fromkeys(
        (
            "cash",
            "portfolio_value",
            "equity",
            "last_equity",
            "long_market_value",
            "short_market_value",
            "initial_margin",
            "maintenance_margin",
            "last_maintenance_margin",
            "buying_power",
            "options_buying_power",
            "non_marginable_buying_power",
            "regt_buying_power",
            "multiplier",
            "sma",
            "accrued_fees",
        ),
        decimal,
    ),
}
# [A] legacy_clock; legacy_calendar_day.
CLOCK: Fields = {"timestamp": moment, "is_open": flag, "next_open": moment, "next_close": moment}
CALENDAR_DAY: Fields = {
    "date": day,
    "open": matches(r"\d\d:\d\d"),
    "close": matches(r"\d\d:\d\d"),
    "session_open": matches(r"\d{4}"),
    "session_close": matches(r"\d{4}"),
    "settlement_date": day,
}
# [A] OptionContract, OptionDeliverable.
DELIVERABLE: Fields = {
    "type": one_of("cash", "equity"),
    "symbol": text,
    "asset_id": is_uuid,
    "amount": decimal,
    "allocation_percentage": decimal,
    "settlement_type": matches(r"T\+[0-5]"),
    "settlement_method": one_of("BTOB", "CADF", "CAFX", "CCC"),
    "delayed_settlement": flag,
}
CONTRACT: Fields = {
    "id": is_uuid,
    "symbol": text,
    "name": text,
    "status": one_of("active", "inactive"),
    "tradable": flag,
    "expiration_date": day,
    "root_symbol?": text,
    "underlying_symbol": text,
    "underlying_asset_id": is_uuid,
    "type": one_of("call", "put"),
    "style": one_of("american", "european"),
    "strike_price": decimal,
    "multiplier": decimal,
    "size": decimal,
    "open_interest?": decimal,
    "open_interest_date?": day,
    "close_price?": decimal,
    "close_price_date?": day,
    "deliverables?": rows_of(DELIVERABLE),
}


def find_fault(row: dict[str, Any], fields: Fields) -> str:
    """Return a row's fault, or "": a field too many, one missing, or a value of the wrong kind."""
    names = {name.rstrip("?"): name for name in fields}
    for name, value in row.items():
        if name not in names:
            return f"{name} is not sent by Alpaca"
        if not fields[names[name]](value):
            return f"{name} is {value!r}"
    missing = [name for name in fields if not name.endswith("?") and name not in row]
    return f"{missing} missing" if missing else ""
