"""The portfolio file as the page sees it: read once per change of the file, never written."""

from __future__ import annotations

import datetime as dt
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from options_helper.errors import PortfolioError
from options_helper.file_version import FileVersion, file_version
from options_helper.launcher import PORTFOLIO_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from options_helper.models import Portfolio

DEFAULT_PORTFOLIO = "portfolio.json"
_KEPT = 32


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioSource:
    """One version of a file, always the same object: a portfolio, or the reason why it is none."""

    path: Path
    portfolio: Portfolio | None = None
    error: PortfolioError | None = None
    exists: bool = True
    saved_at: dt.datetime | None = None

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
    version = file_version(path)
    key = (str(path), version)
    with _lock:
        if key not in _loaded:
            while len(_loaded) >= _KEPT:
                del _loaded[next(iter(_loaded))]
            _loaded[key] = _load(path, version)
        return _loaded[key]


def forget_portfolios() -> None:
    """Read every file again at its next use."""
    with _lock:
        _loaded.clear()


def _load(path: Path, version: FileVersion | None) -> PortfolioSource:
    from options_helper.portfolio_file import load_portfolio  # noqa: PLC0415 - pydantic, after the title

    saved_at = dt.datetime.fromtimestamp(version[0] / 1e9, tz=dt.UTC) if version else None
    try:
        return PortfolioSource(path, portfolio=load_portfolio(path), saved_at=saved_at)
    except PortfolioError as error:
        return PortfolioSource(path, error=error, exists=version is not None, saved_at=saved_at)
