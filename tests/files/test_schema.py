"""The portfolio file's JSON Schema agrees with the loader, as far as a schema can."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from typer.testing import CliRunner

from options_helper import cli
from options_helper.errors import PortfolioError
from options_helper.files.misplaced_keys import refused_keys, refused_numbers
from options_helper.files.portfolio_problems import opened_later, symbol_problems
from options_helper.files.schema import BEYOND_A_SCHEMA, build_schema, portfolio_schema
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg
from options_helper.portfolio_file import parse_portfolio
from options_helper.simulator.account.portfolio import demo_portfolio

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2026, 11, 27)
SCHEMA = Draft202012Validator(json.loads(build_schema()))
LEG: dict[str, Any] = {
    "side": "long",
    "option_type": "put",
    "expiry": "2026-12-18",
    "strike": 90,
    "contracts": 2,
}
OPTION: dict[str, Any] = {
    "id": "one",
    "symbol": "BRK-B",
    "option_type": "CALL",
    "expiry": "2026-12-18",
    "strike": 2.5,
    "contracts": -1,
    "cost_basis": 0,
    "opened_at": "2026-11-02T10:30:00-05:00",
    "multiplier": 100,
    "root": "BRKB1",
    "name": "n",
    "tag": ["a"],
    "note": "",
    "account": "none",
}
EQUITY: dict[str, Any] = {
    "id": "two",
    "symbol": "SPY",
    "shares": 0.5,
    "cost_basis": 10,
    "opened_at": "2026-11-02",
}
STRUCTURE: dict[str, Any] = {
    "id": "three",
    "symbol": "SPY",
    "legs": [LEG, {"side": "short", "shares": 100}],
    "net_debit": -12.5,
    "opened_at": None,
}
WHOLE: dict[str, Any] = {
    "$schema": "portfolio.schema.json",
    "base_currency": "usd",
    "cash": -5,
    "account": None,
    "positions": [OPTION, EQUITY, STRUCTURE],
    "from_elsewhere": {"a": [1]},
}
# Places of a field, as paths into WHOLE, by model.
PLACES = {
    Portfolio: (),
    Position: ("positions", 0),
    EquityPosition: ("positions", 1),
    MultiLegPosition: ("positions", 2),
    Leg: ("positions", 2, "legs", 0),
    StockLeg: ("positions", 2, "legs", 1),
}
KINDS = dict(zip(PLACES, ("file", "option", "equity", "structure", "option leg", "stock leg"), strict=True))
WRONG = (
    *(None, True, "", " ", "x", "12", "none", "2026-02-30", "12/18/2026", "2026-12-18T10:00:00", "A_B"),
    *("BTC/USD", "eur-usd", "EUR", "1234", "x" * 201, "straddle", 0, -1, 1.5, 1e13, -1e13, 2_000_000),
    *([], {}, [1], ["a"], [""], [None], ["a"] * 51, [LEG], "x" * 2001),
)
RIGHT = ("call", "Put", "short", "LONG ", "USD", "2027-01-15", "2027-01-15T00:00:00", "AAPL", 1, 250, 7.5)


def is_loaded(document: object) -> bool:
    """Return whether the loader accepts a document."""
    try:
        parse_portfolio("p.json", json.dumps(document).encode(), today=TODAY)
    except PortfolioError:
        return False
    return True


def is_beyond(document: object) -> bool:
    """Return whether only the meaning is wrong: terms without a contract symbol, or a future day."""
    try:
        portfolio = Portfolio.model_validate(document)
    except ValidationError:
        return False
    return bool(symbol_problems(portfolio) or opened_later(portfolio, TODAY))


def changed(path: tuple[Any, ...], field: str, value: object) -> dict[str, Any]:
    """Return a file with one field changed, without the positions that it is not about."""
    document = copy.deepcopy(WHOLE)
    if path:
        document["positions"] = [document["positions"][path[1]]]
        path = (path[0], 0, *path[2:])
    entry: Any = document
    for part in path:
        entry = entry[part]
    entry[field] = value
    return document


def without_gone(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the fields that hold "gone"."""
    return {key: value for key, value in entry.items() if value != "gone"}


def places() -> list[tuple[type, str]]:
    """Return each field of each model."""
    return [(model, field) for model in PLACES for field in model.model_fields]


def test_the_shipped_schema_is_the_models_own() -> None:
    """The packaged file equals the generated one, and is a valid schema."""
    assert portfolio_schema() == build_schema()
    Draft202012Validator.check_schema(json.loads(portfolio_schema()))


def test_check_prints_the_schema() -> None:
    """`check --schema` prints the shipped file and nothing else."""
    result = CliRunner().invoke(cli.app, ["check", "--schema"])
    assert (result.exit_code, result.output) == (0, portfolio_schema())


@pytest.mark.parametrize("day", ["2026-11-27", "2027-02-28"])
def test_the_samples_are_valid(day: str) -> None:
    """The sample, the demo's portfolio and the documentation's examples are valid."""
    samples = [json.loads((ROOT / "portfolio.json").read_text()), demo_portfolio(dt.date.fromisoformat(day))]
    page = (ROOT / "docs" / "reference" / "portfolio-file.md").read_text()
    found = [json.loads(text) for text in re.findall(r"```json\n(\{.*?\})\n```", page, re.DOTALL)]
    samples += [each for each in found if "positions" in each]
    assert len(samples) > 2
    for sample in [*samples, WHOLE]:
        assert list(SCHEMA.iter_errors(sample)) == []


@pytest.mark.parametrize(("model", "field"), places(), ids=lambda part: getattr(part, "__name__", part))
def test_a_value_is_refused_by_both_or_by_neither(model: type, field: str) -> None:
    """For every field, the loader and the schema agree about right and wrong values."""
    for value in (*WRONG, *RIGHT):
        document = changed(PLACES[model], field, value)
        if is_beyond(document):
            continue
        assert SCHEMA.is_valid(document) == is_loaded(document), (field, value)


@pytest.mark.parametrize(("model", "field"), places(), ids=lambda part: getattr(part, "__name__", part))
def test_a_missing_field_is_refused_by_both_or_by_neither(model: type, field: str) -> None:
    """The schema requires every field that the loader needs."""
    document = json.loads(json.dumps(changed(PLACES[model], field, "gone")), object_hook=without_gone)
    assert SCHEMA.is_valid(document) == is_loaded(document)


@pytest.mark.parametrize("model", PLACES, ids=lambda model: model.__name__)
def test_a_key_in_the_wrong_place_is_refused_by_both(model: type) -> None:
    """Keys that would change the meaning but are not read are errors in an editor too."""
    for key in refused_keys(KINDS[model]):
        value: object = "SPX" if key == "symbol" else 5
        document = changed(PLACES[model], key, value)
        assert not is_loaded(document), key
        # A leg may repeat its position's symbol, and no schema can compare the two.
        assert SCHEMA.is_valid(document) == (key == "symbol" and "leg" in KINDS[model]), key


@pytest.mark.parametrize("model", PLACES, ids=lambda model: model.__name__)
def test_an_amount_under_another_name_is_refused_by_both(model: type) -> None:
    """A number, even in quotes, is an amount; a list or a word is not."""
    for key in refused_numbers(KINDS[model]):
        for value, is_amount in (
            (5, True),
            (1.5, True),
            (" 5", True),
            ("5 lots", False),
            ([], False),
            (True, False),
        ):
            document = changed(PLACES[model], key, value)
            assert is_loaded(document) == SCHEMA.is_valid(document) != is_amount, (key, value)


@pytest.mark.parametrize("document", [[], None, 17, "positions", {"holdings": [OPTION]}, {"positions": [17]}])
def test_another_document_is_refused_by_both(document: object) -> None:
    """A document of a different shape is not a portfolio."""
    assert not SCHEMA.is_valid(document)
    assert not is_loaded(document)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.sampled_from(RIGHT),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "positions",
                        "legs",
                        "id",
                        "symbol",
                        "shares",
                        "contracts",
                        "strike",
                        "side",
                        "cash",
                        "name",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_loader_refuses_what_the_schema_refuses(document: object) -> None:
    """No document is invalid in the editor and valid on the page."""
    if is_loaded(document):
        assert SCHEMA.is_valid(document)


BEYOND: dict[str, str] = {
    "two positions with the same id": json.dumps({"positions": [EQUITY, EQUITY]}),
    "a key that appears twice in one object": '{"cash": 1, "cash": 2}',
    "a date that does not exist, such as 29 February in most years": json.dumps(
        {"positions": [OPTION | {"expiry": "2027-02-29"}]}
    ),
    "opened_at in the future": json.dumps({"positions": [EQUITY | {"opened_at": "2026-11-28"}]}),
    "a strike, an expiry or a root that no contract symbol can express": json.dumps(
        {"positions": [OPTION | {"strike": 0.00001}]}
    ),
    "a misspelt key, or another program's name in an unusual spelling": json.dumps(
        {"positions": [OPTION | {"Qty": 5}]}
    ),
    "a leg with the symbol of another underlying": json.dumps(
        {"positions": [STRUCTURE | {"legs": [LEG | {"symbol": "QQQ"}, LEG]}]}
    ),
    "an unknown key that contradicts its entry, or says that it is closed": json.dumps(
        {"positions": [OPTION | {"currency": "EUR"}]}
    ),
    "a list of positions under an unknown key": json.dumps({"stocks": [EQUITY]}),
    "another program's file, with none of a portfolio's keys": '{"type": "service_account"}',
    "NaN and Infinity, which are not JSON": '{"cash": NaN}',
}


@pytest.mark.parametrize("reason", BEYOND_A_SCHEMA)
def test_the_list_of_what_a_schema_cannot_say_is_true(reason: str) -> None:
    """Each entry has a file that passes the schema but that the loader refuses."""
    text = BEYOND[reason]
    assert SCHEMA.is_valid(json.loads(text))
    with pytest.raises(PortfolioError):
        parse_portfolio("p.json", text.encode(), today=TODAY)
