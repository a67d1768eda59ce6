"""Foreign text for a terminal or a log."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.printable import printable, printable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("café 株 ±5 %", "café 株 ±5 %"),
        ("\x1b[2Jok\r", "\\x1b[2Jok\\r"),
        ("one\ntwo", "one\\ntwo"),
        ("a\u202eb", "a\\u202eb"),
        ("\udcff.json", "\\xff.json"),
        ("\u2028", "\\u2028"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    """Letters of every language stay; control characters, overrides and stray bytes are escaped."""
    assert printable(text) == shown


def test_our_own_line_breaks_are_kept() -> None:
    """A list of problems keeps its line feeds, and no other control character."""
    assert printable("one\n- two\r", keep_lines=True) == "one\n- two\\r"


@given(st.text(st.characters()))
def test_any_text_fits_on_one_line(text: str) -> None:
    """Any text can be encoded, stays on its line, and is not changed by a second pass."""
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown == printable(shown)


@given(st.dictionaries(st.text(st.characters()), st.lists(st.text(st.characters()))))
def test_json_is_safe_in_a_terminal_and_unchanged_in_meaning(document: dict[str, list[str]]) -> None:
    """Control characters become JSON escapes, so a program reads the same document."""
    text = printable_json(document)
    assert printable(text, keep_lines=True) == text
    assert json.loads(text.encode()) == json.loads(json.dumps(document))
