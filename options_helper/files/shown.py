"""Formats values of a user's file for an error: numbers, dates and known words as they are, others by type.

The user may have chosen the wrong file, such as one with API keys.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection

_MOST_DIGITS = 24
_DATE = re.compile(r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}([T ][0-9:.+\-Z]{1,24})?")
_NUMBER = re.compile(r"[+-]?[$]?[0-9][0-9.,]{0,17}%?")
_WORDS = frozenset(
    word
    for words in (
        "call calls c put puts p straddle long short buy sell bought sold option options stock stocks equity",
        "share shares above below over under usd eur gbp chf jpy cad aud null none true false yes no",
    )
    for word in words.split()
)


def shown_value(value: object) -> str:
    """Return the value as JSON if it cannot contain a secret, else its type and size."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return _shown_text(value)
    if value is None or isinstance(value, bool | int | float):
        text = json.dumps(value)
        return text if len(text) <= _MOST_DIGITS else f"a number of {len(text)} digits"
    return f"a {type(value).__name__}"


def closest(key: str, known: Collection[str]) -> str | None:
    """Return the known key that was probably meant, or None."""
    found = difflib.get_close_matches(key.strip().lower(), known, n=1, cutoff=0.72)
    return found[0] if found else None


def _shown_text(text: str) -> str:
    plain = text.strip()
    if not plain:
        return "empty text"
    if plain.lower() in _WORDS or _DATE.fullmatch(plain) or _NUMBER.fullmatch(plain):
        return json.dumps(plain)
    return f"text of {len(text)} character{'' if len(text) == 1 else 's'}"
