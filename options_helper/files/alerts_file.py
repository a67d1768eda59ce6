"""`alerts.json` beside the portfolio -> alert rules, or `AlertsFileError`; never writes.

{"alerts": [
  {"position": "spy-put", "metric": "pnl_abs", "comparison": "below", "threshold": -800,
   "pending_seconds": 10},
  {"metric": "fill"}
]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from options_helper.analysis.alerts.rules import AlertMetric, AlertRule
from options_helper.errors import AlertsFileError
from options_helper.files.file_version import FileVersion, file_version
from options_helper.files.json_errors import describe_json_error

ALERTS_FILE_NAME = "alerts.json"

_HINTS = {
    "metric": f"one of {', '.join(AlertMetric)}",
    "comparison": "above or below",
    "threshold": "a number",
    "pending_seconds": "a number of seconds from 0 to 86400",
    "position": "the id of a position of the portfolio",
    "id": "a text of your choice, or leave it out",
    "alerts": "a list of alerts",
}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    alerts: list[AlertRule] = Field(default_factory=list)


def alerts_path_for(portfolio_path: Path | str) -> Path:
    """Where the alerts of a portfolio are looked for: beside it."""
    return Path(portfolio_path).with_name(ALERTS_FILE_NAME)


def load_alert_rules(path: Path | str) -> list[AlertRule]:
    """The rules of an alerts file; none where there is no such file.

    Raises:
        AlertsFileError: If the file cannot be read, is no JSON, or holds a rule that is wrong; the text
            names the file, the place and what a right value looks like.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise AlertsFileError(path, f"cannot be read: {error}") from error
    return _parse(path, text)


class AlertsFile:
    """The alerts file beside a portfolio, looked at again and again; read when it has changed.

    Args:
        portfolio_path: The portfolio's; the alerts file need not exist.
    """

    def __init__(self, portfolio_path: Path | str) -> None:
        self.path = alerts_path_for(portfolio_path)
        self._told: FileVersion | None = None
        self._broken: FileVersion | None = None
        self._unread = ""

    def read(self) -> tuple[list[AlertRule], str]:
        """The rules, and why the file could not be used, or ""; then there are no rules."""
        self._told, self._unread = file_version(self.path), ""
        try:
            return load_alert_rules(self.path), ""
        except AlertsFileError as error:
            if isinstance(error.__cause__, OSError):
                self._unread = str(error)
            return [], str(error)

    def read_if_changed(self) -> tuple[list[AlertRule], str] | None:
        """Likewise, or None where nothing is new.

        A version that cannot be used is told of at the second look: the first may have met an editor that
        was still writing it. One that could not be read is tried again at each look: a permission given, or
        a lock released, makes no new version.
        """
        version, told, unread = file_version(self.path), self._told, self._unread
        if version == told and not unread:
            return None
        rules, problem = self.read()
        if version == told and problem == unread:
            return None
        if problem and version != self._broken:
            self._told, self._unread, self._broken = told, unread, version
            return None
        return rules, problem


def dump_alert_rules(rules: Iterable[AlertRule]) -> str:
    """The rules as the text of an alerts file, for a download."""
    dumped = [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]
    return json.dumps({"alerts": dumped}, indent=2, ensure_ascii=False) + "\n"


def _parse(path: Path, text: str) -> list[AlertRule]:
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise AlertsFileError(path, f"is not JSON: {describe_json_error(error)}", place=place) from error
    except RecursionError as error:
        raise AlertsFileError(path, "is nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits, which Python refuses to convert
        raise AlertsFileError(path, "has a number of thousands of digits; write it shorter") from error
    try:
        rules = _Document.model_validate(raw).alerts
    except ValidationError as error:
        raise _explained(path, raw, error) from error
    _refuse_duplicates(path, rules)
    return rules


def _explained(path: Path, raw: object, error: ValidationError) -> AlertsFileError:
    if not isinstance(raw, dict):
        return AlertsFileError(path, 'must be an object such as {"alerts": []}')
    first = error.errors(include_url=False)[0]
    location = [part for part in first["loc"] if part != "alerts" or len(first["loc"]) == 1]
    key = location[-1] if location else ""
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        reason = "is not a known key; check its spelling"
    elif isinstance(key, int) and first["type"] == "model_type":
        reason = 'must be an object such as {"metric": "fill"}'
    elif key in _HINTS:
        reason = f"must be {_HINTS[str(key)]}"
    return AlertsFileError(path, reason, place=_place(location))


def _place(location: list[int | str]) -> str:
    words = [f"alert {part + 1}" if isinstance(part, int) else f"field {part}" for part in location]
    return ", ".join(words)


def _refuse_duplicates(path: Path, rules: list[AlertRule]) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        if rule.id in seen:
            raise AlertsFileError(
                path,
                f"the id {rule.id!r} is used twice; give one of them its own id",
                place=f"alert {number}",
            )
        seen.add(rule.id)
