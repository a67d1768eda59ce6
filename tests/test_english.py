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

# Files still to be rewritten; this list only ever gets shorter.
PENDING = {
    "tests/analysis/account/test_compare.py",
    "tests/analysis/account/test_portfolio_from_account.py",
    "tests/analysis/fills/test_fill_completeness.py",
    "tests/analysis/fills/test_fill_day_builder.py",
    "tests/analysis/fills/test_fills.py",
    "tests/analysis/fills/test_fills_busts_properties.py",
    "tests/analysis/fills/test_fills_carried_orders.py",
    "tests/analysis/fills/test_fills_merge_properties.py",
    "tests/analysis/fills/test_fills_odd_input.py",
    "tests/analysis/fills/test_fills_recovery.py",
    "tests/broker.py",
    "tests/data/streaming/backfill/test_backfill.py",
    "tests/data/streaming/backfill/test_polling.py",
    "tests/data/streaming/backfill/test_unreadable_rows.py",
    "tests/data/streaming/connection/test_connection.py",
    "tests/data/streaming/connection/test_failures.py",
    "tests/data/streaming/reconnect/test_mute.py",
    "tests/data/streaming/reconnect/test_mute_integration.py",
    "tests/data/streaming/reconnect/test_worker.py",
    "tests/data/streaming/run/test_cache.py",
    "tests/data/streaming/run/test_fill_gaps.py",
    "tests/data/streaming/run/test_live_run.py",
    "tests/data/streaming/run/test_truth_integration.py",
    "tests/ledger.py",
}


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
    paths = [path for path in SOURCES if name_of(path) not in PENDING]
    assert not [fault for path in paths for fault in faults(path)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_documentation_is_in_plain_english(page: Path) -> None:
    """No overused word is left on a page."""
    assert not HOUSE_WORDS.findall(page.read_text(encoding="utf-8"))
