"""Groups of lots as entries of a portfolio file; each entry's note states every guess."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from options_helper.analysis.account.writing.groups import Evidence, Group, Part
from options_helper.analysis.account.writing.lots import Lot
from options_helper.analysis.osi import (
    contract_root,
    is_contract_symbol,
    normalize_underlying,
    parse_contract_symbol,
    underlying_of,
)
from options_helper.analysis.strategies.structures import describe_structure
from options_helper.analysis.text.wording import format_day, join_words
from options_helper.models import MultiLegPosition
from options_helper.times import NEW_YORK, new_york_date

Entry = dict[str, Any]

_CENT = Decimal("0.01")
_FINEST = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class SymbolFormat:
    """Spells symbols as a portfolio file does.

    Attributes:
        underlyings: Known underlyings in Alpaca's spelling, keyed by contract root.
    """

    underlyings: Mapping[str, str]

    def underlying(self, symbol: str) -> str:
        """Return a symbol's underlying, such as `BRK.B` for a contract with the root `BRKB`."""
        if not is_contract_symbol(symbol):
            return symbol
        return self.underlyings.get(contract_root(symbol)) or underlying_of(symbol)

    def terms(self, symbol: str) -> Entry:
        """Return a contract's type, expiry and strike, and its root if it differs from the underlying."""
        contract = parse_contract_symbol(symbol)
        terms: Entry = {
            "option_type": contract.option_type,
            "expiry": contract.expiry.isoformat(),
            "strike": to_number(Decimal(str(contract.strike))),
        }
        if contract.underlying_norm != normalize_underlying(self.underlying(symbol)):
            terms["root"] = contract.underlying_norm
        return terms


def write_entry(group: Group, symbols: SymbolFormat, taken: Collection[str]) -> Entry:
    """Return the entry of a portfolio file for a group.

    Args:
        group: The lots of one position.
        symbols: Spells the symbols.
        taken: The ids already in use.
    """
    parts = group.parts
    entry: Entry = {"id": "", "symbol": symbols.underlying(parts[0].symbol)}
    if len(parts) > 1:
        entry |= {
            "legs": [write_leg(part, symbols) for part in parts],
            "net_debit": to_number(net_debit(parts)),
        }
    else:
        entry |= single_fields(parts[0], symbols)
    entry["id"] = _free(_name(entry), taken)
    opened = group.opened
    if opened is not None:
        entry["opened_at"] = _written(opened)
    note = note_of(group)
    if note:
        entry["note"] = note
    return entry


def single_fields(part: Part, symbols: SymbolFormat) -> Entry:
    """Return the fields of shares or of a single option: terms, quantity and cost."""
    cost = {"cost_basis": to_number(part.price)}
    if is_contract_symbol(part.symbol):
        return {**symbols.terms(part.symbol), "contracts": to_number(part.quantity), **cost}
    return {"shares": to_number(part.quantity), **cost}


def write_leg(part: Part, symbols: SymbolFormat) -> Entry:
    """Return the entry of one leg of a structure."""
    leg: Entry = {"side": "long" if part.quantity > 0 else "short"}
    if is_contract_symbol(part.symbol):
        return leg | symbols.terms(part.symbol) | {"contracts": to_number(abs(part.quantity))}
    return leg | {"shares": to_number(abs(part.quantity))}


def net_debit(parts: Iterable[Part]) -> Decimal:
    """Return the total cost of the parts in dollars and cents, negative for a credit."""
    return sum((part.cost for part in parts), Decimal(0)).quantize(_CENT, ROUND_HALF_UP)


def to_number(value: Decimal) -> int | float:
    """Return a number for JSON: an int if it is whole, else a float with at most nine decimals."""
    value = value.quantize(_FINEST, ROUND_HALF_UP)
    return int(value) if value == value.to_integral_value() else float(value)


def note_of(group: Group) -> str:
    """Return the sentences that state the guesses made about a group, or ""."""
    lots, sentences = group.lots, []
    if group.evidence is Evidence.MINUTE and isinstance(group.opened, dt.datetime):
        sentences.append(
            "Grouped because its parts were opened within one minute, on "
            f"{format_day(new_york_date(group.opened))}; no multi-leg order links them."
        )
    if len(group.parts) > 1 and any(lot.rolled for lot in lots):
        sentences.append(
            "A leg was rolled; net_debit is the cost of the current legs, without the results of closed ones."
        )
    unexplained = {lot.symbol for lot in lots if lot.opened is None}
    if symbols := _symbols(lot for lot in lots if lot.averaged and lot.symbol not in unexplained):
        sentences.append(
            f"The cost of {symbols} is the broker's average price; the executions add up to a different cost."
        )
    if unexplained:
        symbols = join_words(sorted(unexplained))
        sentences.append(
            f"The executions found do not open all of {symbols}; the cost is the broker's average price."
        )
    events = {lot.event for lot in lots if lot.event is not None}
    if events:
        sentences.append(
            "Opened by an assignment or exercise; the cost is the strike, without the option's premium."
        )
    return " ".join(sentences)


def _symbols(lots: Iterable[Lot]) -> str:
    return join_words(sorted({lot.symbol for lot in lots}))


def _name(entry: Entry) -> str:
    """Return a readable id, such as `aapl-call-250-2026-12-18` or `spy-iron-condor-2026-12-18`."""
    if "legs" in entry:
        structure = describe_structure(MultiLegPosition.model_validate(entry | {"id": "x"}))
        expiries = sorted({leg["expiry"] for leg in entry["legs"] if "expiry" in leg})
        words: Sequence[object] = (entry["symbol"], structure.name, *expiries[:1])
    elif "shares" in entry:
        words = (entry["symbol"], "shares")
    else:
        words = (entry["symbol"], entry["option_type"], f"{entry['strike']:g}", entry["expiry"])
    return re.sub(r"[^a-z0-9.]+", "-", "-".join(map(str, words)).lower()).strip("-")


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _written(opened: dt.datetime | dt.date) -> str:
    if isinstance(opened, dt.datetime):
        return opened.astimezone(NEW_YORK).isoformat(timespec="seconds")
    return opened.isoformat()
