"""Contracts, sides, prices and events of orders in the words of the page."""

from __future__ import annotations

from collections.abc import Sequence

from options_helper.analysis.osi import parse_contract_symbol
from options_helper.analysis.text.figures import (
    MINUS,
    MISSING,
    format_bare_price,
    format_count,
    format_strike,
)
from options_helper.analysis.text.wording import format_day
from options_helper.errors import ContractSymbolError

MULTI_LEG_WORDS = "Multi-leg order"  # until its legs are known


def contract_words(symbol: str | None) -> str:
    """Return `AAPL 18 Dec 2026 250 call` for `AAPL261218C00250000`; other symbols are returned unchanged."""
    if not symbol:
        return MISSING
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return symbol
    day = format_day(contract.expiry)
    return f"{contract.underlying} {day} {format_strike(contract.strike)} {contract.option_type}"


def side_words(side: str | None, intent: str | None = None) -> str:
    """Return `buy to open` if the intent is known, else `buy`; `sell_short` becomes `sell short`."""
    return (intent or side or MISSING).replace("_", " ")


def event_words(event: str | None) -> str:
    """Return an event or status as words: `partially_filled` becomes `partially filled`."""
    return (event or MISSING).replace("_", " ")


def net_words(price: float | None) -> str:
    """Return a multi-leg order's net price: `1.62 credit` below zero, `1.62 debit` above, `even` at zero.

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
    """Return `2 @ 1.62`."""
    return f"{plain(quantity)} @ {price_words(price)}"


_EVENT_VERBS = {
    "assignment": "Assigned",
    "exercise": "Exercised",
    "expiry": "Expired",
    "corporate_action": "Corporate action",
    "cash_settlement": "Settled in cash",
    "share_trade": "Shares of an assignment or exercise",
}


def option_event_words(
    kind: str,
    symbol: str,
    quantity: float | None,
    shares: Sequence[tuple[str, float, float | None]] = (),
    *,
    amount: float | None = None,
    subtype: str = "",
) -> str:
    """Return what happened: `Assigned: … AAPL 255 put → +200 AAPL at 255.00`.

    Args:
        kind: The value of an `OptionEventType`.
        symbol: The contract.
        quantity: How many contracts, None if that is not reported.
        shares: Symbol, signed quantity and price of what was delivered.
        amount: The cash that moved, in dollars.
        subtype: Alpaca's word for the kind of corporate action, or "".
    """
    verb = f"{_EVENT_VERBS[kind]} ({subtype})" if subtype else _EVENT_VERBS[kind]
    delivered = ", ".join(_delivered(*one) for one in shares)
    if kind == "share_trade":
        return f"{verb}: {delivered}"
    size = "" if quantity is None else f"{plain(quantity)} \N{MULTIPLICATION SIGN} "
    results = (delivered, f"{_signed(amount)}${price_words(abs(amount))}" if amount else "")
    return " → ".join((f"{verb}: {size}{_undated_contract(symbol)}", *filter(None, results)))


def _delivered(symbol: str, quantity: float, price: float | None) -> str:
    trade = f"{_signed(quantity)}{plain(abs(quantity))} {symbol}"
    return trade if price is None else f"{trade} at {price_words(price)}"


def _signed(number: float) -> str:
    return "+" if number > 0 else MINUS


def _undated_contract(symbol: str) -> str:
    """Return `AAPL 255 put`: next to its event the expiry goes without saying."""
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return contract_words(symbol)
    return f"{contract.underlying} {format_strike(contract.strike)} {contract.option_type}"
