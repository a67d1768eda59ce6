"""Docstrings, comments and documentation are in plain English."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("options_helper", "apps", "tests") for path in (ROOT / top).rglob("*.py"))
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]

# A reader cannot tell from these whether the function returns a value or acts.
OPENING = re.compile(r"(What|Whether|Where|Which)\b")
HOUSE_WORDS = re.compile(r"\b(told|tells|anew|likewise|mishaps?|of which|so many|be it)\b", re.IGNORECASE)


def name_of(path: Path) -> str:
    """Return a file's path from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every docstring of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node.body[0].lineno, text


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every comment of a file."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(path: Path) -> Iterator[str]:
    """Yield the place and text of every fault of a Python file."""
    found = [*docstrings(path), *comments(path)]
    yield from (f"{name_of(path)}:{line}: {text}" for line, text in docstrings(path) if OPENING.match(text))
    yield from (
        f"{name_of(path)}:{line}: {word}" for line, text in found for word in HOUSE_WORDS.findall(text)
    )


@pytest.mark.slow
def test_the_source_is_in_plain_english() -> None:
    """A docstring begins with what it returns or does, and no overused word is left."""
    assert not [fault for path in SOURCES for fault in faults(path)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_documentation_is_in_plain_english(page: Path) -> None:
    """No overused word is left on a page."""
    assert not HOUSE_WORDS.findall(page.read_text(encoding="utf-8"))
