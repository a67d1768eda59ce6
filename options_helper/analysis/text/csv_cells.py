"""CSV files with cells that no spreadsheet reads as formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence

# The start of a cell, also after another locale's separator, at which a spreadsheet may split the line.
_FORMULA = re.compile(r"(^|[;\t\r\n])(\s*)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")
_DECIMALS = 12  # quantities have up to nine, prices of coins more


def safe_text(text: str) -> str:
    """Return the text in a form that no spreadsheet reads as a formula."""
    return _FORMULA.sub(r"\1'\2", text)


def plain_number(number: float) -> str:
    """Return a number without trailing zeros or an exponent, such as `6.9` or `0.000008765`."""
    return f"{number:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return a CSV file with a header line; other keys of a row are ignored, and None is an empty cell."""
    out = _Lines()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "".join(out.lines)


class _Lines:
    """Collects lines in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)
