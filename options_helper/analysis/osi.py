"""Option contract symbols in the spelling of the Options Clearing Corporation.

The last 15 characters are fixed: `YYMMDD`, `C` or `P`, and the strike in tenths of a cent as eight digits.
The root before them has one to six letters and digits, so a symbol is read from the right
(`CSGP1251017P00001000` has the root `CSGP1`). The padded form fills the root with spaces to six characters
(`AAPL  261218C00250000`). Alpaca uses the compact form without padding (`AAPL261218C00250000`).

A root has no separator: the contracts of `BRK.B` are `BRKB…`. The symbol of a share class has one, a dot at
Alpaca. Snapshots and tables are keyed by these two spellings, `contract_symbol` and `stock_symbol`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from options_helper.analysis.contracts.products import INDEX_OF_ROOT, is_adjusted
from options_helper.errors import ContractSymbolError
from options_helper.models import Leg, OptionType, Position

ROOT_LENGTH = 6
TAIL_LENGTH = 15  # date, letter and strike
MAX_STRIKE = 99_999.999

_SEPARATORS = str.maketrans("", "", " .-/")
_TO_DOT = str.maketrans("-/ ", "...")
_ROOT = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]{1,6}")
_SYMBOL = re.compile(r"(?P<root>[A-Z0-9 ./-]+?) *(?P<date>[0-9]{6})(?P<letter>[CP])(?P<mils>[0-9]{8})")
_DIGITS = "0123456789"
_LETTERS = {"call": "C", "put": "P"}
_WORDS: dict[str, Literal["call", "put"]] = {"C": "call", "P": "put"}
_CENTURY = 20  # the symbol has two digits for the year
_MILS_PER_DOLLAR = 1000
_STRIKE_TOLERANCE = 1e-7  # dollars of float error, far below a tenth of a cent


@dataclass(frozen=True, slots=True)
class ParsedContract:
    """One option contract; terms that no symbol can express are rejected.

    Attributes:
        underlying: The root as written (`AAPL`, `BRK.B`, `CSGP1`).
        underlying_norm: The root without separators, in capitals (`BRKB`).
        expiry: The date in the symbol.
        option_type: "call" or "put".
        strike: Dollars, a multiple of 0.001.
        raw: The parsed text, if any.

    Raises:
        ContractSymbolError: The root is not one to six letters and digits, the year is not between 2000 and
            2099, the option type is unknown, or the strike is not above 0, above 99,999.999 or finer than
            0.001.
    """

    underlying: str
    underlying_norm: str
    expiry: dt.date
    option_type: OptionType
    strike: float
    raw: str | None = None

    def __post_init__(self) -> None:
        format_osi_compact(self)


def normalize_underlying(symbol: str) -> str:
    """Return the root of an underlying without separators: `BRKB` for `brk.b`, `BRK-B` and `BRK/B`."""
    return symbol.translate(_SEPARATORS).strip().upper()


def parse_contract_symbol(symbol: str) -> ParsedContract:
    """Parse a padded or compact contract symbol, in upper or lower case, with or without a separator.

    Raises:
        ContractSymbolError: The text is not a contract symbol.
    """
    match = _SYMBOL.fullmatch(symbol.strip().upper()) if isinstance(symbol, str) else None
    if match is None:
        raise _not_a_symbol(symbol)
    root, date, letter, mils = match["root"].strip(), match["date"], match["letter"], match["mils"]
    try:
        # Not strptime: it reads the years 69 to 99 as 1969 to 1999.
        expiry = dt.date(_CENTURY * 100 + int(date[:2]), int(date[2:4]), int(date[4:]))
        return ParsedContract(
            underlying=root,
            underlying_norm=normalize_underlying(root),
            expiry=expiry,
            option_type=_WORDS[letter],
            strike=int(mils) / _MILS_PER_DOLLAR,
            raw=symbol,
        )
    except ValueError as error:
        raise _not_a_symbol(symbol, str(error)) from None


@lru_cache(maxsize=20_000)
def is_contract_symbol(symbol: str) -> bool:
    """Return whether the text is a padded or compact contract symbol."""
    try:
        parse_contract_symbol(symbol)
    except ContractSymbolError:
        return False
    return True


def format_osi(contract: ParsedContract) -> str:
    """Return the padded symbol of 21 characters (`AAPL  261218C00250000`)."""
    root, tail = _parts(contract)
    return root.ljust(ROOT_LENGTH) + tail


def format_osi_compact(contract: ParsedContract) -> str:
    """Return the symbol without padding, as Alpaca writes it (`AAPL261218C00250000`)."""
    return "".join(_parts(contract))


def contract_symbol(underlying: str, terms: Position | Leg) -> str:
    """Return Alpaca's symbol of a position's or leg's contract; `terms.root` overrides the underlying.

    Raises:
        ContractSymbolError: No symbol can express these terms.
    """
    return _root(terms.root or underlying) + _tail(terms.expiry, terms.option_type, terms.strike)


def contract_root(symbol: str) -> str:
    """Return the root of a padded or compact contract symbol; "" if the text is too short to have one."""
    return symbol[:-TAIL_LENGTH].rstrip()


def root_of(underlying: str, terms: Position | Leg) -> str:
    """Return the root of a position's or leg's contract; `terms.root` overrides the underlying."""
    return normalize_underlying(terms.root or underlying)


def underlying_of(symbol: str) -> str:
    """Return a name of the underlying that is the same for its shares, contracts and roots.

    The name has no separators, because a contract's root has none: `BRK-B` and `BRKB261218C00500000` give
    `BRKB`, `SPXW261218P06000000` gives `SPX`, and the adjusted root `CSGP1` gives `CSGP`.
    """
    match = _SYMBOL.fullmatch(symbol.strip().upper())
    root = normalize_underlying(match["root"] if match else symbol)
    if is_adjusted(root):
        root = root.rstrip(_DIGITS) or root
    return INDEX_OF_ROOT.get(root, root)


def stock_symbol(symbol: str) -> str:
    """Return Alpaca's symbol of a stock: `BRK.B` for `BRK-B`, `brk/b` and `BRK B`."""
    return symbol.strip().upper().translate(_TO_DOT)


def strike_in_mils(strike: float) -> int:
    """Return a strike as a whole number of tenths of a cent.

    Raises:
        ContractSymbolError: The strike is not above 0, above 99,999.999 or finer than a tenth of a cent.
    """
    dollars = float(strike)
    if not 0 < dollars <= MAX_STRIKE:
        raise ContractSymbolError(
            f"A strike must be above 0 and at most 99,999.999, not {strike}.", field="strike"
        )
    mils = round(dollars * _MILS_PER_DOLLAR)
    if mils == 0 or abs(mils / _MILS_PER_DOLLAR - dollars) > _STRIKE_TOLERANCE:
        raise ContractSymbolError(
            f"A strike of {strike} is finer than a tenth of a cent (0.001).", field="strike"
        )
    return mils


def _parts(contract: ParsedContract) -> tuple[str, str]:
    root = _root(contract.underlying_norm or contract.underlying)
    return root, _tail(contract.expiry, contract.option_type, contract.strike)


def _root(written: str) -> str:
    root = normalize_underlying(written)
    if not _ROOT.fullmatch(root):
        raise ContractSymbolError(
            f"{written!r} is not a contract root; a root has one to six letters and digits, such as BRKB.",
            field="root",
        )
    return root


def _tail(expiry: dt.date, option_type: OptionType, strike: float) -> str:
    letter = _LETTERS.get(option_type)
    if letter is None:
        raise ContractSymbolError(
            f'An option type must be "call" or "put", not {option_type!r}.', field="option_type"
        )
    if expiry.year // 100 != _CENTURY:
        raise ContractSymbolError(
            f"An expiry must be between 2000 and 2099, not in {expiry.year}.", field="expiry"
        )
    mils = strike_in_mils(strike)
    return f"{expiry.year % 100:02d}{expiry.month:02d}{expiry.day:02d}{letter}{mils:08d}"


def _not_a_symbol(symbol: object, why: str = "") -> ContractSymbolError:
    shown = repr(symbol) if len(repr(symbol)) <= 60 else repr(symbol)[:57] + "…"  # noqa: PLR2004 - one line
    return ContractSymbolError(
        f"{shown} is not an option contract symbol, such as AAPL261218C00250000"
        + (f": {why}" if why else ".")
    )
