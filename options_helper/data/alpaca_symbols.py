"""Conversion between the portfolio's spelling of a symbol and Alpaca's.

Alpaca writes a share class with a dot (`BRK.B`), and this project's tables write it with a hyphen (`BRK-B`).
A contract's root has neither, so both sides spell contracts in the same compact form, as in `analysis.osi`.
"""

from __future__ import annotations

from options_helper.analysis.osi import format_osi_compact, parse_contract_symbol, stock_symbol
from options_helper.errors import ContractSymbolError

_TO_HYPHEN = str.maketrans("./ ", "---")


def to_alpaca_symbol(symbol: str) -> str:
    """Return Alpaca's spelling: `BRK-B` → `BRK.B`; a contract becomes compact (`BRKB261218C00500000`)."""
    return _contract(symbol) or stock_symbol(symbol)


def to_repo_symbol(symbol: str) -> str:
    """Return the portfolio's spelling: `BRK.B` → `BRK-B`; a contract stays compact, without a separator."""
    return _contract(symbol) or symbol.strip().upper().translate(_TO_HYPHEN)


def _contract(symbol: str) -> str | None:
    try:
        return format_osi_compact(parse_contract_symbol(symbol))
    except ContractSymbolError:
        return None
