"""Contracts, sides, prices and events of fills in the words of the page."""

from __future__ import annotations

from options_helper.analysis.osi import parse_contract_symbol
from options_helper.analysis.text.figures import MISSING, format_bare_price, format_count, format_strike
from options_helper.analysis.text.wording import format_day
from options_helper.errors import ContractSymbolError

MULTI_LEG_WORDS = "Multi-leg order"  # where its legs are not known yet


def contract_words(symbol: str | None) -> str:
    """`AAPL261218C00250000` → `AAPL 18 Dec 2026 250 call`; a symbol that is no contract stays as it is."""
    if not symbol:
        return MISSING
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return symbol
    day = format_day(contract.expiry)
    return f"{contract.underlying} {day} {format_strike(contract.strike)} {contract.option_type}"


def side_words(side: str | None, intent: str | None = None) -> str:
    """`buy to open` where the intent is known, else `buy`; `sell_short` → `sell short`."""
    return (intent or side or MISSING).replace("_", " ")


def event_words(event: str | None) -> str:
    """An event or status as words: `partially_filled` → `partially filled`."""
    return (event or MISSING).replace("_", " ")


def net_words(price: float | None) -> str:
    """A multi-leg order's net price: `1.62 credit` below zero, `1.62 debit` above, `even` at zero.

    The sign is Alpaca's (Trading API, "limit_price" of a multi-leg order): a debit is positive.
    """
    if price is None:
        return MISSING
    if price == 0:
        return "even"
    return f"{price_words(abs(price))} {'debit' if price > 0 else 'credit'}"


def price_words(price: float | None) -> str:
    """Return at least two decimals, up to four if the price has them, and all of a small one: `1.60`."""
    return format_bare_price(price, most_decimals=4)


def plain(number: float | None) -> str:
    """Return a quantity without needless decimals: `250`, `1,250.5`."""
    return format_count(number)


def fill_words(quantity: float | None, price: float | None) -> str:
    """`2 @ 1.62`."""
    return f"{plain(quantity)} @ {price_words(price)}"
