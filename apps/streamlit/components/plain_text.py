"""Shows text that is not ours as plain text: ids, file names, settings, and messages of servers and errors.

Everything that the page did not write itself passes through `in_markdown` or `in_html` before it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

_SYNTAX = re.compile(r"[\\`*_{}\[\]()<>#+|~$:&]")
_LINE_START = re.compile(r"^(\d*)(?=[-=.)])")
_JOINER = "\N{WORD JOINER}"
# Streamlit rewrites these after it has read the backslashes: links, shortcodes, icons and typed arrows. An
# invisible joiner inside keeps them as they are. Two digits between colons are a time.
_REWRITTEN = re.compile(
    r":(?=//)|:(?=material/)|:(?!\d\d:)(?=[\w+-]+:)|www(?=\.)|@(?=[\w-])"
    r"|(?<!\S)[-<>~](?=(?:->?|[-=>])(?!\S))",
    re.IGNORECASE,
)
_REVERSING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def in_markdown(text: str) -> str:
    """Return the text so that Streamlit's Markdown shows it letter by letter."""
    joined = _REWRITTEN.sub(lambda found: found[0] + _JOINER, _visible(text))
    return _LINE_START.sub(r"\1\\", _SYNTAX.sub(r"\\\g<0>", joined))


def in_html(text: str) -> str:
    """Return the text so that HTML shows it letter by letter, in an element or an attribute."""
    return escape(_visible(text))


def _visible(text: str) -> str:
    """Replace characters that are invisible, or make other text look different, with a visible sign."""
    return "".join(_sign(letter) if not letter.isprintable() else letter for letter in text)


def _sign(letter: str) -> str:
    """Return the picture of a control character; a joiner or a rare space stays as it is."""
    code = ord(letter)
    if code < 0x20:  # noqa: PLR2004 - Unicode's control pictures follow this block
        return chr(0x2400 + code)
    if letter in _REVERSING or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}:
        return "\N{REPLACEMENT CHARACTER}"
    return letter
