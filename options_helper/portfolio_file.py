"""portfolio.json → Portfolio, or a `PortfolioError` that says what is wrong, where, and what would be right.

The file is opened for reading only, and nothing here writes.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from pydantic import ValidationError

from options_helper.errors import PortfolioError
from options_helper.files.file_version import FileVersion, read_with_version
from options_helper.files.json_errors import describe_json_error
from options_helper.files.portfolio_problems import (
    JsonObject,
    Problem,
    document_problems,
    symbol_problems,
    validation_problems,
)
from options_helper.models import Portfolio

MAX_BYTES = 10_000_000
_SHOWN_PROBLEMS = 6


def load_portfolio(path: Path | str) -> Portfolio:
    """The portfolio in a JSON file.

    Raises:
        PortfolioError: There is no such file, it cannot be read, is no regular file, is over `MAX_BYTES`, is
            not JSON, or holds what no portfolio can. Its text names every problem, the first few in full.
    """
    content, _ = read_portfolio_file(path)
    return parse_portfolio(path, content)


def read_portfolio_file(path: Path | str) -> tuple[bytes, FileVersion]:
    """A portfolio's bytes and the version of the file that they were read from.

    Raises:
        PortfolioError: There is no such file, it cannot be read, is no regular file, or is over `MAX_BYTES`.
    """
    file = _expanded(path)
    try:
        # Before opening: opening a named pipe would wait for its writer.
        _refuse_unreadable(file, file.stat())
        content, version = read_with_version(file, MAX_BYTES + 1)
    except FileNotFoundError:
        raise PortfolioError(
            file,
            f"there is no such file (looked in {file.absolute().parent}); name a portfolio.json that exists",
        ) from None
    except PermissionError:
        raise PortfolioError(file, "this user may not read the file; allow it, or name another one") from None
    except (OSError, ValueError) as error:
        raise PortfolioError(file, f"the file cannot be read ({error}); name another one") from None
    if len(content) > MAX_BYTES:
        raise PortfolioError(file, _too_big(len(content)))
    return content, version


def parse_portfolio(path: Path | str, content: bytes) -> Portfolio:
    """The portfolio in the bytes of a file.

    Args:
        path: The file, which the errors name.
        content: What was read from it.

    Raises:
        PortfolioError: It is not JSON, or holds what no portfolio can.
    """
    file = _expanded(path)
    return _validate(file, _parse(file, content))


def _expanded(path: Path | str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such home
        return Path(path)


def _refuse_unreadable(file: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise PortfolioError(file, "this is a directory; name the file in it, such as portfolio.json")
    if not stat.S_ISREG(found.st_mode):
        raise PortfolioError(file, "this is no regular file; name a portfolio.json")
    if found.st_size > MAX_BYTES:
        raise PortfolioError(file, _too_big(found.st_size))


def _too_big(size: int) -> str:
    most = MAX_BYTES // 1_000_000
    return f"the file has {size / 1_000_000:,.1f} MB or more; a portfolio has at most {most} MB"


def _parse(file: Path, content: bytes) -> object:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _line_and_column(error)
        raise PortfolioError(file, "this is not UTF-8 text; save the file as UTF-8", place=place) from None
    if not text.strip():
        raise PortfolioError(file, 'the file is empty; the smallest portfolio is {"positions": []}')
    try:
        return json.loads(text, object_pairs_hook=JsonObject)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PortfolioError(file, f"this is not JSON: {describe_json_error(error)}", place=place) from None
    except RecursionError:
        raise PortfolioError(
            file, "the brackets are nested too deeply; a portfolio needs four levels"
        ) from None
    except ValueError:  # an integer of thousands of digits, which Python refuses to convert
        raise PortfolioError(file, "a number has thousands of digits; write it shorter") from None


def _line_and_column(error: UnicodeDecodeError) -> str:
    # What stands before the first wrong byte is right UTF-8.
    *lines, last = error.object[: error.start].decode("utf-8-sig").split("\n")
    return f"line {len(lines) + 1}, column {len(last) + 1}"


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
