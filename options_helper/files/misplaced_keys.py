"""Detects keys that look meaningful but are not read.

Unknown keys are ignored, except for our own keys in the wrong place or misspelt, and keys that contradict
their entry: with a different side, currency or underlying, or by saying that the position is closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from options_helper.analysis.osi import underlying_of
from options_helper.files.shown import closest
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg

_HARMLESS = frozenset({"id", "name", "note", "tag"})
_KEYS = {
    "file": frozenset(Portfolio.model_fields),
    "option": frozenset(Position.model_fields),
    "structure": frozenset(MultiLegPosition.model_fields),
    "equity": frozenset(EquityPosition.model_fields),
    "option leg": frozenset(Leg.model_fields),
    "stock leg": frozenset(StockLeg.model_fields),
}
_OURS = frozenset().union(*_KEYS.values()) - _HARMLESS
_WORDS = {
    "file": "beside the positions",
    "option": "on a single option",
    "structure": "beside legs",
    "equity": "beside shares",
    "option leg": "on an option leg",
    "stock leg": "on a leg of shares",
}
_OTHER_NAMES = {
    "positions": ("holdings", "multileg_positions", "multi_leg_positions", "portfolio", "options", "legs"),
    "base_currency": ("currency",),
    "cash": ("cash_balance",),
    "symbol": ("ticker", "underlying", "underlying_symbol"),
    "contracts": ("qty", "quantity", "lots", "size", "spreads", "units", "num_contracts"),
    "shares": ("qty", "quantity", "size"),
    "net_debit": ("net_credit", "credit", "debit", "net_premium", "net_price"),
    "cost_basis": (
        "premium",
        "avg_price",
        "average_price",
        "avg_entry_price",
        "avg_cost",
        "cost",
        "entry_price",
    ),
    "expiry": ("exp", "expiration", "expiration_date", "expiry_date", "maturity"),
    "strike": ("strike_price",),
    "option_type": ("type", "right", "put_call", "call_put"),
    "opened_at": ("opened", "open_date", "opened_on", "date_opened", "trade_date"),
    "side": ("direction", "action"),
}
# Other programs' names for these always mean an amount, so they are refused everywhere if they are numbers.
_AMOUNTS = ("contracts", "shares", "net_debit", "cost_basis")
_SIDE_NAMES = frozenset({"action", "direction", "long_short", "position", "position_side", "position_type"})
_SHORT_WORDS = frozenset({"short", "sell", "sold", "sto", "write", "written"})
_LONG_WORDS = frozenset({"long", "buy", "bought", "bto"})
_CLOSED_NAMES = frozenset({
    "closed", "closed_at", "closed_on", "close_date", "date_closed", "exit_date", "exit_price", "is_closed",
})  # fmt: skip
_OPEN_NAMES = frozenset({"active", "is_active", "is_open", "open"})
_CLOSED_STATES = frozenset({"assigned", "closed", "exercised", "expired", "sold"})
_TERMS = frozenset({"expiry", "option_type", "strike"})
_LIKE_A_POSITION = frozenset({"contracts", "legs", "qty", "quantity", "shares"})
# Other names of these keys are refused only if the key itself is missing; a name for positions, only if its
# value is a list.
_OPTIONAL_NAMES = {"option_type", "side", "positions", "symbol"}
# A number, or a number in quotes, which some programs write.
AMOUNT_PATTERN = r"^\s*[-+]?[0-9]*[.]?[0-9]+\s*$"
_AMOUNT = re.compile(AMOUNT_PATTERN)
_RESEMBLED = {"account"}  # close to "amount", which other programs write
_SIGNED = "a negative number is short"
_HINTS = {
    ("option", "side"): f"the sign of contracts shows the side: {_SIGNED}",
    ("equity", "side"): f"the sign of shares shows the side: {_SIGNED}",
    ("structure", "contracts"): "each leg has its own contracts",
    ("structure", "cost_basis"): "the cost of the whole structure in dollars is its net_debit",
    ("option leg", "cost_basis"): "the cost of the whole structure in dollars is its net_debit",
    ("stock leg", "cost_basis"): "the cost of the whole structure in dollars is its net_debit",
    ("option", "net_debit"): "a single option takes cost_basis, in dollars per share",
}


def kind_of(entry: Mapping[str, object], *, leg: bool) -> str:
    """Return the kind of an entry, judged by its keys."""
    if leg:
        return "stock leg" if "shares" in entry else "option leg"
    if any(key == "legs" or (isinstance(entry[key], list) and closest(key, {"legs"})) for key in entry):
        return "structure"
    return "equity" if "shares" in entry else "option"


def refused_keys(kind: str) -> frozenset[str]:
    """Return the keys, in their usual spelling, that a kind of entry never accepts."""
    misplaced = _OURS - _KEYS[kind]
    others = (
        name
        for ours, names in _OTHER_NAMES.items()
        if ours in _KEYS[kind] - _OPTIONAL_NAMES
        for name in names
    )
    return frozenset({*misplaced, *others}) - _KEYS[kind]


def refused_numbers(kind: str) -> frozenset[str]:
    """Return other programs' names for amounts that a kind of entry refuses if they are numbers."""
    if kind == "file":
        return frozenset()
    names = (name for ours in _AMOUNTS if ours not in _KEYS[kind] for name in _OTHER_NAMES[ours])
    return frozenset(names) - refused_keys(kind)


def other_names(key: str) -> tuple[str, ...]:
    """Return the names that other programs use for one of our keys."""
    return _OTHER_NAMES[key]


def misplaced_keys(
    entry: Mapping[str, object], kind: str, *, underlying: object = None
) -> list[tuple[str, str]]:
    """Return each key that looks meaningful but is not read, with the reason.

    Args:
        entry: The whole file, a position or a leg.
        kind: A result of `kind_of`, or "file".
        underlying: The position's symbol, which a leg may repeat.
    """
    found = []
    for key in entry:
        repeats = key == "symbol" and kind.endswith("leg") and entry[key] == underlying
        if key in _KEYS[kind] or key in _HARMLESS or repeats:
            continue
        reason = _misplaced(key, kind, entry[key]) or _misspelt(key, kind, entry)
        reason = reason or _contradicts(key.strip().lower(), kind, entry, key, underlying)
        if reason:
            found.append((key, reason))
    return found


def _misplaced(key: str, kind: str, value: object) -> str:
    ours = key if key in _OURS else _amount_named(key.strip().lower(), kind, value)
    if ours is None:
        return ""
    hint = _HINTS.get((kind, ours), "")
    if kind == "equity" and ours in _KEYS["option"]:
        hint = "an entry is either shares or an option; remove shares, or the option's terms"
    return f"has no meaning {_WORDS[kind]}{f'; {hint}' if hint else ''}"


def _amount_named(plain: str, kind: str, value: object) -> str | None:
    """Return our key for another program's name of an amount, if it is a number and out of place here."""
    if plain not in refused_numbers(kind) or isinstance(value, bool) or not _AMOUNT.match(str(value)):
        return None
    return next(ours for ours in _AMOUNTS if ours not in _KEYS[kind] and plain in _OTHER_NAMES[ours])


def _contradicts(plain: str, kind: str, entry: Mapping[str, object], key: str, underlying: object) -> str:
    """Return how the value of an unknown key contradicts the meaning of the entry, or ""."""
    value, symbol = entry[key], underlying or entry.get("symbol")
    if kind == "file":
        unread = 'holds entries that look like positions, but is not read; move them to "positions"'
        return unread * _vanishes(value)
    if plain == "currency" and isinstance(value, str) and value.strip().upper() != "USD":
        return "must be USD; amounts in other currencies are not converted"
    if plain in _OTHER_NAMES["symbol"] and isinstance(value, str) and isinstance(symbol, str):
        return "names a different underlying than symbol" * (underlying_of(value) != underlying_of(symbol))
    if plain == "ratio_qty" and not _divides(value, entry.get("contracts")):
        return "does not divide the number of contracts; each leg has its own contracts"
    if _is_closed(plain, value):
        what = "leg" if kind.endswith("leg") else "position"
        return f"says that the {what} is closed; remove it, because the file holds only open positions"
    return _contradicts_sign(plain, kind, value, entry)


def _contradicts_sign(plain: str, kind: str, value: object, entry: Mapping[str, object]) -> str:
    field = {"option": "contracts", "equity": "shares"}.get(kind, "")
    quantity, is_short = entry.get(field), _says_short(plain, value)
    if is_short is None or not isinstance(quantity, int | float) or (quantity < 0) == is_short:
        return ""
    return f"says the opposite of the sign of {field}; {_SIGNED}"


def _divides(ratio: object, contracts: object) -> bool:
    if not isinstance(ratio, int | float) or not isinstance(contracts, int | float):
        return True
    return ratio > 0 and contracts % ratio == 0


def _is_closed(plain: str, value: object) -> bool:
    """Return whether a key says that its position or leg is no longer open."""
    if plain == "status":
        return isinstance(value, str) and value.strip().lower() in _CLOSED_STATES
    return (plain in _CLOSED_NAMES and bool(value)) or (plain in _OPEN_NAMES and value is False)


def _vanishes(value: object) -> bool:
    """Return whether a value contains, at any depth, a list of entries that look like positions."""
    waiting = [value]
    while waiting:
        some = waiting.pop()
        inner = some.values() if isinstance(some, dict) else some if isinstance(some, list) else ()
        if isinstance(some, list) and any(map(_is_like_a_position, some)):
            return True
        waiting += inner
    return False


def _is_like_a_position(row: object) -> bool:
    return isinstance(row, dict) and "symbol" in row and bool(_LIKE_A_POSITION & row.keys())


def _says_short(plain: str, value: object) -> bool | None:
    """Return whether a key says that the position is short; None if it says nothing about the side."""
    if isinstance(value, bool):
        return {"short": value, "is_short": value, "long": not value, "is_long": not value}.get(plain)
    if plain not in _SIDE_NAMES or not isinstance(value, str):
        return None
    words = set(value.lower().replace("_", " ").replace("-", " ").split())
    short, long = bool(words & _SHORT_WORDS), bool(words & _LONG_WORDS)
    return None if short == long or "close" in words else short


def _misspelt(key: str, kind: str, entry: Mapping[str, object]) -> str:
    plain = key.strip().lower()
    meant = next((ours for ours in _OTHER_NAMES if ours in _KEYS[kind] and plain in _OTHER_NAMES[ours]), None)
    meant = meant or closest(key, _KEYS[kind] - _HARMLESS - _RESEMBLED)
    if meant is None or (meant in entry and meant in {"option_type", "side", "symbol"}):
        return ""
    if meant == "contracts" and kind == "option" and not _TERMS & set(map(str.lower, entry)):
        meant = "shares"
    if kind == "file" and meant == "positions" and not isinstance(entry[key], list):
        return ""
    negative = ", negative for a credit" if meant == "net_debit" else ""
    return f'is not a key of this file; did you mean "{meant}"{negative}?'
