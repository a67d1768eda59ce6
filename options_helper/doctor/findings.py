"""The findings of `options-helper doctor`, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from options_helper.printable import printable, printable_json

_NAME_WIDTH = 13


class Level(StrEnum):
    """The outcome of a check; only `fail` is a failure."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, its outcome, and a sentence without secrets."""

    name: str
    level: Level
    text: str

    @property
    def line(self) -> str:
        """One printable line, `FAIL  Account      …`, whatever a server's text contains."""
        return f"{self.level:<5} {self.name:<{_NAME_WIDTH}} {printable(self.text)}"


def is_well(findings: Iterable[Finding]) -> bool:
    """Return whether nothing failed."""
    return all(finding.level is not Level.FAIL for finding in findings)


def to_json(findings: Iterable[Finding]) -> str:
    """Return `{"ok": …, "checks": [{"name": …, "level": "ok" | "note" | "fail", "text": …}]}`."""
    rows = list(findings)
    checks = [{**asdict(finding), "level": finding.level.lower()} for finding in rows]
    return printable_json({"ok": is_well(rows), "checks": checks})
