"""Cells that a spreadsheet would execute."""

from __future__ import annotations

import pytest

from options_helper.analysis.text.csv_cells import safe_text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("spy-put", "spy-put"),
        ("a - b = c", "a - b = c"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum(1)", "'@sum(1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a\t-1", "a\t'-1"),
        ("a\n@x", "a\n'@x"),
    ],
)
def test_no_cell_begins_as_a_formula(text: str, cell: str) -> None:
    """Neither a cell, nor a part that another locale would split off, begins like a formula."""
    assert safe_text(text) == cell
