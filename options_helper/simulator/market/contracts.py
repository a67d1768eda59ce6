"""Contract symbols as the simulator reads them; shares no code with the client's parser."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

INDEX_SYMBOLS = frozenset({"SPX", "XSP", "NDX", "RUT", "VIX", "DJX", "OEX", "XEO"})

_PATTERN = re.compile(r"(?P<root>[A-Z]{1,6}[0-9]?)(?P<expiry>\d{6})(?P<kind>[CP])(?P<strike>\d{8})")
_STOCK_PATTERN = re.compile(r"[A-Z]{1,6}(\.[A-Z]{1,3})?")
# Roots that differ from their underlying's symbol: class shares lose the dot, some series have their own.
_UNDERLYING_BY_ROOT = {
    "BRKB": "BRK.B",
    "BRKA": "BRK.A",
    "BFB": "BF.B",
    "LGFA": "LGF.A",
    "LGFB": "LGF.B",
    "SPXW": "SPX",
    "NDXP": "NDX",
    "RUTW": "RUT",
    "VIXW": "VIX",
}


@dataclass(frozen=True, slots=True)
class Contract:
    """One option contract.

    Attributes:
        symbol: The full contract symbol (`BRKB261218C00500000`).
        root: Its root, with a digit if the contract is adjusted (`CSGP1`).
        underlying: The stock or index in Alpaca's spelling (`BRK.B`).
        strike: The strike in dollars.
    """

    symbol: str
    root: str
    underlying: str
    expiry: dt.date
    is_call: bool
    strike: float

    @property
    def adjusted(self) -> bool:
        """True if the contract delivers anything but 100 shares."""
        return self.root[-1].isdigit()

    @property
    def european(self) -> bool:
        """True if it can be exercised only at expiry, as index options are."""
        return self.underlying in INDEX_SYMBOLS


@lru_cache(maxsize=20_000)
def parse_contract(symbol: str) -> Contract | None:
    """Return the contract of a well-formed symbol, else None."""
    match = _PATTERN.fullmatch(symbol)
    if match is None:
        return None
    try:
        # strptime's %y would take 69 to 99 for the last century.
        expiry = dt.date.fromisoformat(f"20{match['expiry']}")
    except ValueError:
        return None
    root = match["root"]
    plain = root.rstrip("0123456789")
    return Contract(
        symbol=symbol,
        root=root,
        underlying=_UNDERLYING_BY_ROOT.get(plain, plain),
        expiry=expiry,
        is_call=match["kind"] == "C",
        strike=int(match["strike"]) / 1000,
    )


def contract_symbol(root: str, expiry: dt.date, kind: str, strike: float) -> str:
    """Return the symbol of a contract; `kind` is "call" or "put"."""
    return f"{root}{expiry:%y%m%d}{kind[0].upper()}{round(strike * 1000):08d}"


def root_of(underlying: str) -> str:
    """Return the root of an underlying's standard contracts: its symbol without the class separator."""
    return underlying.replace(".", "").replace("-", "")


def is_stock_symbol(symbol: str) -> bool:
    """Return whether a symbol is spelled like a stock at Alpaca: capitals, a dot before a share class."""
    return _STOCK_PATTERN.fullmatch(symbol) is not None
