"""The rules of imports, checked in the source of every module."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FILES = sorted(path for top in ("options_helper", "apps") for path in (ROOT / top).rglob("*.py"))
SOURCES = [path.relative_to(ROOT).as_posix() for path in FILES]

PRODUCT, SIMULATOR = "options_helper", "options_helper.simulator"

# Each may import from its own layer and from those before it; a module in none of them belongs to the last.
LAYERS = (
    ("options_helper.printable",),
    ("options_helper.errors",),
    ("options_helper.times",),
    ("options_helper.recording",),
    (
        "options_helper.models",
        "options_helper.market",
        "options_helper.market_records",
        "options_helper.order_rows",
        "options_helper.snapshot",
        "options_helper.quote_tables",
    ),
    ("options_helper.analysis",),
    (
        "options_helper.portfolio_file",
        "options_helper.files",
        "options_helper.error_guard",
        "options_helper.data",
    ),
    ("options_helper.data.streaming",),
    ("options_helper.relay",),
    ("options_helper.session",),
)
SDK_USERS = {"sdk"}
SDK_MODULE = re.compile(r"alpaca\.(broker|common|data|trading)(\.\w+)*")
ORDERING = re.compile(
    r"\w*Order\w*Request|TradingClient|(submit|replace|cancel)_orders?\w*|close_(all_)?positions?|exercise_\w+"
)


# Who may speak HTTP: the client that only reads, and the launcher, which asks its own page whether it is up.
HTTP_CLIENTS = ("aiohttp", "http.client", "httpcore", "httpx", "requests", "urllib.request", "urllib3")
HTTP_USERS = {
    "options_helper.data.rest.bounded": "httpx",
    "options_helper.data.rest.client": "httpx",
    "options_helper.data.rest.http": "httpx",
    "options_helper.data.rest.read_only": "httpx",
    "options_helper.data.rest.refusals": "httpx",
    "options_helper.launch.endpoint": "http.client",
    "options_helper.replay.hosts": "httpx",  # answers from a recording, without a network
}


class Import(NamedTuple):
    """One import: the module's full name, and whether it happens when the file is imported."""

    module: str
    eager: bool


@cache
def module_name(source: str) -> str:
    """The dotted name of a source file."""
    return source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def tree(source: str) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse((ROOT / source).read_text(encoding="utf-8"))


@cache
def imports(source: str) -> list[Import]:
    """Return every import of a file, including those within functions and those by name in a string."""
    found: list[Import] = []

    def visit(node: ast.AST, *, eager: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found.append(Import(module, eager))
            found.extend(Import(f"{module}.{alias.name}", eager) for alias in node.names)
        elif isinstance(node, ast.Constant) and SDK_MODULE.fullmatch(str(node.value)):
            found.append(Import(str(node.value), eager=False))  # a name to import later
        for child in ast.iter_child_nodes(node):
            visit(child, eager=eager and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    visit(tree(source), eager=True)
    return found


MODULES = {module_name(source) for source in SOURCES}


def within(module: str, package: str) -> bool:
    """Return whether a module is this package or lies in it."""
    return module == package or module.startswith(f"{package}.")


@cache
def layer(module: str) -> int:
    """A module's layer, by the longest name that fits."""
    fits = [(len(name), rank) for rank, names in enumerate(LAYERS) for name in names if within(module, name)]
    return max(fits)[1] if fits else len(LAYERS)


def offenders(rule: Callable[[str, Import], bool]) -> list[str]:
    """Every import that a rule, asked with the importing module's name, finds wrong."""
    return [
        f"{source}: {each.module}"
        for source in SOURCES
        for each in imports(source)
        if rule(module_name(source), each)
    ]


def test_there_is_source_to_read() -> None:
    """The rules below apply to real files, not to an empty list."""
    assert {"options_helper/models/portfolio.py", "options_helper/analysis/osi.py"} <= set(SOURCES)
    assert Import("options_helper.errors", eager=True) in imports("options_helper/analysis/osi.py")
    assert layer("options_helper.data.streaming.run.cache") == layer("options_helper.data.rest.client") + 1


def test_each_layer_imports_from_those_before_it() -> None:
    """No module imports from a layer to its right."""
    assert not offenders(
        lambda own, each: (
            within(each.module, PRODUCT)
            and each.module in MODULES
            and not within(each.module, SIMULATOR)
            and layer(each.module) > layer(own)
        )
    )


def test_the_simulator_imports_only_errors() -> None:
    """The simulator shares no code with the client, so that tests against it are independent."""
    assert not offenders(
        lambda own, each: (
            within(own, SIMULATOR)
            and within(each.module, PRODUCT)
            and not within(each.module, f"{PRODUCT}.errors")
            and not within(each.module, SIMULATOR)
        )
    )


def test_only_the_command_line_imports_the_simulator() -> None:
    """Neither a page nor anything below it imports the simulator."""
    assert not offenders(
        lambda own, each: (
            within(each.module, SIMULATOR)
            and not within(own, SIMULATOR)
            and (layer(own) < len(LAYERS) or within(own, "apps"))
        )
    )


def test_only_the_pages_import_streamlit() -> None:
    """Nothing under options_helper imports streamlit."""
    assert not offenders(lambda own, each: within(own, PRODUCT) and within(each.module, "streamlit"))


def test_only_a_starting_stream_imports_the_sdk() -> None:
    """Importing alpaca-py takes more than a second, so only a starting stream imports it."""
    assert not offenders(
        lambda own, each: (
            within(each.module, "alpaca") and (each.eager or own.rsplit(".", 1)[-1] not in SDK_USERS)
        )
    )


def test_nothing_can_place_an_order() -> None:
    """No class or method of the SDK that orders, cancels, closes or exercises is named."""
    found = []
    for source in SOURCES:
        names = {each.module.rsplit(".", 1)[-1] for each in imports(source)}
        names |= {node.id for node in ast.walk(tree(source)) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree(source)) if isinstance(node, ast.Attribute)}
        found += [f"{source}: {name}" for name in names if ORDERING.fullmatch(name)]
    assert not found


def test_there_is_one_http_client() -> None:
    """Only the client that refuses every method but GET speaks HTTP."""

    def speaks_for_itself(own: str, each: Import) -> bool:
        spoken = next((name for name in HTTP_CLIENTS if within(each.module, name)), None)
        return spoken is not None and not within(own, SIMULATOR) and HTTP_USERS.get(own) != spoken

    assert not offenders(speaks_for_itself)


def test_every_module_has_one_spelling() -> None:
    """Imports are absolute from the repository's root, because a second spelling makes a second module."""
    inner = {path.stem for path in FILES} | {path.parent.name for path in FILES}
    inner -= {PRODUCT, "apps", "streamlit"} | sys.stdlib_module_names
    assert not offenders(
        lambda _, each: each.module.startswith(".") or each.module.split(".", maxsplit=1)[0] in inner
    )


def is_broad(node: ast.AST) -> bool:
    """Return whether a node is a handler of every exception."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = ast.walk(node.type) if node.type else ()
    return node.type is None or any(
        isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in caught
    )


def test_everything_is_caught_in_three_places_at_most() -> None:
    """Only the worker's loop, the guard and the page's Start catch every exception."""
    broad = [
        f"{source}:{node.lineno}"
        for source in SOURCES
        if not within(module_name(source), SIMULATOR)
        for node in ast.walk(tree(source))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert len(broad) <= 3, broad


MOST_FILES = 12
MOST_ANY = 2  # per 1,000 lines
SDK_SOURCE = "options_helper/data/streaming/connection/sdk.py"


def test_any_is_rare() -> None:
    """Outside the module that imports alpaca-py, which has no types, `Any` is rare."""
    sources = [source for source in SOURCES if source != SDK_SOURCE]
    assert len(sources) == len(SOURCES) - 1
    lines = sum(len((ROOT / source).read_text(encoding="utf-8").splitlines()) for source in sources)
    used = Counter(
        source
        for source in sources
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Name) and node.id == "Any"
    )
    assert used.total() <= MOST_ANY * lines / 1000, used.most_common()


def test_the_streams_import_no_words() -> None:
    """Facts about streams are in `analysis.streams`, and their words are elsewhere."""
    words = (f"{PRODUCT}.analysis.text", f"{PRODUCT}.analysis.status")
    assert not offenders(
        lambda own, each: (
            any(within(own, f"{PRODUCT}.{facts}") for facts in ("data", "analysis.streams"))
            and any(within(each.module, name) for name in words)
        )
    )


def test_no_folder_is_crowded() -> None:
    """A folder holds at most a dozen modules besides its `__init__`."""
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in FILES if path.stem != "__init__")
    crowded = {name: count for name, count in counts.items() if count > MOST_FILES}
    assert not crowded


def import_graph() -> dict[str, set[str]]:
    """Return each module's imports from the product, including those for types and within functions."""
    return {
        module_name(source): {each.module for each in imports(source)} & MODULES - {module_name(source)}
        for source in SOURCES
    }


def test_imports_form_no_cycle() -> None:
    """Modules can be sorted so that each imports only from earlier ones."""
    TopologicalSorter(import_graph()).prepare()


DRAWING_PAGE = ROOT / "docs" / "ARCHITECTURE.md"
DRAWN_BETWEEN = ("<!-- drawn from the imports -->\n```text\n", "```\n<!-- end of the drawing -->")

# Their names are promised; by what they do they belong to these folders.
DRAWN_WITHIN = {
    f"{PRODUCT}.portfolio_file": f"{PRODUCT}.files",
    f"{PRODUCT}.analysis.osi": f"{PRODUCT}.analysis.contracts",
}


def place_of(module: str, folders: set[str]) -> str:
    """Return what a module is drawn as: its folder, or itself if it lies beside folders."""
    if module in DRAWN_WITHIN:
        return DRAWN_WITHIN[module]
    folder = module.rpartition(".")[0]
    has_folders = any(other.startswith(f"{folder}.") for other in folders)
    return module if has_folders or not folder else folder


def places_and_imports() -> dict[str, set[str]]:
    """Return the places from which each place of the product imports, except the simulator."""
    graph = import_graph()
    folders = {module.rpartition(".")[0] for module in graph}
    places: dict[str, set[str]] = {}
    for module, imported in graph.items():
        if module in folders or within(module, SIMULATOR) or module.endswith("__main__"):
            continue
        place = place_of(module, folders)
        named = {place_of(each, folders) for each in imported - folders if not within(each, SIMULATOR)}
        places.setdefault(place, set()).update(named - {place})
    return places


def draw_imports() -> str:
    """Return the places in rows that import only from the rows above them."""
    rows, sorter = [], TopologicalSorter(places_and_imports())
    sorter.prepare()
    while sorter.is_active():
        row = sorter.get_ready()
        sorter.done(*row)
        names = "   ".join(sorted(place.removeprefix(f"{PRODUCT}.") for place in row))
        start = f"{len(rows) + 1:>2}  "
        rows.append(textwrap.fill(names, 110, initial_indent=start, subsequent_indent=" " * len(start)))
    return "".join(f"{row}\n" for row in rows)


def test_the_diagram_shows_the_imports() -> None:
    """Rows of the drawing in docs/ARCHITECTURE.md import only from rows above; no place is missing."""
    begin, end = DRAWN_BETWEEN
    drawing = DRAWING_PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]
    row_of, row = {}, 0
    for word in drawing.split():
        if word.isdigit():
            row = int(word)
        else:
            row_of[word if within(word, "apps") else f"{PRODUCT}.{word}"] = row
    places, draw_again = places_and_imports(), "run this file as a script to draw the imports again"
    assert row_of.keys() == places.keys(), draw_again
    wrong = [
        (own, other) for own, others in places.items() for other in others if row_of[own] <= row_of[other]
    ]
    assert not wrong, draw_again


if __name__ == "__main__":
    before, begin, rest = DRAWING_PAGE.read_text(encoding="utf-8").partition(DRAWN_BETWEEN[0])
    after = "".join(rest.partition(DRAWN_BETWEEN[1])[1:])
    DRAWING_PAGE.write_text(before + begin + draw_imports() + after, encoding="utf-8")
