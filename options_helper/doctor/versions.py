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
_NEEDED_FOR_RELAY = {"streamlit": "ui", "nats-py": "relay"}
_TOLD = ("websockets", "pandas", "msgspec")


def check_versions(find: Callable[[str], str] = version, *, with_relay: bool = False) -> Finding:
    """Return the versions of the program, Python, and the packages that matter when something fails.

    Args:
        find: Returns a package's version or raises PackageNotFoundError.
        with_relay: The page reads from a relay, and therefore needs nats-py instead of alpaca-py.
    """
    words = [f"options-helper {__version__}", f"Python {platform.python_version()} on {platform.system()}"]
    missing = []
    needed = _NEEDED_FOR_RELAY if with_relay else _NEEDED
    for package in (*needed, *_TOLD):
        try:
            words.append(f"{package} {find(package)}")
        except PackageNotFoundError:
            if package in needed:
                missing.append(str(MissingDependency(package, needed[package])))
    level = Level.FAIL if missing else Level.OK
    return Finding("Versions", level, f"{', '.join(words)}. {' '.join(missing)}".removesuffix(". "))
