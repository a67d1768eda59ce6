"""The check of the installed versions."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from options_helper import __version__
from options_helper.doctor.findings import Finding, Level
from options_helper.errors import MissingDependency

# The packages that the page and the streams need, with the extra that installs each.
_NEEDED = {"streamlit": "ui", "alpaca-py": "alpaca"}
_TOLD = ("websockets", "pandas", "msgspec")


def check_versions(find: Callable[[str], str] = version) -> Finding:
    """Return the versions of the program, Python, and the packages that matter when something fails.

    Args:
        find: Returns a package's version or raises PackageNotFoundError.
    """
    words = [f"options-helper {__version__}", f"Python {platform.python_version()} on {platform.system()}"]
    missing = []
    for package in (*_NEEDED, *_TOLD):
        try:
            words.append(f"{package} {find(package)}")
        except PackageNotFoundError:
            if package in _NEEDED:
                missing.append(str(MissingDependency(package, _NEEDED[package])))
    level = Level.FAIL if missing else Level.OK
    return Finding("Versions", level, f"{', '.join(words)}. {' '.join(missing)}".removesuffix(". "))
