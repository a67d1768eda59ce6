"""`options-helper portfolio`: the account as the text of a portfolio file, alone or merged into one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from options_helper.analysis.account.records import AccountHistory
from options_helper.analysis.account.writing.merge import merge_portfolio, write_portfolio
from options_helper.analysis.account.writing.words import describe_changes
from options_helper.analysis.account.writing.written import Entry
from options_helper.models import Portfolio
from options_helper.portfolio_file import parse_portfolio, read_portfolio_file
from options_helper.printable import printable_json

DEFAULT_PATH = Path("portfolio.json")
_NAME = "the account's portfolio"  # what an error names instead of a file


@dataclass(frozen=True, slots=True)
class AccountPortfolio:
    """The text of a portfolio file, and a line for each difference from the file it was merged into."""

    text: str
    changes: list[str]


def write_account_portfolio(history: AccountHistory, merge_into: Path | None) -> AccountPortfolio:
    """Return an account as a portfolio file.

    Raises:
        PortfolioError: The file to merge into cannot be used, or the account holds what no file can name.
    """
    before, document = Portfolio(), None
    if merge_into is not None:
        content, _ = read_portfolio_file(merge_into)
        before = parse_portfolio(merge_into, content)
        document = json.loads(content.decode("utf-8-sig"))
    return as_text(before, document, history)


def as_text(before: Portfolio, document: Entry | None, history: AccountHistory) -> AccountPortfolio:
    """Return the account merged into an already parsed document, or alone.

    Raises:
        PortfolioError: The account holds what no file can name.
    """
    merged = write_portfolio(history) if document is None else merge_portfolio(document, before, history)
    text = printable_json(merged)
    after = parse_portfolio(_NAME, text.encode())
    return AccountPortfolio(text, describe_changes(before, after))
