"""The portfolio file as the page sees it: read once per change to the file, never written.

An unreadable file is tried again at each use, because a permission or a lock may change without a new
version.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from options_helper.errors import MissingFile, PortfolioError
from options_helper.files.file_version import FileVersion, file_version
from options_helper.launch.launcher import PORTFOLIO_VARIABLE
from options_helper.printable import printable

if TYPE_CHECKING:
    from options_helper.models import Portfolio

DEFAULT_PORTFOLIO = "portfolio.json"
_KEPT = 32


@dataclass(frozen=True, slots=True)
class AccountPortfolio:
    """The account's positions as a portfolio file, and what the file cannot express."""

    text: str
    read_at: dt.datetime
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioSource:
    """One version of a file, always the same object: a portfolio, or the reason why there is none.

    Attributes:
        content: The file's bytes, if they are a portfolio.
        error: Why there is none; with a portfolio, why that is still the last valid version.
        account: The broker's account, if it stands in for a missing file.
    """

    path: Path
    version: FileVersion | None
    portfolio: Portfolio | None = None
    content: bytes = field(default=b"", repr=False)
    error: PortfolioError | None = None
    account: AccountPortfolio | None = None

    @property
    def exists(self) -> bool:
        """True if there is a file, usable or not."""
        return self.error is None or not isinstance(self.error.__cause__, MissingFile)

    @property
    def saved_at(self) -> dt.datetime | None:
        """The time this version was saved, or None without a file."""
        return None if self.version is None else self.version.saved_at

    @property
    def name(self) -> str:
        """The file's name on the page, or the whole path if it has no last part."""
        if self.account is not None:
            return "the account as it was read"
        return printable(self.path.name or str(self.path))


_loaded: dict[tuple[str, FileVersion | None], PortfolioSource] = {}  # files that were read, valid or not
_unread: dict[str, PortfolioSource] = {}  # the last failed read of each path
_valid: dict[str, PortfolioSource] = {}  # the last valid version of each path
_accounts: dict[str, PortfolioSource] = {}  # the accounts that stand in for missing files
_lock = threading.Lock()


def default_portfolio_path() -> str:
    """Return the file that the launcher named, else `portfolio.json` in the working directory."""
    return printable(os.environ.get(PORTFOLIO_VARIABLE) or DEFAULT_PORTFOLIO)


def read_portfolio(path: Path) -> PortfolioSource:
    """Return the file's newest version; the same object until the file or its read error changes."""
    # imports pydantic, after the title is drawn
    from options_helper.portfolio_file import read_portfolio_file  # noqa: PLC0415

    seen = file_version(path)
    kept = _loaded.get((str(path), seen))
    if kept is not None:
        return _note_valid(kept)
    # Read without the lock, because a file on a network may take long and other tabs read other files.
    try:
        content, version = read_portfolio_file(path)
    except PortfolioError as error:
        failed = PortfolioSource(path, seen, error=error)
        with _lock:
            shown = None if failed.exists else _accounts.get(str(path))
            return shown or _note_unread(failed)
    parsed = _parse(path, content, version)
    with _lock:
        _make_room(_loaded)
        # Use the version that was read, because the file may have been replaced since it was checked.
        return _note_valid(_loaded.setdefault((str(path), version), parsed))


def keep_last_valid(source: PortfolioSource) -> PortfolioSource:
    """Return the last valid version with this one's error, or the source itself if it has none."""
    valid = _valid.get(str(source.path))
    return source if valid is None or source.error is None else _stand_in(valid, source)


@lru_cache(maxsize=_KEPT)
def _stand_in(valid: PortfolioSource, source: PortfolioSource) -> PortfolioSource:
    return replace(valid, error=source.error)


def use_account(path: Path, account: AccountPortfolio) -> None:
    """Let the account stand in for a missing file, in every tab, until the file exists.

    Raises:
        PortfolioError: The account holds something that a file cannot express.
    """
    from options_helper.portfolio_file import parse_portfolio  # noqa: PLC0415 - the same

    content = account.text.encode()
    portfolio = parse_portfolio(path, content)
    with _lock:
        _make_room(_accounts)
        _accounts[str(path)] = PortfolioSource(
            path, None, portfolio=portfolio, content=content, account=account
        )


def forget_portfolios() -> None:
    """Forget all files, so that each is read again at its next use."""
    with _lock:
        _accounts.clear()
        _loaded.clear()
        _unread.clear()
        _valid.clear()


def _note_valid(source: PortfolioSource) -> PortfolioSource:
    """Return the source; a valid one is kept as the last of its path."""
    if source.portfolio is not None:
        _valid.pop(str(source.path), None)
        _make_room(_valid)
        _valid[str(source.path)] = source
    return source


def _note_unread(source: PortfolioSource) -> PortfolioSource:
    """Return this failure, or the last one if it is the same."""
    key = str(source.path)
    last = _unread.pop(key, None)
    if last is not None and (last.version, str(last.error)) == (source.version, str(source.error)):
        source = last
    _make_room(_unread)
    _unread[key] = source
    return source


def _make_room(kept: dict[Any, PortfolioSource]) -> None:
    while len(kept) >= _KEPT:
        del kept[next(iter(kept))]


def _parse(path: Path, content: bytes, version: FileVersion) -> PortfolioSource:
    from options_helper.portfolio_file import parse_portfolio  # noqa: PLC0415 - the same

    try:
        return PortfolioSource(path, version, portfolio=parse_portfolio(path, content), content=content)
    except PortfolioError as error:
        return PortfolioSource(path, version, error=error)
