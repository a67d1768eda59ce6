"""The list of all columns of all tables.

The DataFrames, the positions table in the browser, the CSV files and docs/reference/columns.md are made from
`COLUMNS`. To add a column, add a line here and its formula in the module that computes the table. Only the
headings Position and Quote, and the notes below figures, are in `components/positions/table/layout.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from options_helper.analysis.tables.column_type import Column, Dtype, Format, Table

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
    Column("leg_index", _NUMBER, (_L,), "The leg's index in its structure, from 0."),
    Column("symbol", _TEXT, _PSL, "The symbol as written in the file."),
    Column("underlying", _TEXT, _ALL, "Alpaca's symbol of the underlying, such as BRK.B."),
    Column("kind", _TEXT, _PSL, "`option` or `stock`; for a structure, the kind of strategy."),
    Column("name", _TEXT, (_S,), "The strategy's name."),
    Column("side", _TEXT, (_L,), "`long` or `short`."),
    Column("option_type", _TEXT, _PL, "`call` or `put`."),
    Column("strike", _FLOAT, _PL, "The strike.", _SHARE),
    Column("expiry", _OBJECT, _PSL, "The date in the contract's symbol; for a structure, the first expiry."),
    Column("last_expiry", _OBJECT, (_S,), "The last expiry of the legs."),
    Column("expiry_text", _TEXT, _PSL, "The expiries in words."),
    Column("contracts", _COUNT, _PL, "Contracts as written in the file."),
    Column("signed_contracts", _COUNT, (_L,), "Contracts, negative for a short leg."),
    Column("contract_symbol", _TEXT, _PL, "Alpaca's symbol of the contract."),
    Column("quote_symbol", _TEXT, _PL, "The symbol of the quote that prices the row."),
    Column("quantity", _FLOAT, _PL, "Contracts, shares, or units of a structure; negative is short",
           field="qty", label="Qty", format=Format.QUANTITY),
    Column("units", _NUMBER, (_S,), "The number of times the structure is held.", field="qty"),
    Column("legs", _NUMBER, _SU,
           "The number of legs; in an underlying's row, the legs of all its positions."),
    Column("dte", _COUNT, _PSL,
           "Days to expiry in New York dates; on the last day, the time left to trade", "days",
           field="dte", label="DTE", decimals=0),
    Column("hours_left", _FLOAT, _PSL, "Hours left to trade, on the last day only.", "hours"),
    Column("expires_at", _TIME, _PL, "The time the contract expires."),
    Column("multiplier", _FLOAT, _PL, "Dollars per point of one contract; 1 for shares.",
           "dollars per point"),
    Column("cost_basis", _FLOAT, _PS, "The cost per share or unit; negative is a credit", _SHARE,
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
    Column("mark_method", _CATEGORY, _PL, "How the mark was found, such as `mid` or `last`."),
    Column("natural", _FLOAT, _PSL,
           "The price of closing now: the bid for a long position, the ask for a short one", _SHARE,
           "natural", "Natural", Format.PRICE),
    Column("net_debit", _FLOAT, (_S,), "The total cost; negative for a credit.", _TOTAL),
    Column("net_mark", _FLOAT, (_S,), "The total value of the legs at their marks.", _TOTAL),
    Column("net_natural", _FLOAT, (_S,), "The proceeds of closing all legs now.", _TOTAL),
    Column("pnl_abs", _FLOAT, (_P,), "Profit or loss since opening, at the mark", _TOTAL,
           "pnl_open", "P/L Open", Format.PNL, toned=True),
    Column("net_pnl_abs", _FLOAT, (_S,), "Profit or loss since opening, at the marks.", _TOTAL, "pnl_open"),
    Column("pnl_pct", _FLOAT, (_P,), "P/L Open as a fraction of the cost", _FRACTION,
           "pnl_pct", "P/L %", Format.SIGNED_PERCENT, toned=True),
    Column("net_pnl_pct", _FLOAT, (_S,), "P/L Open as a fraction of the net debit.", _FRACTION, "pnl_pct"),
    Column("pnl_day", _FLOAT, _PSL,
           "Profit or loss since the previous close, without lots closed today", _TOTAL,
           "pnl_day", "P/L Day", Format.PNL, shown_in=_PS, toned=True),
    Column("pnl_day_pct", _FLOAT, _PS, "P/L Day as a fraction of the value when the day began.", _FRACTION),
    Column("return_on_max_risk", _FLOAT, _PS,
           "P/L Open as a fraction of the maximum loss at expiry; empty if the loss is unlimited", _FRACTION,
           "risk", "P/L risk", Format.SIGNED_PERCENT, optional=True, toned=True),
    Column("max_profit_pct", _FLOAT, _PS, "P/L Open as a fraction of the maximum profit at expiry",
           _FRACTION, "of_max", "% of max", Format.SIGNED_PERCENT, optional=True, toned=True),
    Column("days_held", _COUNT, _PS, "Days since the opening date in the file", "days",
           "days", "Days", decimals=0, optional=True),
    Column("spread_pct", _FLOAT, _PSL, "Ask minus bid, as a fraction of the middle", _FRACTION,
           "spread", "Spread", Format.PERCENT),
    Column("delta", _FLOAT, _PSL,
           "The vendor's delta: gain per share if the underlying rises a dollar, with the position's sign."),
    Column("gamma", _FLOAT, _PSL,
           "The vendor's gamma: change in delta if the underlying rises a dollar, with the position's sign."),
    Column("theta", _FLOAT, _PSL, "The vendor's theta: gain per share in a day, with the position's sign."),
    Column("vega", _FLOAT, _PSL,
           "The vendor's vega: gain per share if volatility rises a point, with the position's sign."),
    Column("iv", _FLOAT, _PL, "The vendor's implied volatility.", _FRACTION),
    Column("greeks_time", _TIME, _PL, "The time the vendor computed the Greeks."),
    Column("net_delta", _FLOAT, (_S,), "The vendor's delta of the whole structure.", "shares"),
    Column("net_gamma", _FLOAT, (_S,), "The vendor's gamma of the whole structure."),
    Column("net_theta", _FLOAT, (_S,), "The vendor's theta of the whole structure.", "dollars per day"),
    Column("net_vega", _FLOAT, (_S,), "The vendor's vega of the whole structure."),
    Column("cost", _FLOAT, (_P, _S, _U), "Dollars paid minus dollars received.", _TOTAL),
    Column("market_value", _FLOAT, _ALL, "The value at the mark; negative for a short position.", _TOTAL),
    Column("leg_value", _FLOAT, (_L,), "The leg's value at its mark; negative for a short leg.", _TOTAL),
    Column("natural_value", _FLOAT, _PL, "The proceeds of closing the row now.", _TOTAL),
    Column("width", _FLOAT, (_S,), "The distance between the strikes.", _SHARE),
    Column("max_profit", _FLOAT, (_S,), "The maximum profit at expiry.", _TOTAL),
    Column("max_loss", _FLOAT, _PS, "The maximum loss at expiry, as a positive figure.", _TOTAL),
    Column("break_evens", _OBJECT, (_S,), "The underlying's prices at which the structure breaks even."),
    Column("missing_legs", _NUMBER, (_S,), "The number of legs without a mark."),
    Column("legs_with_mark", _TEXT, (_S,), "Coverage in words, such as `1 of 2`."),
    Column("state", _CATEGORY, _ALL, "The state of the price, such as `live` or `stale`."),
    Column("source", _CATEGORY, (_P, _L, _U), "The feed of the price."),
    Column("quote_age_seconds", _FLOAT, _PL, "The age of the quote.", _SECONDS),
    Column("quote_age_seconds_max", _FLOAT, (_S,), "The age of the legs' oldest quote.", _SECONDS),
    Column("mark_age_seconds", _FLOAT, _ALL, "The age of the price behind the mark.", _SECONDS),
    Column("lag_seconds", _FLOAT, _PL, "The time from the quote's creation to its arrival.", _SECONDS),
    Column("quote_time", _TIME, (_P, _L, _U), "The time of the quote."),
    Column("trade_time", _TIME, _PL, "The time of the last trade."),
    Column("previous_close", _FLOAT, (_P, _L, _U), "The last known close before the trading day.", _SHARE),
    Column("previous_close_date", _OBJECT, _PL, "The date of that close."),
    Column("underlying_price", _FLOAT, _PSL, "The mark of the underlying.", _SHARE),
    Column("broker_quantity", _FLOAT, _PL, "The broker's signed quantity."),
    Column("broker_price", _FLOAT, _PL, "The broker's price.", _SHARE),
    Column("price", _FLOAT, (_U,), "The mark of the underlying.", _SHARE),
    Column("change", _FLOAT, (_U,), "The price minus the previous close.", _SHARE),
    Column("change_pct", _FLOAT, (_U,), "The change as a fraction of the previous close.", _FRACTION),
    Column("positions", _NUMBER, (_U,), "The number of positions on the underlying."),
    Column("legs_with_mark", _NUMBER, (_U,), "The number of legs with a mark."),
    Column("coverage", _TEXT, (_U,), "Coverage in words, such as `3 of 4`."),
    Column("open_pnl", _FLOAT, (_U,), "P/L Open; null unless it covers all legs.", _TOTAL),
    Column("open_pnl_partial", _FLOAT, (_U,), "The known part of P/L Open.", _TOTAL),
    Column("open_pnl_covered", _NUMBER, (_U,), "The number of legs in `open_pnl_partial`."),
    Column("day_pnl", _FLOAT, (_U,), "P/L Day; null unless it covers all legs.", _TOTAL),
    Column("day_pnl_partial", _FLOAT, (_U,), "The known part of P/L Day.", _TOTAL),
    Column("day_pnl_covered", _NUMBER, (_U,), "The number of legs in `day_pnl_partial`."),
    Column("market_value_partial", _FLOAT, (_U,), "The known part of the market value.", _TOTAL),
    Column("market_value_covered", _NUMBER, (_U,), "The number of legs in `market_value_partial`."),
    Column("cost_partial", _FLOAT, (_U,), "The known part of the cost.", _TOTAL),
    Column("cost_covered", _NUMBER, (_U,), "The number of legs in `cost_partial`."),
    Column("premium_at_risk", _FLOAT, (_U,), "Dollars paid for long options and debit structures.", _TOTAL),
    Column("premium_at_risk_partial", _FLOAT, (_U,), "The known part of the premium at risk.", _TOTAL),
    Column("premium_at_risk_covered", _NUMBER, (_U,), "The number of legs in `premium_at_risk_partial`."),
    Column("oldest_age_seconds", _FLOAT, (_U,), "The age of the legs' oldest price.", _SECONDS),
    Column("doubts", _OBJECT, _PS,
           "Sentences that say how the entry was understood and what was probably meant, as a tuple."),
    Column("warnings", _OBJECT, _ALL, "The row's warnings, as a list of `RowWarning` values."),
    Column("time", _TIME, _F, "The time of the execution, or the time Alpaca booked the event."),
    Column("contract", _TEXT, _F, "The contract or stock in words."),
    Column("symbol", _TEXT, _F, "Alpaca's symbol."),
    Column("level", _TEXT, _F, "`single`, `parent`, `leg`, or the kind of an option event."),
    Column("side", _TEXT, _F, "The side with its intent, such as `sell to close`."),
    Column("quantity", _FLOAT, _F, "Contracts, shares, or units of a multi-leg order."),
    Column("price", _FLOAT, _F,
           "The price; for a multi-leg line, the net price per unit, negative for a credit.", _SHARE),
    Column("price_words", _TEXT, _F, "The price in words, such as `1.62 credit`."),
    Column("filled", _FLOAT, _F, "The order's filled quantity after the execution."),
    Column("total", _FLOAT, _F, "The order's whole quantity."),
    Column("average_price", _FLOAT, _F, "The order's average price after the execution.", _SHARE),
    Column("status", _TEXT, _F, "The order's current status."),
    Column("position_after", _FLOAT, _F,
           "The signed position after the execution, if the stream reported it."),
    Column("source", _TEXT, _F, "`live`, `rest`, `both`, or `derived` from totals."),
    Column("confirmed", _FLAG, _F, "True if Alpaca reported the execution itself."),
    Column("busted", _FLAG, _F, "True if the execution was undone."),
    Column("corrected", _FLAG, _F, "True if the quantity or price was corrected later."),
    Column("note", _TEXT, _F, "Remarks, such as `not confirmed` or `busted`."),
    Column("order_id", _TEXT, _F, "Alpaca's id of the order."),
    Column("parent_id", _TEXT, _F, "The id of a leg's multi-leg order."),
    Column("key", _TEXT, _F, "A unique id of the line."),
    Column("position_id", _TEXT, _RL, "The id of the leg's position."),
    Column("leg_index", _NUMBER, _RL, "The leg's index in its position, from 0."),
    Column("contract_symbol", _TEXT, _RL, "Alpaca's symbol of the contract."),
    Column("id", _TEXT, _RP, "The position's id in the file."),
    Column("symbol", _TEXT, _RU, "Alpaca's symbol of the underlying."),
    Column("tag", _TEXT, _RT, "A tag of the positions; a position with several tags counts under each."),
    Column("expiry", _OBJECT, _RE, "The date in the contracts' symbols; null for shares."),
    Column("iv", _FLOAT, _RL,
           "Implied volatility from our model; below it, the range from bid to ask, or why it is unknown",
           _FRACTION, "iv", "IV", Format.PERCENT, optional=True),
    Column("bid_iv", _FLOAT, _RL,
           "Implied volatility of the bid; 0 if the bid is below every model price.", _FRACTION),
    Column("ask_iv", _FLOAT, _RL, "Implied volatility of the ask.", _FRACTION),
    Column("modelled", _FLAG, _RL, "True if the volatility is interpolated from neighbouring strikes."),
    Column("delta", _FLOAT, _R, "Gain in dollars if the underlying rises a dollar, with the position's sign",
           "shares", "delta", "Delta", decimals=1, shown_in=_RLP, optional=True),
    Column("gamma", _FLOAT, _R, "Change in delta if the underlying rises a dollar, with the position's sign",
           "shares per dollar", "gamma", "Gamma", shown_in=_RLP, optional=True),
    Column("theta", _FLOAT, _R, "Gain in a calendar day, with the position's sign", "dollars per day",
           "theta", "Theta", Format.PNL, shown_in=_RLP, optional=True),
    Column("vega", _FLOAT, _R, "Gain if implied volatility rises a point, with the position's sign",
           "dollars per point", "vega", "Vega", Format.PNL, shown_in=_RLP, optional=True),
    Column("rho", _FLOAT, _R, "Gain if the interest rate rises a percentage point, with the position's sign",
           "dollars per point", "rho", "Rho", Format.PNL, shown_in=_RLP, optional=True),
    Column("dollar_delta", _FLOAT, _R, "Delta times the underlying's price", _TOTAL,
           "delta_dollars", "$ Delta", Format.PNL, shown_in=_RLP, optional=True),
    Column("dollar_gamma", _FLOAT, _R, "Change in the dollar delta if the underlying rises 1 %", _TOTAL,
           "gamma_dollars", "$ Gamma 1 %", Format.PNL, shown_in=_RLP, optional=True),
    Column("beta_delta", _FLOAT, _R, "Dollar delta times beta, in shares of the benchmark.", "shares"),
    Column("extrinsic", _FLOAT, _RL, "The mark minus the payoff of an exercise now", _SHARE,
           "extrinsic", "Extrinsic", Format.PRICE, optional=True),
    Column("moneyness", _FLOAT, _RL,
           "The distance in (+) or out of the money; below it, the same in expected moves to expiry",
           _FRACTION, "moneyness", "ITM", Format.SIGNED_PERCENT, optional=True),
    Column("moneyness_moves", _FLOAT, _RL,
           "The distance in (+) or out of the money, in expected moves to expiry.", "expected moves"),
    Column("expected_move", _FLOAT, _RL,
           "One standard deviation of the underlying's move to expiry, from the contract's volatility",
           _SHARE, "move", "Exp. move", Format.PRICE, optional=True),
    Column("probability_of_profit", _FLOAT, _RP,
           "Risk-neutral probability of a profit at expiry, from the volatility of the leg nearest the money",
           _FRACTION, "chance", "P(profit)", Format.PERCENT, optional=True),
    Column("spot", _FLOAT, _RL, "The underlying's price in the model.", _SHARE),
    Column("spot_source", _TEXT, _RL, "The source of the spot, such as `mark` or `put-call parity`."),
    Column("years", _FLOAT, _RL, "Calendar time to the contract's expiry, in years of 365 days.", "years"),
    Column("dividends", _FLOAT, _RL, "Declared dividends up to expiry.", _SHARE),
    Column("european", _FLAG, _RL, "True if exercise is possible only at expiry."),
    Column("covered_legs", _NUMBER, _RS, "The number of legs with known Greeks."),
    Column("beta_covered_legs", _NUMBER, _RS, "The number of legs with a known beta-weighted delta."),
    Column("modelled_legs", _NUMBER, _RS, "The number of known legs with an interpolated volatility."),
    Column("stale_legs", _NUMBER, _RS, "The number of known legs with a stale price or one from yesterday."),
    Column("legs", _NUMBER, _RS, "The number of all legs, including expired ones."),
    Column("reason", _TEXT, (*_RL, *_RP),
           "Why figures are missing; for a position, the reason of its first leg without figures."),
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
    """Return a table's columns in order, the promised ones first."""
    first = {name: number for number, name in enumerate(_PROMISED[table].split())}
    own = [column for column in COLUMNS if table in column.tables]
    return tuple(sorted(own, key=lambda column: first.get(column.name, len(first))))


@cache
def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns in order."""
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
    """Return the name of the column that fills each field of the browser's table, keyed by field."""
    return MappingProxyType({each.field: each.name for each in COLUMNS if each.is_shown_in(table)})


def describe_columns() -> Iterator[str]:
    """Yield the lines of the docs' table of columns."""
    yield "| column | tables | type | unit | in the browser and the CSV files | meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for column in COLUMNS:
        shown = f"{_label_of(column)} (`{column.field}`)" if column.field else ""
        tables = ", ".join(column.tables)
        words = column.help.rstrip(".")
        yield f"| `{column.name}` | {tables} | `{column.dtype}` | {column.unit} | {shown} | {words} |"


def _label_of(column: Column) -> str:
    return next(each.label for each in shown_columns() if each.field == column.field)
