"""Parses the bytes of a JSON file; errors describe the problem without quoting the file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from options_helper.errors import UserFileError

_HINTS = {
    "Expecting property name enclosed in double quotes": "a key in double quotes is expected here; "
    "look for an extra comma before it, a comment, or single quotes",
    "Expecting ',' delimiter": "a comma, or a closing bracket, is expected here",
    "Expecting ':' delimiter": "a colon is expected here, between a key and its value",
    "Expecting value": "a value is expected here; look for an extra comma, a missing value, "
    'or text without its double quotes, such as "call"',
    "Extra data": "the document ended before this; remove the rest",
    "Invalid control character at": "this text contains a line break or a tab; write it as \\n or \\t",
    "Unterminated string starting at": "the closing double quote of this text is missing",
    "Illegal trailing comma before end of object": "remove the comma before the }",
    "Illegal trailing comma before end of array": "remove the comma before the ]",
}


class JsonObject(dict[str, Any]):
    """A JSON object that remembers its repeated keys; a plain dict keeps only the last value."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.twins = [key for key, count in counts.items() if count > 1]


def parse_json(path: Path, content: bytes, error_type: type[UserFileError], *, smallest: str) -> object:
    """Return the document, with its objects as `JsonObject`.

    Args:
        path: The file that errors name.
        content: The file's bytes; a byte order mark is allowed.
        error_type: The type of error to raise.
        smallest: The smallest valid document, shown if the file is empty.

    Raises:
        UserFileError: The file is not UTF-8 text, or not JSON; raised as `error_type`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _line_and_column(error)
        raise error_type(path, "this is not UTF-8 text; save the file as UTF-8", place=place) from None
    if not text.strip():
        raise error_type(path, f"the file is empty; the smallest one is {smallest}")
    try:
        return json.loads(text, object_pairs_hook=JsonObject)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise error_type(path, f"this is not JSON: {_in_words(error)}", place=place) from None
    except RecursionError:
        raise error_type(path, "the brackets are nested too deeply; four levels are enough") from None
    except ValueError:  # an integer of thousands of digits, which Python refuses to convert
        raise error_type(path, "a number has thousands of digits; shorten it") from None


def _in_words(error: json.JSONDecodeError) -> str:
    return _HINTS.get(error.msg, error.msg[:1].lower() + error.msg[1:])


def _line_and_column(error: UnicodeDecodeError) -> str:
    # Everything before the first wrong byte is valid UTF-8.
    *lines, last = error.object[: error.start].decode("utf-8-sig").split("\n")
    return f"line {len(lines) + 1}, column {len(last) + 1}"
