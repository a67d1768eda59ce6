"""Contracts, sides, prices and events of fills in the words of the page."""

from __future__ import annotations

from options_helper.analysis.osi import parse_contract_symbol
from options_helper.analysis.text.wording import format_day
from options_helper.errors import ContractSymbolError

MISSING = "—"
MULTI_LEG_WORDS = "Multi-leg order"  # where its legs are not known yet
_CENTS = 2


def contract_words(symbol: str | None) -> str:
    """`AAPL261218C00250000` → `AAPL 18 Dec 2026 250 call`; a symbol that is no contract stays as it is."""
    if not symbol:
        return MISSING
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return symbol
    day = format_day(contract.expiry)
    return f"{contract.underlying} {day} {plain(contract.strike)} {contract.option_type}"


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
    """At least two decimals, and up to four where the price has them: `1.60`, `1.625`."""
    if price is None:
        return MISSING
    whole, _, decimals = f"{price:,.4f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(_CENTS, '0')}"


def plain(number: float | None) -> str:
    """A quantity or strike without needless decimals: `250`, `1,250.5`."""
    if number is None:
        return MISSING
    text = f"{number:,.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def fill_words(quantity: float | None, price: float | None) -> str:
    """`2 @ 1.62`."""
    return f"{plain(quantity)} @ {price_words(price)}"
