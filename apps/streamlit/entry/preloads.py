"""Links that make a browser fetch what the Live Portfolio page needs while Streamlit itself still loads.

Streamlit loads an element's script, and a component's modules, only when it first draws one. All links are
hints: if a new version of Streamlit names its scripts differently, they are fetched when they are needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import options_helper

_MODULES = Path(options_helper.__file__).parent / "browser"
_IMPORTED = re.compile(r'^import .* from "\./(\w+\.js)";$', re.MULTILINE)
# As declared in pyproject.toml; each starts with the module of its name.
_COMPONENTS = ("positions_table", "redraw")
# What Streamlit loads when it first draws such an element, as its build names them: the table's first.
_ELEMENTS = (
    "BidiComponent",
    "Html",
    "Metric",
    "Button",
    "TextInput",
    "Checkbox",
    "Selectbox",
    "ButtonGroup",
    "NumberInput",
)


def module_links(base: str) -> str:
    """Return links to the modules and the style of all components below the portal's path."""
    folder = f"{base}_stcore/bidi-components/options-helper."
    return f'<link rel="preload" as="style" href="{folder}positions_table/positions_table.css">' + "".join(
        f'<link rel="modulepreload" href="{folder}{component}/{module}">'
        for component in _COMPONENTS
        for module in _with_imports(f"{component}.js")
    )


def _with_imports(module: str) -> list[str]:
    """Return a module and all modules that it imports, directly or through others."""
    found = [module]
    for name in found:
        text = (_MODULES / name).read_text(encoding="utf-8")
        found += [each for each in dict.fromkeys(_IMPORTED.findall(text)) if each not in found]
    return found


def element_links(static: Path, document: str) -> str:
    """Return links to the scripts of the page's elements that the document itself does not name.

    Args:
        static: Streamlit's folder of static files, which contains the manifest of its build.
        document: Streamlit's own document.
    """
    try:
        manifest = json.loads((static / "manifest.json").read_text(encoding="utf-8"))
        files = dict.fromkeys(_element_files(manifest))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    missing = (file for file in files if file not in document)
    return "".join(f'<link rel="modulepreload" crossorigin href="./{file}">' for file in missing)


def _element_files(manifest: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the file of each element's script, after those that it imports."""
    for element in _ELEMENTS:
        for name, chunk in manifest.items():
            if chunk.get("isDynamicEntry") and chunk.get("name") == element:
                yield from _chunk_files(manifest, name, set())


def _chunk_files(manifest: Mapping[str, Mapping[str, Any]], name: str, seen: set[str]) -> Iterator[str]:
    if name in seen:
        return
    seen.add(name)
    for each in manifest[name].get("imports", ()):
        yield from _chunk_files(manifest, each, seen)
    yield str(manifest[name]["file"])
