"""Trading statuses of stocks, read for one thing: is trading halted?

Alpaca's "Real-time Stock Data" page, "Trading Status": the code `sc` is that of the tape's own plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# CTA (tapes A and B): 2 halt, 3 resume. UTP (tapes C and O): H halt, P volatility pause, T trading resumes.
# Quotation resuming (Q) is not trading yet; every other code says nothing about a halt.
_HALTED_BY_CODE = {"2": True, "3": False, "H": True, "P": True, "T": False}


def read_halts(statuses: Iterable[Any]) -> dict[str, bool]:
    """Whether each named symbol is halted, by the newest status that says so.

    Args:
        statuses: Raw messages with `S` (symbol) and `sc` (status code); anything else is passed over.
    """
    halts: dict[str, bool] = {}
    for status in statuses:
        if not isinstance(status, dict):
            continue
        symbol, halted = status.get("S"), _HALTED_BY_CODE.get(str(status.get("sc")))
        if isinstance(symbol, str) and halted is not None:
            halts[symbol] = halted
    return halts
