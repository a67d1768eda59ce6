"""portfolio.json → Portfolio, or a `PortfolioError` that names the place, what is wrong and a right value.

Nothing here writes.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from options_helper.errors import PortfolioError, UnreadableFile
from options_helper.files.file_version import FileVersion
from options_helper.files.json_text import parse_json
from options_helper.files.portfolio_problems import (
    Problem,
    document_problems,
    symbol_problems,
    validation_problems,
)
from options_helper.files.reading import read_file
from options_helper.models import Portfolio

MAX_BYTES = 10_000_000
_SHOWN_PROBLEMS = 6


def load_portfolio(path: Path | str) -> Portfolio:
    """Return the portfolio in a JSON file.

    Raises:
        PortfolioError: There is no such file, it cannot be read, is no regular file, is over `MAX_BYTES`, is
            not JSON, or holds what no portfolio can. The text names every problem, the first few in full.
    """
    content, _ = read_portfolio_file(path)
    return parse_portfolio(path, content)


def read_portfolio_file(path: Path | str) -> tuple[bytes, FileVersion]:
    """Return a portfolio's bytes and the version of the file that they were read from.

    Raises:
        PortfolioError: There is no such file, it cannot be read, is no regular file, or is over `MAX_BYTES`.
    """
    try:
        return read_file(_expanded(path), most_bytes=MAX_BYTES)
    except UnreadableFile as error:
        raise PortfolioError(error.path, error.reason) from error


def parse_portfolio(path: Path | str, content: bytes) -> Portfolio:
    """Return the portfolio in the bytes of a file.

    Args:
        path: The file that errors name.
        content: What was read from it.

    Raises:
        PortfolioError: It is not JSON, or holds what no portfolio can.
    """
    file = _expanded(path)
    document = parse_json(file, content, PortfolioError, smallest='{"positions": []}')
    return _validate(file, document)


def _expanded(path: Path | str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such home
        return Path(path)


def _validate(file: Path, document: object) -> Portfolio:
    problems = document_problems(document)
    portfolio = None
    try:
        portfolio = Portfolio.model_validate(document)
    except ValidationError as error:
        problems += validation_problems(document, error)
    else:
        problems += symbol_problems(portfolio)
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
    return PortfolioError(file, "\n".join(lines), place=first.place)
