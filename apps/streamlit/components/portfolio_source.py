"""The portfolio file as the page sees it: read once per change of the file, never written."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from options_helper.errors import PortfolioError
from options_helper.file_version import file_version
from options_helper.launcher import PORTFOLIO_VARIABLE

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from options_helper.file_version import FileVersion
    from options_helper.models import Portfolio

DEFAULT_PORTFOLIO = "portfolio.json"
_KEPT = 32


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioSource:
    """One version of a file, always the same object: a portfolio, or the reason why it is none."""

    path: Path
    version: FileVersion | None
    portfolio: Portfolio | None = None
    error: PortfolioError | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a file, usable or not."""
        return self.version is not None

    @property
    def saved_at(self) -> dt.datetime | None:
        """When this version was saved; None without a file."""
        return None if self.version is None else self.version.saved_at

    @property
    def name(self) -> str:
        """The file's name for people; a path without a last part is its own."""
        return self.path.name or str(self.path)


_loaded: dict[tuple[str, FileVersion | None], PortfolioSource] = {}
_lock = threading.Lock()


def default_portfolio_path() -> str:
    """The file that the launcher named, else `portfolio.json` in the working directory."""
    return os.environ.get(PORTFOLIO_VARIABLE) or DEFAULT_PORTFOLIO


def read_portfolio(path: Path) -> PortfolioSource:
    """The file's newest version; the same object for as long as the file does not change."""
    with _lock:
        seen = file_version(path)
        kept = _loaded.get((str(path), seen))
        if kept is not None:
            return kept
        loaded = _load(path, seen)
        while len(_loaded) >= _KEPT:
            del _loaded[next(iter(_loaded))]
        # The version that was read: the file may have been replaced since it was seen.
        return _loaded.setdefault((str(path), loaded.version), loaded)


def forget_portfolios() -> None:
    """Read every file again at its next use."""
    with _lock:
        _loaded.clear()


def _load(path: Path, seen: FileVersion | None) -> PortfolioSource:
    # pydantic, after the title
    from options_helper.portfolio_file import parse_portfolio, read_portfolio_file  # noqa: PLC0415

    version = seen
    try:
        content, version = read_portfolio_file(path)
        return PortfolioSource(path, version, portfolio=parse_portfolio(path, content))
    except PortfolioError as error:
        return PortfolioSource(path, version, error=error)
