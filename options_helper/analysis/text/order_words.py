"""The page's words for contracts, sides, prices and events of orders."""

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
    """Return a contract in words, such as `AAPL 18 Dec 2026 250 call`; other symbols are unchanged."""
    if not symbol:
        return MISSING
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return symbol
    day = format_day(contract.expiry)
    return f"{contract.underlying} {day} {format_strike(contract.strike)} {contract.option_type}"


def side_words(side: str | None, intent: str | None = None) -> str:
    """Return the intent in words if known, such as `buy to open`, else the side, such as `sell short`."""
    return (intent or side or MISSING).replace("_", " ")


def event_words(event: str | None) -> str:
    """Return an event or status in words: `partially_filled` becomes `partially filled`."""
    return (event or MISSING).replace("_", " ")


def net_words(price: float | None) -> str:
    """Return a multi-leg order's net price in words: `1.62 debit`, `1.62 credit` or `even`.

    A positive price is a debit, as in Alpaca's Trading API ("limit_price" of a multi-leg order).
    """
    if price is None:
        return MISSING
    if price == 0:
        return "even"
    return f"{price_words(abs(price))} {'debit' if price > 0 else 'credit'}"


def price_words(price: float | None) -> str:
    """Return a price with two to four decimals, such as `1.60` or `1.625`; below a cent it may have more."""
    return format_bare_price(price, most_decimals=4)


def plain(number: float | None) -> str:
    """Return a quantity without trailing zeros, such as `250` or `1,250.5`."""
    return format_count(number)


def fill_words(quantity: float | None, price: float | None) -> str:
    """Return a quantity and a price, such as `2 @ 1.62`."""
    return f"{plain(quantity)} @ {price_words(price)}"


_EVENT_VERBS = {
    "assignment": "Assigned",
    "exercise": "Exercised",
    "expiry": "Expired",
    "corporate_action": "Corporate action",
    "cash_settlement": "Settled in cash",
    "share_trade": "Shares from an assignment or exercise",
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
    """Return an option event in words, such as `Assigned: … AAPL 255 put → +200 AAPL at 255.00`.

    Args:
        kind: The value of an `OptionEventType`.
        symbol: The contract's symbol.
        quantity: The number of contracts; None if not reported.
        shares: The symbol, signed quantity and price of each delivery of shares.
        amount: The cash moved, in dollars.
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
    """Return a contract without its expiry, such as `AAPL 255 put`, because the event implies the date."""
    try:
        contract = parse_contract_symbol(symbol)
    except ContractSymbolError:
        return contract_words(symbol)
    return f"{contract.underlying} {format_strike(contract.strike)} {contract.option_type}"
