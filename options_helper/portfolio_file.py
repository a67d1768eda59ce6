"""Reads portfolio.json into a `Portfolio`, and never writes.

Each error names the place in the file and gives an example of a valid value.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pydantic import ValidationError

from options_helper.analysis.contracts.products import underlying_of_root
from options_helper.errors import PortfolioError, UnreadableFile
from options_helper.files.file_version import FileVersion
from options_helper.files.json_text import parse_json
from options_helper.files.portfolio_problems import (
    Problem,
    contract_problems,
    document_problems,
    opened_later,
    symbol_problems,
    validation_problems,
)
from options_helper.files.reading import read_file
from options_helper.models import AnyPosition, EquityPosition, Leg, MultiLegPosition, Portfolio, Position
from options_helper.times import new_york_date, utc_now

MAX_BYTES = 10_000_000
_SHOWN_PROBLEMS = 6


def load_portfolio(path: Path | str) -> Portfolio:
    """Return the portfolio in a JSON file.

    Raises:
        PortfolioError: The file does not exist, cannot be read, is not a regular file, is over `MAX_BYTES`,
            is not JSON, or is not a valid portfolio. The text lists the first few problems and counts the
            others; `problems` holds all of them.
    """
    content, _ = read_portfolio_file(path)
    return parse_portfolio(path, content)


def read_portfolio_file(path: Path | str) -> tuple[bytes, FileVersion]:
    """Return a portfolio file's bytes, and the version of the file that they come from.

    Raises:
        PortfolioError: The file does not exist, cannot be read, is not a regular file, or is over
            `MAX_BYTES`.
    """
    try:
        return read_file(_expanded(path), most_bytes=MAX_BYTES)
    except UnreadableFile as error:
        raise PortfolioError(error.path, error.reason) from error


def parse_portfolio(path: Path | str, content: bytes, *, today: dt.date | None = None) -> Portfolio:
    """Return the portfolio in a file's bytes.

    Args:
        path: The file that errors name.
        content: The file's bytes.
        today: The New York date, after which no position may have been opened; today's by default.

    Raises:
        PortfolioError: The file is not JSON, or not a valid portfolio.
    """
    file = _expanded(path)
    document = parse_json(file, content, PortfolioError, smallest='{"positions": []}')
    return _validate(file, document, today or new_york_date(utc_now()))


def _expanded(path: Path | str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such home directory
        return Path(path)


def _validate(file: Path, document: object, today: dt.date) -> Portfolio:
    problems = document_problems(document)
    portfolio = None
    try:
        portfolio = _with_roots(Portfolio.model_validate(document))
    except ValidationError as error:
        problems += validation_problems(document, error)
    else:
        problems += [*symbol_problems(portfolio), *opened_later(portfolio, today)]
        problems += [] if problems else contract_problems(document, portfolio)
    if portfolio is None or problems:
        raise _as_error(file, problems)
    return portfolio


def _as_error(file: Path, problems: list[Problem]) -> PortfolioError:
    first, *others = problems
    lines = [first.reason]
    if others:
        lines.append(f"{len(others)} more {'problem' if len(others) == 1 else 'problems'} in this file:")
        lines += [f"- {problem}" for problem in others[: _SHOWN_PROBLEMS - 1]]
    hidden = len(problems) - _SHOWN_PROBLEMS
    if hidden > 0:
        lines.append(f"- and {hidden} more")
    every = tuple((problem.place, problem.reason) for problem in problems)
    return PortfolioError(file, "\n".join(lines), place=first.place, problems=every)


def _with_roots(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio with each symbol that is a contract root moved to `root`."""
    return portfolio.model_copy(update={"positions": [_with_root(each) for each in portfolio.positions]})


def _with_root(position: AnyPosition) -> AnyPosition:
    underlying = None if isinstance(position, EquityPosition) else underlying_of_root(position.symbol)
    if underlying is None:
        return position
    root = position.symbol
    if isinstance(position, Position):
        return position.model_copy(update={"symbol": underlying, "root": position.root or root})
    if isinstance(position, MultiLegPosition):
        legs = [
            leg.model_copy(update={"root": leg.root or root}) if isinstance(leg, Leg) else leg
            for leg in position.legs
        ]
        return position.model_copy(update={"symbol": underlying, "legs": legs})
    return position
