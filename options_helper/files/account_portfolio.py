"""The account as the text of a portfolio file, or merged into one, for `options-helper portfolio`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from options_helper.analysis.account.records import AccountHistory
from options_helper.analysis.account.writing.merge_file import merge_portfolio, write_portfolio
from options_helper.analysis.account.writing.words import describe_changes
from options_helper.errors import PortfolioError
from options_helper.models import Portfolio
from options_helper.portfolio_file import parse_portfolio, read_portfolio_file
from options_helper.printable import printable_json

DEFAULT_PATH = Path("portfolio.json")
_NAME = "the account's portfolio"  # what an error names instead of a file
_OVERWRITTEN = (
    "the output is redirected into this file, which the shell empties before it can be read; restore it, "
    "then redirect the output to another file"
)
_UNSURE = "a position of the account could not be read, and a merge might remove it from the file; try again"


@dataclass(frozen=True, slots=True)
class AccountPortfolio:
    """The text of a portfolio file, and a line for each difference from the file it was merged into."""

    text: str
    changes: list[str]


@dataclass(frozen=True, slots=True)
class ExistingFile:
    """A portfolio file to merge into, as bytes and as models."""

    content: bytes
    portfolio: Portfolio


def read_existing(path: Path, output: int | None = None) -> ExistingFile:
    """Return the file to merge into.

    Args:
        path: The file.
        output: The descriptor of standard output, if it has one.

    Raises:
        PortfolioError: The file cannot be used, or the output is redirected into it.
    """
    if output is not None and _is_same_file(path, output):
        raise PortfolioError(path, _OVERWRITTEN)
    content, _ = read_portfolio_file(path)
    return ExistingFile(content, parse_portfolio(path, content))


def _is_same_file(path: Path, output: int) -> bool:
    try:
        return os.path.samestat(os.fstat(output), path.expanduser().stat())
    except (OSError, RuntimeError):  # the file or its "~user" does not exist, which reading it reports
        return False


def write_account_portfolio(
    history: AccountHistory, existing: ExistingFile | None = None
) -> AccountPortfolio:
    """Return an account as a portfolio file, merged into an existing one if given.

    Raises:
        PortfolioError: The account holds something that no file can express, or one of its positions could
            not be read, so that a merge might remove it.
    """
    if existing is None:
        before, merged = Portfolio(), write_portfolio(history)
    elif history.unread:
        raise PortfolioError(_NAME, _UNSURE)
    else:
        before = existing.portfolio
        document = json.loads(existing.content.decode("utf-8-sig"))
        merged = merge_portfolio(document, before, history)
    text = printable_json(merged)
    after = parse_portfolio(_NAME, text.encode())
    return AccountPortfolio(text, describe_changes(before, after))
