"""The one list of the tables' columns.

The DataFrames, the positions table in the browser, the CSV files and docs/reference/columns.md are made from
`COLUMNS`. To add a column, add a line here and its formula where the table is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from options_helper.analysis.tables.column import Column, Dtype, Format, Table

_P, _S, _L, _U = Table.POSITIONS, Table.STRUCTURES, Table.LEGS, Table.UNDERLYINGS
_PS, _PL, _SU, _PSL = (_P, _S), (_P, _L), (_S, _U), (_P, _S, _L)
_ALL = (_P, _S, _L, _U)
_F = (Table.FILLS,)
_RL, _RP = (Table.RISK_LEGS,), (Table.RISK_POSITIONS,)
_RU, _RE, _RT = (Table.RISK_UNDERLYINGS,), (Table.RISK_EXPIRIES,), (Table.RISK_TAGS,)
_R, _RS, _RLP = (*_RL, *_RP, *_RU, *_RE, *_RT), (*_RP, *_RU, *_RE, *_RT), (*_RL, *_RP)
_TEXT, _COUNT, _NUMBER, _FLOAT = Dtype.TEXT, Dtype.COUNT, Dtype.NUMBER, Dtype.FLOAT
_CATEGORY, _TIME, _OBJECT, _FLAG = Dtype.CATEGORY, Dtype.TIME, Dtype.OBJECT, Dtype.FLAG
_SHARE, _TOTAL, _FRACTION, _SECONDS = "dollars per share", "dollars", "fraction", "seconds"

# fmt: off
COLUMNS: tuple[Column, ...] = (
    Column("id", _TEXT, _PS, "The position's id in the file."),
    Column("position_id", _TEXT, (_L,), "The id of the leg's structure."),
    Column("leg_index", _NUMBER, (_L,), "The leg's place in the file, from 0."),
    Column("symbol", _TEXT, _PSL, "The symbol as the file writes it."),
    Column("underlying", _TEXT, _ALL, "Alpaca's symbol of the underlying, such as BRK.B."),
    Column("kind", _TEXT, _PSL, "`option` or `stock`; of a structure the kind of strategy."),
    Column("name", _TEXT, (_S,), "The strategy's name."),
    Column("side", _TEXT, (_L,), "`long` or `short`."),
    Column("option_type", _TEXT, _PL, "`call` or `put`."),
    Column("strike", _FLOAT, _PL, "The strike.", _SHARE),
    Column("expiry", _OBJECT, _PSL, "The date in the contract's symbol; of a structure the first one."),
    Column("last_expiry", _OBJECT, (_S,), "The last expiry of the legs."),
    Column("expiry_text", _TEXT, _PSL, "The expiries in words."),
    Column("contracts", _COUNT, _PL, "Contracts as the file writes them."),
    Column("signed_contracts", _COUNT, (_L,), "Contracts, negative for a short leg."),
    Column("contract_symbol", _TEXT, _PL, "Alpaca's symbol of the contract."),
    Column("quote_symbol", _TEXT, _PL, "The symbol whose quote prices the row."),
    Column("quantity", _FLOAT, _PL, "Contracts, shares, or units of a structure; negative is short",
           field="qty", label="Qty", format=Format.QUANTITY),
    Column("units", _NUMBER, (_S,), "How many times the structure is held.", field="qty"),
    Column("legs", _NUMBER, _SU, "Legs; in sums by underlying, those that count."),
    Column("dte", _COUNT, _PSL,
           "Days to expiry, counted in New York dates; on the last day, how long it trades", "days",
           field="dte", label="DTE", decimals=0),
    Column("hours_left", _FLOAT, _PSL, "Hours until the last trade, on the last day only.", "hours"),
    Column("expires_at", _TIME, _PL, "When the contract expires."),
    Column("multiplier", _FLOAT, _PL, "Dollars per point of one contract; 1 for shares.",
           "dollars per point"),
    Column("cost_basis", _FLOAT, _PS, "What was paid per share or unit; negative is a credit", _SHARE,
           "cost", "Cost", Format.PRICE, optional=True),
    Column("bid", _FLOAT, _ALL, "The highest price a buyer offers", _SHARE, "bid", "Bid", Format.PRICE,
           shown_in=_PSL),
    Column("ask", _FLOAT, _ALL, "The lowest price a seller asks", _SHARE, "ask", "Ask", Format.PRICE,
           shown_in=_PSL),
    Column("bid_size", _FLOAT, _PL, "The size of the bid.", "contracts or shares"),
    Column("ask_size", _FLOAT, _PL, "The size of the ask.", "contracts or shares"),
    Column("last", _FLOAT, (_P, _L, _U), "The last trade.", _SHARE),
    Column("mark", _FLOAT, _PSL, "The value used for P/L: the middle of bid and ask if they can be trusted",
           _SHARE, "mark", "Mark", Format.PRICE),
    Column("mark_method", _CATEGORY, _PL, "How the mark was made."),
    Column("natural", _FLOAT, _PSL,
           "What closing pays now: the bid of what is long, the ask of what is short", _SHARE,
           "natural", "Natural", Format.PRICE),
    Column("net_debit", _FLOAT, (_S,), "What was paid, negative for a credit.", _TOTAL),
    Column("net_mark", _FLOAT, (_S,), "The sum of the legs at their marks.", _TOTAL),
    Column("net_natural", _FLOAT, (_S,), "What closing all legs pays now.", _TOTAL),
    Column("pnl_abs", _FLOAT, (_P,), "Profit or loss since opening, at the mark", _TOTAL,
           "pnl_open", "P/L Open", Format.PNL, toned=True),
    Column("net_pnl_abs", _FLOAT, (_S,), "Profit or loss since opening, at the marks.", _TOTAL, "pnl_open"),
    Column("pnl_pct", _FLOAT, (_P,), "P/L Open as a share of the cost", _FRACTION,
           "pnl_pct", "P/L %", Format.SIGNED_PERCENT, toned=True),
    Column("net_pnl_pct", _FLOAT, (_S,), "P/L Open as a share of the net debit.", _FRACTION, "pnl_pct"),
    Column("pnl_day", _FLOAT, _PSL,
           "Profit or loss since the previous close; lots closed today are not in the file", _TOTAL,
           "pnl_day", "P/L Day", Format.PNL, shown_in=_PS, toned=True),
    Column("pnl_day_pct", _FLOAT, _PS, "P/L Day as a share of the value before it.", _FRACTION),
    Column("return_on_max_risk", _FLOAT, _PS,
           "P/L Open as a share of the most that can be lost at expiry; none if it is unlimited", _FRACTION,
           "risk", "P/L risk", Format.SIGNED_PERCENT, optional=True, toned=True),
    Column("max_profit_pct", _FLOAT, _PS, "P/L Open as a share of the most that can be won at expiry",
           _FRACTION, "of_max", "% of max", Format.SIGNED_PERCENT, optional=True, toned=True),
    Column("days_held", _COUNT, _PS, "Days since it was opened, by the file", "days",
           "days", "Days", decimals=0, optional=True),
    Column("spread_pct", _FLOAT, _PSL, "Ask minus bid, as a share of the middle", _FRACTION,
           "spread", "Spread", Format.PERCENT),
    Column("delta", _FLOAT, _PSL,
           "The vendor's: gain per share if the underlying rises a dollar, signed by position."),
    Column("gamma", _FLOAT, _PSL,
           "The vendor's: change of delta if the underlying rises a dollar, signed by position."),
    Column("theta", _FLOAT, _PSL, "The vendor's: gain per share in a day, signed by position."),
    Column("vega", _FLOAT, _PSL,
           "The vendor's: gain per share if implied volatility rises a point, signed by position."),
    Column("iv", _FLOAT, _PL, "The vendor's implied volatility, which has no sign.", _FRACTION),
    Column("greeks_time", _TIME, _PL, "When the vendor computed the Greeks."),
    Column("net_delta", _FLOAT, (_S,), "Delta of the whole structure, signed by position.", "shares"),
    Column("net_gamma", _FLOAT, (_S,), "Gamma of the whole structure, signed by position."),
    Column("net_theta", _FLOAT, (_S,),
           "Theta of the whole structure, signed by position.", "dollars per day"),
    Column("net_vega", _FLOAT, (_S,), "Vega of the whole structure, signed by position."),
    Column("cost", _FLOAT, (_P, _S, _U), "What was paid minus what was received.", _TOTAL),
    Column("market_value", _FLOAT, _ALL, "The value at the mark, negative for what is owed.", _TOTAL),
    Column("leg_value", _FLOAT, (_L,), "The leg's value at its mark, negative for a short.", _TOTAL),
    Column("natural_value", _FLOAT, _PL, "What closing the row pays now.", _TOTAL),
    Column("width", _FLOAT, (_S,), "The distance of the strikes.", _SHARE),
    Column("max_profit", _FLOAT, (_S,), "The most that can be won at expiry.", _TOTAL),
    Column("max_loss", _FLOAT, _PS, "The most that can be lost at expiry, as a positive figure.", _TOTAL),
    Column("break_evens", _OBJECT, (_S,), "Prices of the underlying at which it breaks even at expiry."),
    Column("missing_legs", _NUMBER, (_S,), "Legs without a mark."),
    Column("legs_with_mark", _TEXT, (_S,), "Coverage in words, such as `1 of 2`."),
    Column("state", _CATEGORY, _ALL, "How far the price can be trusted."),
    Column("source", _CATEGORY, (_P, _L, _U), "The feed that the price came from."),
    Column("quote_age_seconds", _FLOAT, _PL, "The age of the quote.", _SECONDS),
    Column("quote_age_seconds_max", _FLOAT, (_S,), "The age of the oldest quote of its legs.", _SECONDS),
    Column("mark_age_seconds", _FLOAT, _ALL, "The age of what the mark was made from.", _SECONDS),
    Column("lag_seconds", _FLOAT, _PL, "How long after it was made the quote arrived.", _SECONDS),
    Column("quote_time", _TIME, (_P, _L, _U), "When the quote was made."),
    Column("trade_time", _TIME, _PL, "When the last trade was made."),
    Column("previous_close", _FLOAT, (_P, _L, _U), "The last known close before the trading day.", _SHARE),
    Column("previous_close_date", _OBJECT, _PL, "The day of that close."),
    Column("underlying_price", _FLOAT, _PSL, "The mark of the underlying.", _SHARE),
    Column("broker_quantity", _FLOAT, _PL, "The broker's own signed quantity."),
    Column("broker_price", _FLOAT, _PL, "The broker's own price.", _SHARE),
    Column("price", _FLOAT, (_U,), "The mark of the underlying.", _SHARE),
    Column("change", _FLOAT, (_U,), "The price minus the previous close.", _SHARE),
    Column("change_pct", _FLOAT, (_U,), "The change as a share of the previous close.", _FRACTION),
    Column("positions", _NUMBER, (_U,), "Positions on the underlying."),
    Column("legs_with_mark", _NUMBER, (_U,), "Legs that have a mark."),
    Column("coverage", _TEXT, (_U,), "Coverage in words, such as `3 of 4`."),
    Column("open_pnl", _FLOAT, (_U,), "P/L Open of all legs; null unless it covers all.", _TOTAL),
    Column("open_pnl_partial", _FLOAT, (_U,), "P/L Open of what is known.", _TOTAL),
    Column("open_pnl_covered", _NUMBER, (_U,), "How many legs that covers."),
    Column("day_pnl", _FLOAT, (_U,), "P/L Day of all legs; null unless it covers all.", _TOTAL),
    Column("day_pnl_partial", _FLOAT, (_U,), "P/L Day of what is known.", _TOTAL),
    Column("day_pnl_covered", _NUMBER, (_U,), "How many legs that covers."),
    Column("market_value_partial", _FLOAT, (_U,), "The market value of what is known.", _TOTAL),
    Column("market_value_covered", _NUMBER, (_U,), "How many legs that covers."),
    Column("cost_partial", _FLOAT, (_U,), "The cost of what is known.", _TOTAL),
    Column("cost_covered", _NUMBER, (_U,), "How many legs that covers."),
    Column("premium_at_risk", _FLOAT, (_U,), "What was paid for long options and debit structures.", _TOTAL),
    Column("premium_at_risk_partial", _FLOAT, (_U,), "The part of it that is known.", _TOTAL),
    Column("premium_at_risk_covered", _NUMBER, (_U,), "How many legs that covers."),
    Column("oldest_age_seconds", _FLOAT, (_U,), "The age of the oldest price of its legs.", _SECONDS),
    Column("doubts", _OBJECT, _PS,
           "What the entry was understood as and what was probably meant: a tuple of sentences."),
    Column("warnings", _OBJECT, _ALL, "The row's warnings, a list of values of the enum."),
    Column("time", _TIME, _F, "When it was executed, or when Alpaca booked the event."),
    Column("contract", _TEXT, _F, "The contract or stock in words."),
    Column("symbol", _TEXT, _F, "Alpaca's symbol."),
    Column("level", _TEXT, _F, "`single`, `parent`, `leg`, or the kind of an option event."),
    Column("side", _TEXT, _F, "The side with its intent, such as `sell to close`."),
    Column("quantity", _FLOAT, _F, "Contracts, shares, or units of a multi-leg order."),
    Column("price", _FLOAT, _F, "The price; of a multi-leg line net per unit, below zero a credit.", _SHARE),
    Column("price_words", _TEXT, _F, "The price in words, such as `1.62 credit`."),
    Column("filled", _FLOAT, _F, "How much of the order was filled after it."),
    Column("total", _FLOAT, _F, "The order's whole quantity."),
    Column("average_price", _FLOAT, _F, "The order's average price after it.", _SHARE),
    Column("status", _TEXT, _F, "The order's current status."),
    Column("position_after", _FLOAT, _F, "The signed position after it, if the stream reported it."),
    Column("source", _TEXT, _F, "`live`, `rest`, `both`, or `derived` from totals."),
    Column("confirmed", _FLAG, _F, "Whether Alpaca reported this very execution."),
    Column("busted", _FLAG, _F, "Whether it was undone."),
    Column("corrected", _FLAG, _F, "Whether it was changed."),
    Column("note", _TEXT, _F, "Remarks, such as `not confirmed` or `busted`."),
    Column("order_id", _TEXT, _F, "Alpaca's id of the order."),
    Column("parent_id", _TEXT, _F, "The id of a leg's multi-leg order."),
    Column("key", _TEXT, _F, "An id of the line itself."),
    Column("position_id", _TEXT, _RL, "The id of the leg's position."),
    Column("leg_index", _NUMBER, _RL, "The leg's place in its position, from 0."),
    Column("contract_symbol", _TEXT, _RL, "Alpaca's symbol of the contract."),
    Column("id", _TEXT, _RP, "The position's id in the file."),
    Column("symbol", _TEXT, _RU, "Alpaca's symbol of the underlying."),
    Column("tag", _TEXT, _RT, "A tag of the positions; one with several tags counts in each."),
    Column("expiry", _OBJECT, _RE, "The date in the contracts' symbols; null for shares."),
    Column("iv", _FLOAT, _RL, "Implied volatility by our model; below, from bid to ask, or why none",
           _FRACTION, "iv", "IV", Format.PERCENT, optional=True),
    Column("bid_iv", _FLOAT, _RL, "Implied volatility of the bid; 0 if every volatility is too high.",
           _FRACTION),
    Column("ask_iv", _FLOAT, _RL, "Implied volatility of the ask.", _FRACTION),
    Column("modelled", _FLAG, _RL, "Whether the volatility comes from the neighbours of its expiry."),
    Column("delta", _FLOAT, _R, "Gain in dollars if the underlying rises a dollar, signed by position",
           "shares", "delta", "Delta", decimals=1, shown_in=_RLP, optional=True),
    Column("gamma", _FLOAT, _R, "Change of delta if the underlying rises a dollar, signed by position",
           "shares per dollar", "gamma", "Gamma", shown_in=_RLP, optional=True),
    Column("theta", _FLOAT, _R, "Gain in a calendar day, signed by position", "dollars per day",
           "theta", "Theta", Format.PNL, shown_in=_RLP, optional=True),
    Column("vega", _FLOAT, _R, "Gain if implied volatility rises a point, signed by position",
           "dollars per point", "vega", "Vega", Format.PNL, shown_in=_RLP, optional=True),
    Column("rho", _FLOAT, _R, "Gain if the interest rate rises a percentage point, signed by position",
           "dollars per point", "rho", "Rho", Format.PNL, shown_in=_RLP, optional=True),
    Column("dollar_delta", _FLOAT, _R, "Delta at the underlying's price", _TOTAL,
           "delta_dollars", "$ Delta", Format.PNL, shown_in=_RLP, optional=True),
    Column("dollar_gamma", _FLOAT, _R, "Change of the dollar delta if the underlying rises 1 %", _TOTAL,
           "gamma_dollars", "$ Gamma 1 %", Format.PNL, shown_in=_RLP, optional=True),
    Column("beta_delta", _FLOAT, _R, "Dollar delta times beta, in shares of the benchmark.", "shares"),
    Column("extrinsic", _FLOAT, _RL, "The mark minus what exercise now would pay", _SHARE,
           "extrinsic", "Extrinsic", Format.PRICE, optional=True),
    Column("moneyness", _FLOAT, _RL,
           "How far the underlying is in the money (+) or out of it; below, in expected moves to expiry",
           _FRACTION, "moneyness", "ITM", Format.SIGNED_PERCENT, optional=True),
    Column("moneyness_moves", _FLOAT, _RL, "The same distance in expected moves.", "expected moves"),
    Column("expected_move", _FLOAT, _RL,
           "One standard deviation of the underlying to expiry, by the contract's own volatility", _SHARE,
           "move", "Exp. move", Format.PRICE, optional=True),
    Column("probability_of_profit", _FLOAT, _RP,
           "Risk-neutral probability of a profit at expiry, by the volatility nearest to the money",
           _FRACTION, "chance", "P(profit)", Format.PERCENT, optional=True),
    Column("spot", _FLOAT, _RL, "The underlying's price that the model used.", _SHARE),
    Column("spot_source", _TEXT, _RL, "Where it comes from, such as `mark` or `put-call parity`."),
    Column("years", _FLOAT, _RL, "Calendar time to the contract's own expiry, of 365 days.", "years"),
    Column("dividends", _FLOAT, _RL, "Declared dividends until expiry.", _SHARE),
    Column("european", _FLAG, _RL, "Whether exercise is possible at expiry only."),
    Column("covered_legs", _NUMBER, _RS, "Legs whose Greeks are known."),
    Column("beta_covered_legs", _NUMBER, _RS, "Legs whose beta-weighted delta is known."),
    Column("modelled_legs", _NUMBER, _RS, "Known legs whose volatility comes from their neighbours."),
    Column("legs", _NUMBER, _RS, "All legs, expired ones included."),
    Column("reason", _TEXT, (*_RL, *_RP), "Why a figure is missing, of the first such leg."),
)
# fmt: on

# External scripts may count columns, so these always come first, in this order.
_PROMISED = {
    _P: "id symbol option_type expiry dte strike contracts cost_basis contract_symbol bid ask last mark "
    "spread_pct quote_age_seconds pnl_abs pnl_pct warnings",
    _S: "id symbol net_debit net_mark net_pnl_abs net_pnl_pct quote_age_seconds_max missing_legs warnings",
    _L: "position_id leg_index side option_type expiry dte strike contracts signed_contracts "
    "contract_symbol bid ask last mark spread_pct quote_age_seconds leg_value warnings",
    _U: "underlying price state source mark_age_seconds previous_close change change_pct",
    Table.FILLS: "",
    Table.RISK_LEGS: "position_id leg_index contract_symbol iv delta gamma theta vega rho extrinsic reason",
    Table.RISK_POSITIONS: "id delta gamma theta vega rho covered_legs legs",
    Table.RISK_UNDERLYINGS: "symbol delta gamma theta vega rho covered_legs legs",
    Table.RISK_TAGS: "tag delta gamma theta vega rho covered_legs legs",
    Table.RISK_EXPIRIES: "expiry delta gamma theta vega rho covered_legs legs",
}


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return a table's columns in their order."""
    first = {name: number for number, name in enumerate(_PROMISED[table].split())}
    own = [column for column in COLUMNS if table in column.tables]
    return tuple(sorted(own, key=lambda column: first.get(column.name, len(first))))


@cache
def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns in their order."""
    return tuple(column.name for column in columns_of(table))


@cache
def shown_columns() -> tuple[Column, ...]:
    """Return one column per field of the browser's table, in the order of its headings."""
    fields: dict[str, Column] = {}
    for column in COLUMNS:
        if column.field:
            fields.setdefault(column.field, column)
    return tuple(fields.values())


@cache
def sources_of(table: Table) -> Mapping[str, str]:
    """Return, by field of the browser's table, the column of this table that fills it."""
    return MappingProxyType({each.field: each.name for each in COLUMNS if each.is_shown_in(table)})


def describe_columns() -> Iterator[str]:
    """Yield the lines of the docs' table of columns."""
    yield "| column | tables | type | unit | in the browser and the CSV files | what |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for column in COLUMNS:
        shown = f"{_label_of(column)} (`{column.field}`)" if column.field else ""
        tables = ", ".join(column.tables)
        words = column.help.rstrip(".")
        yield f"| `{column.name}` | {tables} | `{column.dtype}` | {column.unit} | {shown} | {words} |"


def _label_of(column: Column) -> str:
    return next(each.label for each in shown_columns() if each.field == column.field)
