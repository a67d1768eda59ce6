"""The JSON Schema of a portfolio file, generated from the models and shipped with this module.

A schema cannot express everything; `BEYOND_A_SCHEMA` lists the problems that only the loader finds.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from options_helper.files.misplaced_keys import AMOUNT_PATTERN, other_names, refused_keys, refused_numbers
from options_helper.files.portfolio_problems import RIGHT, RIGHT_IN_LEG
from options_helper.models import Portfolio

FILE_NAME = "portfolio.schema.json"
BEYOND_A_SCHEMA = (
    "two positions with the same id",
    "a key that appears twice in one object",
    "a date that does not exist, such as 29 February in most years",
    "opened_at in the future",
    "a strike, an expiry or a root that no contract symbol can express",
    "a misspelt key, or another program's name in an unusual spelling",
    "a leg with the symbol of another underlying",
    "an unknown key that contradicts its entry, or says that it is closed",
    "a list of positions under an unknown key",
    "another program's file, with none of a portfolio's keys",
    "NaN and Infinity, which are not JSON",
)

_KINDS = {
    "Position": "option",
    "MultiLegPosition": "structure",
    "EquityPosition": "equity",
    "Leg": "option leg",
    "StockLeg": "stock leg",
}

Schema = dict[str, Any]

_AMOUNT: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": AMOUNT_PATTERN}]}


def portfolio_schema() -> str:
    """Return the shipped schema's text."""
    return files("options_helper.files").joinpath(FILE_NAME).read_text(encoding="utf-8")


def build_schema() -> str:
    """Return the schema's text, generated from the models."""
    schema = Portfolio.model_json_schema()
    definitions: Schema = schema.pop("$defs")
    _refine(schema, "file")
    for name, kind in _KINDS.items():
        _refine(definitions[name], kind)
    positions, legs = (parent["properties"] for parent in (schema, definitions["MultiLegPosition"]))
    positions["positions"]["items"] = _one_of(
        "Position", {"legs": "MultiLegPosition", "shares": "EquityPosition"}
    )
    legs["legs"]["items"] = _one_of("Leg", {"shares": "StockLeg"})
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A portfolio file of options-helper",
        **schema,
        "$defs": {**definitions, "Amount": _AMOUNT},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _one_of(otherwise: str, by_key: dict[str, str]) -> Schema:
    """Return a schema that picks an entry's kind by its keys, so that an error concerns only that kind."""
    choice: Schema = _reference(otherwise)
    for key, name in reversed(by_key.items()):
        choice = {"if": {"required": [key]}, "then": _reference(name), "else": choice}
    # Without these properties, an editor would never suggest the keys that choose a kind.
    proposed = {key: {"description": _sentence(RIGHT[key])} for key in by_key}
    return {"type": "object", "properties": proposed, **choice}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _refine(schema: Schema, kind: str) -> None:
    """Reduce a model's schema to what an editor shows, and refuse keys that have no meaning in it."""
    del schema["title"]
    schema["description"] = schema["description"].split("\n\n")[0]
    properties: Schema = schema["properties"]
    right = RIGHT | (RIGHT_IN_LEG if kind.endswith("leg") else {})
    for name, field in properties.items():
        field.pop("title", None)
        if field.get("default", 0) is None:
            del field["default"]
        field["description"] = _sentence(right[name])
    if kind == "file":
        properties["$schema"] = {"type": "string", "description": "The path or address of this schema."}
        properties |= {name: {"not": {"type": "array"}} for name in other_names("positions")}
    properties |= dict.fromkeys(sorted(refused_keys(kind)), False)
    properties |= {name: {"not": _reference("Amount")} for name in sorted(refused_numbers(kind))}
    if kind.endswith("leg"):
        properties["symbol"] = {"type": "string", "description": "The position's own symbol; optional."}


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
