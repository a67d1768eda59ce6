"""The account written as a new portfolio file or merged into an existing one.

A merge keeps the file's groups, ids, names, tags and notes. It changes an entry's quantities and cost only if
its quantities differ from the account's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from options_helper.analysis.account.file_parts import FilePart, compared_positions, parts_of
from options_helper.analysis.account.records import ZERO, AccountHistory
from options_helper.analysis.account.writing.groups import Group, Part, group_lots, shape_of
from options_helper.analysis.account.writing.lots import Lot, find_lots
from options_helper.analysis.account.writing.written import (
    Entry,
    SymbolFormat,
    net_debit,
    note_of,
    single_fields,
    to_number,
    write_entry,
)
from options_helper.models import Portfolio

_KEPT_BY_A_SINGLE = ("id", "symbol", "name", "tag", "note", "opened_at")


@dataclass(slots=True)
class _Slot:
    """One position of the file, and the holdings of the account assigned to it.

    Attributes:
        kept: The signed quantity of each part that the account holds.
        added: The groups of lots added to the position.
    """

    entry: Entry
    parts: list[FilePart]
    kept: list[Decimal] = field(default_factory=list)
    added: list[Group] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """True if the account holds exactly this position."""
        return not self.added and self.kept == [part.quantity for part in self.parts]

    @property
    def has_unexplained_cost(self) -> bool:
        """True if the price of an added lot is the broker's average, not that of its executions."""
        return any(lot.averaged for group in self.added for lot in group.lots)

    @property
    def present(self) -> list[tuple[FilePart, Decimal]]:
        """The parts that the account holds, with their quantities."""
        added: defaultdict[str, Decimal] = defaultdict(Decimal)
        for group in self.added:
            for part in group.parts:
                added[part.symbol] += part.quantity
        totals = [(part, kept + added[part.symbol]) for part, kept in zip(self.parts, self.kept, strict=True)]
        return [(part, quantity) for part, quantity in totals if quantity]


def write_portfolio(history: AccountHistory) -> Entry:
    """Return the document of a new portfolio file for an account."""
    document: Entry = {"base_currency": "USD"}
    return merge_portfolio(document, Portfolio(), history)


def merge_portfolio(document: Entry, portfolio: Portfolio, history: AccountHistory) -> Entry:
    """Return the file's document with the fewest changes that make it agree with the account.

    Args:
        document: The parsed JSON of the file.
        portfolio: The same file as models, with its positions in the same order.
        history: The account's holdings and history.
    """
    merger = _Merger(history)
    compared = {position.id for position in compared_positions(portfolio)}
    slots = [
        (entry, merger.take(entry, parts_of(position)) if position.id in compared else None)
        for entry, position in zip(document.get("positions", []), portfolio.positions, strict=True)
    ]
    merger.spread_rest()
    entries = [entry if slot is None else merger.write(slot) for entry, slot in slots]
    written = [entry for entry in entries if entry is not None]
    # The id of a removed position is not reused, because alerts may name it.
    written += merger.write_new({position.id for position in portfolio.positions})
    cash = portfolio.cash if history.cash is None else to_number(history.cash)
    kept = document if cash == portfolio.cash and "cash" in document else document | {"cash": cash}
    return kept | {"positions": written}


class _Merger:
    """Distributes the account's holdings over the file's positions, and the rest over new ones."""

    def __init__(self, history: AccountHistory) -> None:
        self._symbols = SymbolFormat(history.underlyings)
        self._lots = find_lots(history)
        self._kept_prices: dict[str, Decimal] = {}
        self._left: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._left |= {holding.symbol: holding.quantity for holding in history.holdings}
        self._slots: list[_Slot] = []
        self._new: list[Group] = []

    def take(self, entry: Entry, parts: list[FilePart]) -> _Slot:
        """Assign a position its share of the account's holdings."""
        slot = _Slot(entry, parts)
        for part in parts:
            held = self._left[part.symbol]
            same_side = held * part.quantity > 0
            kept = min(held, part.quantity, key=abs) if same_side else ZERO
            self._left[part.symbol] -= kept
            slot.kept.append(kept)
        self._slots.append(slot)
        return slot

    def spread_rest(self) -> None:
        """Add the remaining lots to positions with the same contracts and ratio, or to new positions."""
        newest = self._newest_lots()
        self._kept_prices = _prices_without(self._lots, newest)
        for group in group_lots(newest):
            slot = next((slot for slot in self._slots if _is_more_of(group, slot)), None)
            (self._new if slot is None else slot.added).append(group)

    def write(self, slot: _Slot) -> Entry | None:
        """Return a position's entry updated to the account, or None if the account holds none of it."""
        present = slot.present
        if slot.agrees:
            return slot.entry
        if not present:
            return None
        if "legs" not in slot.entry:
            return self._resized_single(slot)
        if len(present) == 1:
            return self._only_leg(slot)
        return self._resized_structure(slot)

    def write_new(self, taken: set[str]) -> list[Entry]:
        """Return entries for the holdings that belong to no position of the file, sorted by symbol."""
        entries = []
        for group in sorted(self._new, key=lambda group: [part.symbol for part in group.parts]):
            entry = write_entry(group, self._symbols, taken)
            taken.add(entry["id"])
            entries.append(entry)
        return entries

    def _newest_lots(self) -> list[Lot]:
        """Return the lots of each holding's remainder, its newest; the file's positions take the oldest."""
        chosen = []
        for lot in reversed(self._lots):
            left = self._left[lot.symbol]
            if left * lot.quantity > 0:
                taken = min(left, lot.quantity, key=abs)
                self._left[lot.symbol] -= taken
                chosen.append(replace(lot, quantity=taken))
        return chosen[::-1]

    def _resized_single(self, slot: _Slot) -> Entry:
        [(part, quantity)] = slot.present
        [kept] = slot.kept
        entry, field_name = slot.entry, "shares" if "shares" in slot.entry else "contracts"
        changed = entry | {field_name: to_number(quantity)}
        if not slot.added:
            return changed
        notes = map(note_of, slot.added)
        if slot.has_unexplained_cost:
            return _noted(changed | {"cost_basis": to_number(self._kept_prices[part.symbol])}, *notes)
        cost = kept * Decimal(str(entry["cost_basis"]))
        cost += sum((part.quantity * part.price for group in slot.added for part in group.parts), ZERO)
        changed["cost_basis"] = to_number(cost / quantity)
        grown = f"cost_basis averages the file's cost and that of {to_number(abs(quantity - kept))} more."
        return _noted(changed, grown, *notes)

    def _only_leg(self, slot: _Slot) -> Entry:
        [(part, quantity)] = slot.present
        kept = {name: slot.entry[name] for name in _KEPT_BY_A_SINGLE if name in slot.entry}
        single = kept | single_fields(
            Part(part.symbol, quantity, self._kept_prices[part.symbol]), self._symbols
        )
        return _noted(single, "The other legs are no longer held; cost_basis is the cost of this one.")

    def _resized_structure(self, slot: _Slot) -> Entry:
        present = slot.present
        entry = slot.entry | {"legs": [self._resized_leg(slot.entry, *row) for row in present]}
        before = entry.get("net_debit")
        if before is None:
            return entry
        shares = {kept / part.quantity for part, kept in zip(slot.parts, slot.kept, strict=True)}
        if len(shares) == 1 and len(present) == len(slot.parts) and not slot.has_unexplained_cost:
            cost = Decimal(str(before)) * shares.pop()
            note = "net_debit changed with the number of structures."
        else:
            cost = net_debit(
                Part(part.symbol, size, self._kept_prices[part.symbol])
                for part, size in zip(slot.parts, slot.kept, strict=True)
                if size
            )
            note = "The legs changed; net_debit is the cost of the legs held."
        cost += sum((net_debit(group.parts) for group in slot.added), ZERO)
        return _noted(entry | {"net_debit": to_number(round(cost, 2))}, note, *map(note_of, slot.added))

    def _resized_leg(self, entry: Entry, part: FilePart, quantity: Decimal) -> Entry:
        leg: Entry = entry["legs"][part.leg]
        size = to_number(abs(quantity))
        if quantity == part.quantity:
            return leg
        return leg | ({"shares": size} if "shares" in leg else {"contracts": size})


def _prices_without(lots: Iterable[Lot], taken: Iterable[Lot]) -> dict[str, Decimal]:
    """Return the average price by symbol of the lots that are left; dollars per share."""
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for sign, each in ((1, lots), (-1, taken)):
        for lot in each:
            quantities[lot.symbol] += sign * lot.quantity
            costs[lot.symbol] += sign * lot.quantity * lot.price
    return {symbol: costs[symbol] / quantity for symbol, quantity in quantities.items() if quantity}


def _is_more_of(group: Group, slot: _Slot) -> bool:
    """Return whether a group enlarges a position: same contracts, sides and ratio, and every part held."""
    parts = [Part(part.symbol, part.quantity, ZERO) for part in slot.parts]
    return shape_of(group.parts) == shape_of(parts) and all(slot.kept)


def _noted(entry: Entry, *sentences: str) -> Entry:
    """Return an entry with these sentences appended to its note."""
    return entry | {"note": " ".join(filter(None, (entry.get("note"), *sentences)))}
