"""Makes untrusted text safe for a terminal or a log."""

from __future__ import annotations

import json
import unicodedata

# Control, format (direction overrides among them) and surrogate characters; line and paragraph separators.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNDECODABLE = range(0xDC80, 0xDD00)  # Python's stand-ins for bytes of a file name that are not UTF-8


def printable(text: str, *, keep_lines: bool = False) -> str:
    r"""Return the text with every character that a terminal might act on escaped, such as `\x1b`.

    Args:
        text: Any text, even with lone surrogates.
        keep_lines: Keep line feeds, for text whose lines are our own.
    """
    if text.isprintable():
        return text
    return "".join(char if keep_lines and char == "\n" else _escaped(char) for char in text)


def printable_json(document: object) -> str:
    r"""Return a document as indented JSON, with characters that a terminal might act on as `\u001b`."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    # Line feeds are only between lines; JSON has already escaped those inside strings.
    return "".join(json.dumps(char)[1:-1] if char != "\n" and _acts(char) else char for char in text)


def _acts(char: str) -> bool:
    return unicodedata.category(char) in _ESCAPED


def _escaped(char: str) -> str:
    if not _acts(char):
        return char
    if ord(char) in _UNDECODABLE:
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
