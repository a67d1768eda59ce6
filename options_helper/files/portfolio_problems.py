"""The problems of a portfolio file, each with its place and an example of a valid value."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from options_helper.analysis.osi import (
    contract_symbol,
    format_osi_compact,
    is_contract_symbol,
    parse_contract_symbol,
)
from options_helper.errors import ContractSymbolError
from options_helper.files.json_text import JsonObject
from options_helper.files.misplaced_keys import kind_of, misplaced_keys
from options_helper.files.shown import closest, shown_value
from options_helper.models import Leg, MultiLegPosition, Portfolio, Position
from options_helper.printable import printable

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_SHOWN_CHARACTERS = 60

RIGHT = {
    "base_currency": '"USD", the only supported currency',
    "name": "text of at most 2,000 characters",
    "tag": 'a list of words, such as ["income", "2026"]',
    "note": "text of at most 2,000 characters",
    "account": '"none", or leave it out',
    "cash": "dollars, such as 2500.75 (negative for a debt)",
    "positions": "a list of positions",
    "id": 'text of at most 200 characters, such as "aapl-call-1"',
    "symbol": 'the symbol of the underlying, such as "AAPL" or "BRK-B"',
    "option_type": '"call" or "put"',
    "side": '"long" or "short"',
    "expiry": 'a valid date, such as "2026-12-18"',
    "strike": "dollars above 0, such as 250 or 2.5",
    "contracts": "a whole number other than 0, such as 2, or -2 for a short",
    "shares": "a number other than 0, such as 100, or -100 for a short",
    "cost_basis": "dollars per share, 0 or more, such as 3.15",
    "net_debit": "dollars for the whole structure, such as 120.5, or negative for a credit",
    "opened_at": 'a date, or a date and time, such as "2026-11-02" or "2026-11-02T10:30:00-05:00"',
    "multiplier": "a number above 0, such as 100",
    "root": 'the root of the contract symbol, such as "SPXW"',
    "stream": "true to stream its prices before others, or false",
    "legs": "a list of 2 to 100 legs; write a single option without legs",
}
RIGHT_IN_LEG = {
    "contracts": "a whole number above 0, such as 2; side gives the sign",
    "shares": "a number above 0, such as 100; side gives the sign",
}
_NUMBERS = {"cash", "strike", "contracts", "shares", "cost_basis", "net_debit", "multiplier"}
_A_PORTFOLIO = 'an object such as {"cash": 0, "positions": []}'
# A file with none of these keys belongs to another program.
_OF_A_PORTFOLIO = {"$schema", "base_currency", "cash", "positions"}
_A_POSITION = 'an object such as {"id": "aapl-call-1", "symbol": "AAPL", …}'
_A_LEG = 'an object such as {"side": "long", "option_type": "call", …}'


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in the file: its place in words ("position 'ic-1', leg 2, field strike") and the reason."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


def document_problems(document: object) -> list[Problem]:
    """Return a parsed document's repeated keys and ids, misplaced keys, and a missing list of positions."""
    problems = _misplaced(document)
    if isinstance(document, dict) and document and not _OF_A_PORTFOLIO & document.keys() and not problems:
        problems.append(Problem("", f'"positions" is missing; a portfolio is {_A_PORTFOLIO}'))
    problems += [
        Problem(place, f'the key "{key}" appears here more than once; keep one of them')
        for place, entry in _objects(document)
        if isinstance(entry, JsonObject)
        for key in entry.twins
        if key in RIGHT
    ]
    ids = Counter(_id_of(entry) for entry in _entries(document, "positions"))
    problems += [
        Problem(f"position {_named(name)}", f"{count} positions have this id; give each its own id")
        for name, count in ids.items()
        if name is not None and count > 1
    ]
    return problems


def _misplaced(document: object) -> list[Problem]:
    """Return the keys that look meaningful but are not read."""
    problems = []
    for place, entry, kind, underlying in _kinds(document):
        for key, reason in misplaced_keys(entry, kind, underlying=underlying):
            where = f"{place}, field {key}" if place else f"field {key}"
            problems.append(Problem(printable(where), reason))
    return problems


def _kinds(document: object) -> Iterator[tuple[str, dict[str, object], str, object]]:
    if isinstance(document, dict):
        yield "", document, "file", None
    for index, position in enumerate(_entries(document, "positions")):
        if not isinstance(position, dict):
            continue
        place = _position_place(document, index)
        yield place, position, kind_of(position, leg=False), None
        for number, leg in enumerate(_entries(position, "legs"), 1):
            if isinstance(leg, dict):
                yield f"{place}, leg {number}", leg, kind_of(leg, leg=True), position.get("symbol")


def opened_later(portfolio: Portfolio, today: dt.date) -> list[Problem]:
    """Return a problem for each position that was opened after today's New York date."""
    return [
        Problem(
            f"position {_named(position.id)}, field opened_at",
            f"{position.opened_on} is in the future; today's date in New York is {today}",
        )
        for position in portfolio.positions
        if position.opened_on is not None and position.opened_on > today
    ]


def validation_problems(document: object, error: ValidationError) -> list[Problem]:
    """Return pydantic's errors in the file's own terms."""
    return [
        _problem(document, detail)
        for detail in error.errors(include_url=False)
        # The portfolio's own check finds repeated ids, which `document_problems` has already named.
        if detail["loc"] or detail["type"] != "value_error"
    ]


def symbol_problems(portfolio: Portfolio) -> list[Problem]:
    """Return a problem for each option with terms that no contract symbol can express."""
    problems = []
    for position in portfolio.positions:
        for place, terms in _options_of(position):
            try:
                contract_symbol(position.symbol, terms)
            except ContractSymbolError as error:
                own = terms.root is not None or error.field != "root"
                # If a leg has no root of its own, the error is in the position's symbol and is reported once
                # for all legs.
                where = (*place, f"field {error.field}") if own else ("field symbol",)
                problems.append(Problem(", ".join((f"position {_named(position.id)}", *where)), str(error)))
    return list(dict.fromkeys(problems))


def contract_problems(document: object, portfolio: Portfolio) -> list[Problem]:
    """Return a problem for each unknown key that names a different contract than its entry."""
    problems = []
    for entry, position in zip(_entries(document, "positions"), portfolio.positions, strict=True):
        raw: dict[tuple[str, ...], Any] = {
            (f"leg {number}",): leg for number, leg in enumerate(_entries(entry, "legs"), 1)
        }
        for place, terms in _options_of(position):
            own = contract_symbol(position.symbol, terms)
            for key, value in raw.get(place, entry).items():
                if key not in RIGHT and isinstance(value, str) and is_contract_symbol(value):
                    named = format_osi_compact(parse_contract_symbol(value))
                    where = ", ".join((f"position {_named(position.id)}", *place, f"field {printable(key)}"))
                    problems += [Problem(where, f"names a different contract than {own}")] * (named != own)
    return problems


def _options_of(position: object) -> Iterator[tuple[tuple[str, ...], Position | Leg]]:
    if isinstance(position, Position):
        yield (), position
    elif isinstance(position, MultiLegPosition):
        for number, leg in enumerate(position.legs, 1):
            if isinstance(leg, Leg):
                yield (f"leg {number}",), leg


def _objects(document: object) -> Iterator[tuple[str, object]]:
    """Yield every object of a portfolio, with its place."""
    yield "", document
    for index, position in enumerate(_entries(document, "positions")):
        yield _position_place(document, index), position
        for number, leg in enumerate(_entries(position, "legs"), 1):
            yield f"{_position_place(document, index)}, leg {number}", leg


def _entries(parent: object, key: str) -> list[Any]:
    entries = parent.get(key) if isinstance(parent, dict) else None
    return entries if isinstance(entries, list) else []


def _id_of(position: object) -> str | None:
    name = position.get("id") if isinstance(position, dict) else None
    return name.strip() if isinstance(name, str) else None


def _position_place(document: object, index: int) -> str:
    name = _id_of(_entries(document, "positions")[index])
    return f"position {_named(name)}" if name else f"position {index + 1} (which has no id)"


def _problem(document: object, detail: ErrorDetails) -> Problem:
    # ("positions", 3, kind) or ("positions", 3, "structure", "legs", 1, kind), then perhaps a field.
    path = list(detail["loc"])
    place, right, rights = [], _A_PORTFOLIO, RIGHT
    if len(path) > 1:
        place.append(_position_place(document, int(path[1])))
        path, right = path[3:], _A_POSITION
    if len(path) > 1 and path[0] == "legs":
        place.append(f"leg {int(path[1]) + 1}")
        path, right, rights = path[3:], _A_LEG, RIGHT | RIGHT_IN_LEG
    if path:
        field = str(path[0])
        place.append(f"field {field}")
        return Problem(", ".join(place), _field_reason(field, rights[field], detail))
    return Problem(", ".join(place), f"must be {right}, not {shown_value(detail['input'])}")


def _field_reason(field: str, right: str, detail: ErrorDetails) -> str:
    value = detail["input"]
    if detail["type"] == "missing":
        return f"is missing; it must be {right}{_misspelt(field, value)}"
    return f"must be {right}, not {shown_value(value)}{_hint(field, detail)}"


def _hint(field: str, detail: ErrorDetails) -> str:
    value = detail["input"]
    if field in _NUMBERS and isinstance(value, str):
        return " (a number has no quotes)"
    context = detail.get("ctx", {})
    limit = abs(context.get("le", context.get("ge", 0)))
    return f" (no more than {limit:,.0f})" if limit > 1 else ""


def _misspelt(field: str, parent: object) -> str:
    unknown = [key for key in parent if key not in RIGHT] if isinstance(parent, dict) else []
    close = next((key for key in unknown if closest(key, {field})), None)
    return f' (did you misspell it as "{printable(close)}"?)' if close else ""


def _named(name: str) -> str:
    """Return an id as one short line, written as in JSON."""
    text = printable(json.dumps(name, ensure_ascii=False))
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
