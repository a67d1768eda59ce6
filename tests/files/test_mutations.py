"""Any mutation of a valid file ends in the same figures, a warning, or an error that names the place."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from options_helper.analysis.account.equity import exact, explain_equity
from options_helper.analysis.tables.view import compute_view
from options_helper.errors import PortfolioError
from options_helper.market import BrokerAccount, BrokerPosition, LiveSnapshot, PreviousClose, Quote
from options_helper.portfolio_file import parse_portfolio

if TYPE_CHECKING:
    import pandas as pd

    from options_helper.models import Portfolio

pytestmark = pytest.mark.slow

AT = dt.datetime(2026, 11, 24, 16, 0, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 11, 23)
DOCUMENT: dict[str, Any] = {
    "base_currency": "USD",
    "cash": 2500.75,
    "positions": [
        {
            "id": "put",
            "symbol": "XYZ",
            "option_type": "put",
            "expiry": "2026-12-18",
            "strike": 50,
            "contracts": 3,
            "cost_basis": 3.1,
            "opened_at": "2026-11-24",
            "multiplier": 100,
        },
        {
            "id": "short call",
            "symbol": "XYZ",
            "option_type": "call",
            "expiry": "2026-12-18",
            "strike": 55,
            "contracts": -2,
            "cost_basis": 0.6,
        },
        {"id": "shares", "symbol": "SLM", "shares": 200, "cost_basis": 18.36, "note": "n"},
        {
            "id": "spread",
            "symbol": "SPX",
            "net_debit": -300,
            "opened_at": "2026-11-02",
            "legs": [
                {
                    "side": side,
                    "option_type": "put",
                    "expiry": "2026-12-18",
                    "strike": strike,
                    "contracts": 1,
                    "root": "SPXW",
                }
                for side, strike in (("short", 6500), ("long", 6490))
            ],
        },
        {
            "id": "covered",
            "symbol": "ABC",
            "net_debit": 9500,
            "legs": [
                {"side": "long", "shares": 100},
                {
                    "side": "short",
                    "option_type": "call",
                    "expiry": "2026-12-18",
                    "strike": 105,
                    "contracts": 1,
                },
            ],
        },
    ],
}
PRICES = {
    "XYZ": (48.49, 48.51),
    "SLM": (20.10, 20.12),
    "ABC": (98.0, 98.02),
    "SPX": (6600.0, 6600.2),
    "XYZ261218P00050000": (3.0, 3.2),
    "XYZ261218C00055000": (0.5, 0.54),
    "SPXW261218P06500000": (40.0, 40.4),
    "SPXW261218P06490000": (38.0, 38.4),
    "ABC261218C00105000": (2.1, 2.14),
}
HELD = {
    "XYZ261218P00050000": 3,
    "XYZ261218C00055000": -2,
    "SLM": 200,
    "SPXW261218P06500000": -1,
    "SPXW261218P06490000": 1,
    "ABC": 100,
    "ABC261218C00105000": -1,
}
Place = tuple[str | int, ...]
DEPTH_OF_POSITIONS = 2


def snapshot() -> LiveSnapshot:
    """Return prices of everything in the document, and the account that it describes."""
    quotes = {name: Quote(name, *sides, 1, 1, AT, AT) for name, sides in PRICES.items()}
    return LiveSnapshot(
        as_of=AT,
        market_phase="open",
        trading_date=AT.date(),
        previous_trading_date=MONDAY,
        option_quotes={name: quote for name, quote in quotes.items() if len(name) > 8},
        stock_quotes={name: quote for name, quote in quotes.items() if len(name) <= 8},
        previous_closes={name: PreviousClose(sides[0] * 0.98, MONDAY) for name, sides in PRICES.items()},
        multipliers={name: 100.0 for name in PRICES if len(name) > 8},
        broker=BrokerAccount(equity=25_000.0, cash=DOCUMENT["cash"], as_of=AT),
        broker_positions={name: BrokerPosition(name, quantity) for name, quantity in HELD.items()},
    )


LIVE = snapshot()


@dataclass(frozen=True)
class Mutation:
    """A changed file, and the key that was changed."""

    words: str
    key: str
    text: str


def objects(value: object, place: Place = ()) -> Iterator[Place]:
    """Yield the place of each object of a document."""
    if isinstance(value, dict):
        yield place
        for key, each in value.items():
            yield from objects(each, (*place, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from objects(each, (*place, number))


def at(document: Any, place: Place) -> Any:
    """Return the value at a place."""
    for step in place:
        document = document[step]
    return document


def changed(place: Place, key: str, value: object, *, remove: bool = False, to: Place | None = None) -> str:
    """Return the document with a key set, or moved to another place."""
    document = copy.deepcopy(DOCUMENT)
    if remove:
        del at(document, place)[key]
    else:
        at(document, place)[key] = value
    if to is not None:
        at(document, to)[key] = value
    return json.dumps(document)


def spellings(key: str) -> set[str]:
    """Return near misses of a key: a letter missing, doubled or swapped, and other ways to write words."""
    swapped = {key[:n] + key[n + 1] + key[n] + key[n + 2 :] for n in range(len(key) - 1)}
    shorter = {key[:n] + key[n + 1 :] for n in range(len(key))}
    doubled = {key[:n] + key[n] + key[n:] for n in range(len(key))}
    head, *rest = key.split("_")
    cases = {key.upper(), key.title(), head + "".join(map(str.title, rest)), key.replace("_", "-")}
    cases |= {key.replace("_", ""), key.replace("_", " "), f"{key} ", f" {key}", f"{key}s"}
    return (swapped | shorter | doubled | cases) - {key}


def renamed() -> Iterator[Mutation]:
    """Yield the document with each key in each near spelling."""
    for place in objects(DOCUMENT):
        for key, value in at(DOCUMENT, place).items():
            for other in spellings(key):
                document = copy.deepcopy(DOCUMENT)
                entry = at(document, place)
                del entry[key]
                entry[other] = value
                yield Mutation(f"{place} {key} -> {other}", key, json.dumps(document))


def moved() -> Iterator[Mutation]:
    """Yield the document with each key moved to each other object."""
    for place in objects(DOCUMENT):
        for key, value in at(DOCUMENT, place).items():
            for to in objects(DOCUMENT):
                if key == "opened_at" and len(to) == len(place) == DEPTH_OF_POSITIONS:
                    continue  # both files are right, and say that another position was opened then
                if to != place and to[: len(place) + 1] != (*place, key):
                    yield Mutation(
                        f"{place} {key} to {to}", key, changed(place, key, value, remove=True, to=to)
                    )


def doubled() -> Iterator[Mutation]:
    """Yield the document with each key twice in its object, with one value or two."""
    for place in objects(DOCUMENT):
        for key, value in at(DOCUMENT, place).items():
            for second in (value, 7):
                text = changed(place, key, "MARK")
                twice = f'{json.dumps(value)}, "{key}": {json.dumps(second)}'
                yield Mutation(f"{place} {key} twice", key, text.replace('"MARK"', twice, 1))


def scaled() -> Iterator[Mutation]:
    """Yield the document with each number negated, or a hundred times as large or as small."""
    for place in objects(DOCUMENT):
        for key, value in at(DOCUMENT, place).items():
            if isinstance(value, int | float):
                for factor in (-1, 100, 0.01):
                    new = value * factor
                    new = int(new) if new == int(new) else new
                    yield Mutation(f"{place} {key} x {factor}", key, changed(place, key, new))


def words_of(portfolio: Portfolio) -> set[tuple[str, str]]:
    """Return the warnings and doubts of each row, and where the account holds a different quantity."""
    view = compute_view(portfolio, LIVE, stale_after_seconds=30.0)
    assert LIVE.broker is not None
    bridge = explain_equity((), exact(portfolio.cash), {}, LIVE.broker)
    said = {("", "the cash differs")} if bridge is None or bridge.cash else set()
    for table in (view.positions, view.structures, view.legs):
        for row in table.to_dict("records"):
            name = str(row.get("id", row.get("position_id")))
            said |= {(name, each) for each in (*row.get("warnings", ()), *row.get("doubts", ()))}
            if "broker_quantity" in row and row["broker_quantity"] != row["quantity"]:
                said.add((name, "the account differs"))
    return said


def figures(portfolio: Portfolio) -> list[Any]:
    """Return every figure that the page shows of a portfolio."""
    view = compute_view(portfolio, LIVE, stale_after_seconds=30.0)
    tables: list[pd.DataFrame] = [view.positions, view.structures, view.legs]
    return [portfolio.cash, *(table.select_dtypes("number").to_numpy().tolist() for table in tables)]


ORIGINAL = parse_portfolio("p.json", json.dumps(DOCUMENT).encode(), today=AT.date())


def is_silent(mutation: Mutation) -> bool:
    """Return whether a mutation changes figures without a warning or an error that says where."""
    try:
        portfolio = parse_portfolio("p.json", mutation.text.encode(), today=AT.date())
    except PortfolioError as error:
        return not any(place or mutation.key in reason for place, reason in error.problems)
    if portfolio == ORIGINAL or repr(figures(portfolio)) == repr(figures(ORIGINAL)):
        return False
    return words_of(portfolio) <= words_of(ORIGINAL)


@pytest.mark.parametrize("kind", [renamed, moved, doubled, scaled])
def test_no_mutation_changes_figures_silently(kind: Any) -> None:
    """Every key of every object is changed, and the result is compared with prices and the account."""
    mutations = list(kind())
    assert len(mutations) > 50
    assert [each.words for each in mutations if is_silent(each)] == []
