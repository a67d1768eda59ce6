"""Foreign text for a terminal or a log."""

from __future__ import annotations

import unicodedata

# Control, format (direction overrides among them) and surrogate characters; line and paragraph separators.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNDECODABLE = range(0xDC80, 0xDD00)  # how Python keeps a file name's bytes that are not UTF-8


def printable(text: str, *, keep_lines: bool = False) -> str:
    r"""Return the text with characters that would act on a terminal written as escapes such as `\x1b`.

    Args:
        text: Any text, lone surrogates included.
        keep_lines: Keep line feeds, for text whose lines are our own.
    """
    if text.isprintable():
        return text
    return "".join(char if keep_lines and char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _ESCAPED:
        return char
    if ord(char) in _UNDECODABLE:
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
