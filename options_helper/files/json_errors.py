"""What is wrong with a text that is not JSON, in words."""

from __future__ import annotations

import json


def describe_json_error(error: json.JSONDecodeError) -> str:
    """What is expected where the text stops being JSON, in words that lead to it."""
    hints = {
        "Expecting property name enclosed in double quotes": "a key in double quotes is expected here; "
        "look for a comma too many before it, a comment, or single quotes",
        "Expecting ',' delimiter": "a comma, or a closing bracket, is expected here",
        "Expecting ':' delimiter": "a colon is expected here, between a key and its value",
        "Expecting value": "a value is expected here; look for a comma too many, a value left out, "
        'or text without its double quotes, such as "call"',
        "Extra data": "the document ended before this; remove what follows it",
        "Invalid control character at": "a line break or a tab stands in this text; write it as \\n",
        "Unterminated string starting at": "the closing double quote of this text is missing",
        "Illegal trailing comma before end of object": "the comma before the } is one too many",
        "Illegal trailing comma before end of array": "the comma before the ] is one too many",
    }
    return hints.get(error.msg, error.msg[:1].lower() + error.msg[1:])
