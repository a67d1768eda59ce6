"""Corrected and cancelled trades, as Alpaca sends them with every subscription to trades.

Source: Alpaca's "Real-time Stock Data" page, "Trade Corrections" (`op` and `os` are the original price and
size, `cp` and `cs` the corrected ones) and "Trade Cancels/Errors" (`p`, `s`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from options_helper.data.values import to_amount
from options_helper.market import Trade


@dataclass(frozen=True, slots=True)
class TradeCorrection:
    """A wrong trade, with its corrected price and size, which are None for a cancelled trade."""

    symbol: str
    price: float
    size: float | None
    corrected_price: float | None = None
    corrected_size: float | None = None


def read_corrections(messages: Iterable[object]) -> list[TradeCorrection]:
    """Return the readable corrections; a message without a symbol or an original price is skipped."""
    found = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        symbol, is_corrected = message.get("S"), message.get("T") == "c"
        names = ("op", "os", "cp", "cs") if is_corrected else ("p", "s", "", "")
        price, size, corrected_price, corrected_size = (to_amount(message.get(name)) for name in names)
        if isinstance(symbol, str) and price is not None:
            found.append(TradeCorrection(symbol, price, size, corrected_price, corrected_size))
    return found


def correct_trade(kept: Mapping[str, Trade], correction: TradeCorrection) -> Trade | None:
    """Return the symbol's last trade after the correction, or None if it was cancelled or is unknown.

    A trade is identified by its price and size.
    """
    trade = kept.get(correction.symbol)
    if trade is None or (trade.price, trade.size) != (correction.price, correction.size):
        return trade
    if correction.corrected_price is None:
        return None
    return replace(trade, price=correction.corrected_price, size=correction.corrected_size)
