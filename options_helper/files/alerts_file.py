"""Reads the alert rules in `alerts.json`, beside the portfolio; never writes.

{"alerts": [
  {"position": "spy-put", "metric": "pnl_abs", "comparison": "below", "threshold": -800,
   "pending_seconds": 10},
  {"metric": "fill"}
]}
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from options_helper.analysis.alerts.rules import AlertMetric, AlertRule
from options_helper.errors import AlertsFileError, MissingFile, UnreadableFile
from options_helper.files.file_version import FileVersion, file_version
from options_helper.files.json_text import JsonObject, parse_json
from options_helper.files.reading import read_file
from options_helper.files.shown import closest
from options_helper.printable import printable_json

ALERTS_FILE_NAME = "alerts.json"
MAX_BYTES = 1_000_000
MOST_ALERTS = 200

_HINTS = {
    "metric": f"one of {', '.join(AlertMetric)}",
    "comparison": "above or below",
    "threshold": "a number",
    "pending_seconds": "a number of seconds from 0 to 86400",
    "position": "the id of a position in the portfolio",
    "id": "any text, or leave it out",
    "alerts": f"a list of at most {MOST_ALERTS} alerts",
}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    alerts: list[AlertRule] = Field(default_factory=list, max_length=MOST_ALERTS)


def alerts_path_for(portfolio_path: Path | str) -> Path:
    """Return the path of the alerts file beside a portfolio."""
    return Path(portfolio_path).with_name(ALERTS_FILE_NAME)


def load_alert_rules(path: Path | str) -> list[AlertRule]:
    """Return the rules of an alerts file, or none if the file does not exist.

    Raises:
        AlertsFileError: The file cannot be read, is not JSON, or holds an invalid rule; the text names the
            file and the place, and shows a valid value.
    """
    path = Path(path)
    try:
        content, _ = read_file(path, most_bytes=MAX_BYTES)
    except MissingFile:
        return []
    except UnreadableFile as error:
        raise AlertsFileError(path, error.reason) from error
    return _parse(path, content)


class AlertsFile:
    """The alerts file beside a portfolio, read again whenever it changes.

    Args:
        portfolio_path: The portfolio's path; the alerts file need not exist.
    """

    def __init__(self, portfolio_path: Path | str) -> None:
        self.path = alerts_path_for(portfolio_path)
        self._reported: FileVersion | None = None
        self._broken: FileVersion | None = None
        self._unread = ""

    def read(self) -> tuple[list[AlertRule], str]:
        """Return the rules and "", or an empty list and the reason why the file cannot be used."""
        self._reported, self._unread = file_version(self.path), ""
        try:
            return load_alert_rules(self.path), ""
        except AlertsFileError as error:
            if isinstance(error.__cause__, UnreadableFile):
                self._unread = str(error)
            return [], str(error)

    def read_if_changed(self) -> tuple[list[AlertRule], str] | None:
        """Return the result of `read`, or None if nothing has changed.

        An unusable version is reported only on the second call, because an editor may still be writing during
        the first. An unreadable file is tried again on every call, because a permission or a lock may change
        without a new version.
        """
        version, reported, unread = file_version(self.path), self._reported, self._unread
        if version == reported and not unread:
            return None
        rules, problem = self.read()
        if version == reported and problem == unread:
            return None
        if problem and version != self._broken:
            self._reported, self._unread, self._broken = reported, unread, version
            return None
        return rules, problem


def dump_alert_rules(rules: Iterable[AlertRule]) -> str:
    """Return the text of an alerts file with these rules."""
    dumped = [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]
    return printable_json({"alerts": dumped}) + "\n"


def _parse(path: Path, content: bytes) -> list[AlertRule]:
    document = parse_json(path, content, AlertsFileError, smallest='{"alerts": []}')
    _refuse_twins(path, document)
    try:
        rules = _Document.model_validate(document).alerts
    except ValidationError as error:
        raise _explained(path, document, error) from None  # its text would quote the file
    _refuse_duplicates(path, rules)
    return rules


def _explained(path: Path, document: object, error: ValidationError) -> AlertsFileError:
    if not isinstance(document, dict):
        return AlertsFileError(path, 'must be an object such as {"alerts": []}')
    first = error.errors(include_url=False)[0]
    location = [part for part in first["loc"] if part != "alerts" or len(first["loc"]) == 1]
    key = location[-1] if location else ""
    if first["type"] == "extra_forbidden":
        return AlertsFileError(
            path, _unknown_key(str(key), first=len(location) == 1), place=_place(location[:-1])
        )
    if isinstance(key, int) and first["type"] == "model_type":
        reason = 'must be an object such as {"metric": "fill"}'
    elif key in _HINTS:
        reason = f"must be {_HINTS[str(key)]}"
    else:
        reason = first["msg"].removeprefix("Value error, ")
    return AlertsFileError(path, reason, place=_place(location))


def _unknown_key(key: str, *, first: bool) -> str:
    """Return the sentence for an unknown key; it names the key only if it resembles one of ours."""
    known = {"alerts"} if first else set(AlertRule.model_fields)
    meant = closest(key, known)
    if meant:
        return f'"{key}" is not a known key; did you mean "{meant}"?'
    return f"a key of {len(key)} characters is not a known key; the known ones are {', '.join(sorted(known))}"


def _place(location: list[int | str]) -> str:
    words = [f"alert {part + 1}" if isinstance(part, int) else f"field {part}" for part in location]
    return ", ".join(words)


def _refuse_twins(path: Path, document: object) -> None:
    """Reject a repeated key, because JSON would silently keep the last one."""
    alerts = document.get("alerts") if isinstance(document, dict) else None
    entries = [("", document)]
    entries += [
        (f"alert {number}", each) for number, each in enumerate(alerts if isinstance(alerts, list) else [], 1)
    ]
    for place, entry in entries:
        twins = [key for key in entry.twins if key in _HINTS] if isinstance(entry, JsonObject) else []
        if twins:
            raise AlertsFileError(
                path, f'the key "{twins[0]}" appears here more than once; keep one', place=place
            )


def _refuse_duplicates(path: Path, rules: list[AlertRule]) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        if rule.id in seen:
            reason = "another alert has the same id; give one of them its own id"
            raise AlertsFileError(path, reason, place=f"alert {number}, field id")
        seen.add(rule.id)
