"""Docstrings, comments and documentation are in plain English."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("options_helper", "apps", "tests") for path in (ROOT / top).rglob("*.py"))
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]

# A reader cannot tell from these whether the function returns a value or acts.
OPENING = re.compile(r"(What|Whether|Where|Which)\b")
ROUTE = re.compile(r"`/v\d")
# A function's docstring begins with one of these, or names the route that it answers.
VERBS = frozenset(
    [
        "Acknowledge",
        "Activate",
        "Add",
        "Advance",
        "Announce",
        "Answer",
        "Apply",
        "Ask",
        "Assign",
        "Assume",
        "Attach",
        "Begin",
        "Build",
        "Bust",
        "Buy",
        "Call",
        "Cancel",
        "Change",
        "Check",
        "Choose",
        "Clear",
        "Close",
        "Collect",
        "Combine",
        "Compare",
        "Compute",
        "Connect",
        "Continue",
        "Convert",
        "Copy",
        "Correct",
        "Count",
        "Create",
        "Cut",
        "Date",
        "Decompress",
        "Delete",
        "Deliver",
        "Describe",
        "Detach",
        "Do",
        "Draw",
        "Drop",
        "End",
        "Enter",
        "Estimate",
        "Evaluate",
        "Explain",
        "Extract",
        "Fetch",
        "File",
        "Fill",
        "Find",
        "Fix",
        "Forget",
        "Format",
        "Give",
        "Group",
        "Hand",
        "Handle",
        "Ignore",
        "Import",
        "Join",
        "Keep",
        "Leave",
        "Let",
        "Limit",
        "Listen",
        "Load",
        "Log",
        "Look",
        "Make",
        "Mark",
        "Mask",
        "Measure",
        "Merge",
        "Move",
        "Multiply",
        "Notify",
        "Offer",
        "Open",
        "Pair",
        "Parse",
        "Pass",
        "Pause",
        "Perform",
        "Ping",
        "Place",
        "Play",
        "Postpone",
        "Prepare",
        "Print",
        "Probe",
        "Publish",
        "Put",
        "Queue",
        "Raise",
        "Read",
        "Receive",
        "Record",
        "Reduce",
        "Refuse",
        "Register",
        "Reject",
        "Release",
        "Remember",
        "Remove",
        "Render",
        "Replace",
        "Report",
        "Request",
        "Reset",
        "Respond",
        "Restart",
        "Resume",
        "Retry",
        "Return",
        "Round",
        "Run",
        "Save",
        "Say",
        "Schedule",
        "Select",
        "Send",
        "Serve",
        "Set",
        "Shift",
        "Show",
        "Skip",
        "Sort",
        "Split",
        "Start",
        "Stop",
        "Store",
        "Subscribe",
        "Sum",
        "Take",
        "Translate",
        "Trim",
        "Turn",
        "Unsubscribe",
        "Update",
        "Use",
        "Validate",
        "Verify",
        "Wait",
        "Watch",
        "Withhold",
        "Write",
        "Yield",
    ]
)
CLUMSY = re.compile(r"\b(None where|where not|where None|where unknown)\b")
HOUSE_WORDS = re.compile(r"\b(told|tells|anew|likewise|mishaps?|of which|so many|be it)\b", re.IGNORECASE)

# A test's name is a sentence about what happens, so these turns of phrase have plainer ones.
AWKWARD_NAME = re.compile(
    r"(?<!there)_(is|are)_(said|asked|no(?!_longer))(_|$)|_asked_(for|of)(_|$)|_anew(_|$)|that_is_none|[a-z]_s_"
    r"|_of_rest(_|$)|^test_(of|who|whoever|(what|who)_(is|does)_no)_"
)


def name_of(path: Path) -> str:
    """Return a file's path from the repository's root."""
    return path.relative_to(ROOT).as_posix()


@lru_cache(maxsize=1)  # a file is read for several rules in turn
def nodes(path: Path) -> list[ast.AST]:
    """Return the syntax tree of a file as a list."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every docstring of a file."""
    for node in nodes(path):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node.body[0].lineno, text


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every comment of a file."""
    text = path.read_text(encoding="utf-8")
    if not HOUSE_WORDS.search(text) and not CLUMSY.search(text):
        return  # finding the comments takes most of the time
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every string of a file, such as the page's sentences."""
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def is_described_by_a_noun(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is read like an attribute, or only carries the command line's own help."""
    decorators = {ast.unparse(each).split("(")[0].rsplit(".", 1)[-1] for each in node.decorator_list}
    return bool(decorators & {"property", "cached_property", "callback"})


def openings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and first words of every function's docstring that lacks a verb in the imperative."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_described_by_a_noun(node):
            text = ast.get_docstring(node) or "Return"
            if re.split(r"\W", text, maxsplit=1)[0] not in VERBS and not ROUTE.match(text):
                yield node.body[0].lineno, text.splitlines()[0]


def faults(path: Path) -> Iterator[str]:
    """Yield the place and text of every fault of a Python file."""
    is_test = name_of(path).startswith("tests/")
    functions = (node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    if is_test:
        yield from (f"{name_of(path)}: {each.name}" for each in functions if AWKWARD_NAME.search(each.name))
    found = [*(docstrings(path) if is_test else strings(path)), *comments(path)]
    yield from (f"{name_of(path)}:{line}: {text}" for line, text in docstrings(path) if OPENING.match(text))
    yield from (
        f"{name_of(path)}:{line}: {word}"
        for line, text in found
        for word in (*HOUSE_WORDS.findall(text), *CLUMSY.findall(text))
    )
    if not is_test:
        yield from (f"{name_of(path)}:{line}: {text}" for line, text in openings(path))


@pytest.mark.slow
def test_the_source_is_in_plain_english() -> None:
    """A docstring begins with what it returns or does, a function's with a verb; no awkward word is left."""
    assert not [fault for path in SOURCES for fault in faults(path)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_documentation_is_in_plain_english(page: Path) -> None:
    """No overused word is left on a page."""
    assert not HOUSE_WORDS.findall(page.read_text(encoding="utf-8"))
