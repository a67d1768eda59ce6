"""Foreign text shown literally: ids, file names, settings, and messages from servers and errors.

All text that the page did not write itself passes through `in_markdown` or `in_html` before it is shown, or
through `visible` if it is shown as plain text.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

_SYNTAX = re.compile(r"[\\`*_{}\[\]()<>#+|~$:&]")
_LINE_START = re.compile(r"^(\d*)(?=[-=.)])")
_JOINER, _MINUS = "\N{WORD JOINER}", "\N{MINUS SIGN}"
# Streamlit rewrites these despite a backslash: links, shortcodes, icons and typed arrows. An invisible joiner
# inside keeps them as they are. Two digits between colons are a time.
_REWRITTEN = re.compile(
    r":(?=//)|:(?=material/)|:(?!\d\d:)(?=[\w+-]+:)|www(?=\.)|@(?=[\w-])"
    r"|(?<!\S)[-<>~](?=(?:->?|[-=>])(?!\S))",
    re.IGNORECASE,
)
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, text directions, invisible characters
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters without ink
# Joiners belong to words of other scripts and to emojis; elsewhere they make different ids look alike.
_JOINING = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])|(?<=\u2212)\u2060")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(f"({_MARK}{{4}}){_MARK}+")  # a taller pile would cover the lines above and below


def in_markdown(text: str) -> str:
    """Return the text escaped so that Streamlit's Markdown shows it literally."""
    joined = _REWRITTEN.sub(lambda found: found[0] + _JOINER, visible(text))
    return _LINE_START.sub(r"\1\\", _SYNTAX.sub(r"\\\g<0>", joined))


def in_html(text: str) -> str:
    """Return the text escaped for HTML, so that an element or attribute shows it literally."""
    return escape(visible(text))


def in_data_attribute(text: str) -> str:
    """Return the text escaped for an attribute that is only compared, so with each of its characters."""
    return escape(text)


def unbroken(text: str) -> str:
    """Return the text with each minus sign kept on the same line as its dollars."""
    return text.replace(_MINUS, f"{_MINUS}{_JOINER}")


def visible(text: str) -> str:
    """Return the text with a sign in place of each character that is invisible or changes how others look."""
    text = _PILE.sub("\\1\N{REPLACEMENT CHARACTER}", text)
    if text.isprintable() and _BLANK.isdisjoint(text):
        return text
    joining = {found.start() for found in _JOINING.finditer(text)}
    return "".join(
        letter if place in joining or (letter.isprintable() and letter not in _BLANK) else _sign(letter)
        for place, letter in enumerate(text)
    )


def _sign(letter: str) -> str:
    """Return a control character's picture or the replacement character; an unusual space stays as it is."""
    code = ord(letter)
    if code < 0x20:  # noqa: PLR2004 - Unicode's control pictures follow this block
        return chr(0x2400 + code)
    is_acting = letter in _BLANK or unicodedata.category(letter) in _ACTING
    return "\N{REPLACEMENT CHARACTER}" if is_acting else letter
