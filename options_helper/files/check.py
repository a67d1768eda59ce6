"""The problems and warnings of a portfolio file, and its positions in words, for `options-helper check`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from pathlib import Path

from options_helper.analysis.holdings.plausibility import describe_position, find_doubts
from options_helper.analysis.text.wording import count
from options_helper.errors import PortfolioError, UnreadableFile
from options_helper.files.reading import STANDARD_INPUT, read_standard_input
from options_helper.portfolio_file import MAX_BYTES, parse_portfolio, read_portfolio_file
from options_helper.printable import printable, printable_json


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking one file.

    Attributes:
        file: The file's path.
        problems: The place and reason of each problem; a single one makes the whole file unusable.
        warnings: The position id and text of each warning.
        positions: The id of each position, and its description in words.
    """

    file: str
    problems: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)
    positions: list[dict[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if the page could use the file."""
        return not self.problems

    def to_json(self) -> str:
        """Return one JSON document with `ok` and the attributes of this class."""
        return printable_json({"ok": self.ok, **asdict(self)})

    def to_text(self) -> str:
        """Return the result as printable lines of text."""
        found = [
            count(len(self.problems), "problem"),
            count(len(self.warnings), "warning"),
            count(len(self.positions), "position"),
        ]
        lines = [f"{self.file}: {', '.join(found)}"]
        lines += [
            f"  problem  {each['place']}: {each['reason']}".replace(" : ", " ") for each in self.problems
        ]
        lines += [f"  warning  {each['position']}: {each['text']}" for each in self.warnings]
        lines += [f"  {each['id']}: {each['understood']}" for each in self.positions]
        return "\n".join(map(printable, lines))  # a file's name or an id may contain a line feed


def check_portfolio(path: Path, today: dt.date) -> Checked:
    """Check a file without keys or network.

    Args:
        path: The file, or `-` for standard input.
        today: The New York date.
    """
    try:
        content = _content_of(path)
        portfolio = parse_portfolio(path, content, today=today)
    except PortfolioError as error:
        problems = [{"place": place, "reason": reason} for place, reason in error.problems]
        return Checked(str(path), problems=problems)
    warnings = [
        {"position": position.id, "text": doubt}
        for position in portfolio.positions
        for doubt in find_doubts(position)
    ]
    understood = [{"id": each.id, "understood": describe_position(each)} for each in portfolio.positions]
    return Checked(str(path), warnings=warnings, positions=understood)


def _content_of(path: Path) -> bytes:
    if str(path) != STANDARD_INPUT:
        return read_portfolio_file(path)[0]
    try:
        return read_standard_input(most_bytes=MAX_BYTES)
    except UnreadableFile as error:
        raise PortfolioError(error.path, error.reason) from error
