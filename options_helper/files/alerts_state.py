"""The state of a portfolio's alerts, kept across restarts in our own file beside the log."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from options_helper.analysis.alerts.records import AlertPhase, Alerts, AlertStatus, Outcome
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.text.wording import count
from options_helper.errors import MissingFile, UserFileError
from options_helper.files.reading import read_file

logger = logging.getLogger(__name__)

_MAX_BYTES = 2_000_000
_UNREADABLE = "The saved alerts cannot be read, so those created on the page are missing."
_KEPT = 200  # portfolios; each demo has a new path
_OURS = re.compile(r"alerts-[0-9a-f]{16}\.(json|unused)")  # the folder may hold the user's own files


class KeptAlerts(msgspec.Struct, frozen=True):
    """The saved alerts, and the ids of the rules that were created on the page."""

    alerts: Alerts
    own: tuple[str, ...] = ()


class AlertsState:
    """The state file of one portfolio.

    Args:
        folder: The log's folder.
        portfolio_path: The portfolio's path, which determines the file's name.

    Attributes:
        problem: What the last `load` could not use, and where it remains, or "".
    """

    def __init__(self, folder: Path, portfolio_path: Path) -> None:
        digest = hashlib.sha256(os.fsencode(portfolio_path.absolute())).hexdigest()[:16]
        self.path = folder / f"alerts-{digest}.json"
        self.problem = ""

    def load(self) -> KeptAlerts | None:
        """Return the saved alerts, or None if there are none or they cannot be read.

        Pending alerts start over, because nothing was watched in the meantime. If anything in the file cannot
        be used, `problem` says what, and a copy of the file remains beside it.
        """
        self.problem = ""
        try:
            content, _ = read_file(self.path, most_bytes=_MAX_BYTES)
        except MissingFile:
            return None
        except UserFileError as error:
            self.problem = f"The saved alerts cannot be read: {error.reason}"
            return None
        try:
            kept, refused = _decode_usable(content)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._keep_copy(
                content, "The saved alerts cannot be read, so those created on the page are missing."
            )
            return None
        if refused:
            self._keep_copy(content, _refused_words(refused))
        status = {key: _restarted(one) for key, one in kept.alerts.status.items()}
        return KeptAlerts(replace(kept.alerts, status=status), kept.own)

    def _keep_copy(self, content: bytes, problem: str) -> None:
        copy = self.path.with_suffix(".unused")
        self.problem = f"{problem} The file was copied to {copy}."
        try:
            self._replace(copy, content)
        except OSError as error:
            self.problem = f"{problem} It cannot be copied ({error.strerror or type(error).__name__})."
        logger.warning("%s", self.problem)

    def save(self, alerts: Alerts, own: Iterable[str]) -> None:
        """Replace the file, and delete the oldest files if there are too many portfolios.

        Raises:
            OSError: It cannot be written.
        """
        self._replace(self.path, encode_alerts(KeptAlerts(alerts, tuple(own))))
        ours = [path for path in self.path.parent.iterdir() if _OURS.fullmatch(path.name)]
        for old in sorted(ours, key=_age)[_KEPT:]:
            with suppress(OSError):
                old.unlink()

    @staticmethod
    def _replace(path: Path, content: bytes) -> None:
        """Replace a file in one step, so that it is never half written."""
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise


def encode_alerts(kept: KeptAlerts) -> bytes:
    """Return alerts as JSON."""
    return msgspec.json.encode(kept, enc_hook=_encode_rule)


def decode_alerts(content: bytes) -> KeptAlerts:
    """Return the alerts that `encode_alerts` wrote.

    Raises:
        msgspec.MsgspecError: The content is something else.
    """
    return msgspec.json.decode(content, type=KeptAlerts, dec_hook=_decode_rule)


def _decode_usable(content: bytes) -> tuple[KeptAlerts, list[str]]:
    """Return the alerts without the rules that are not valid any more, and why each of the page's is not.

    Raises:
        msgspec.MsgspecError: The content is something else.
    """
    document = msgspec.json.decode(content, type=dict[str, Any])
    alerts = msgspec.convert(document.get("alerts"), dict[str, Any])
    rules = msgspec.convert(alerts.get("rules", []), list[dict[str, Any]])
    events = msgspec.convert(alerts.get("history", []), list[dict[str, Any]])
    refusals = [(rule, _refusal(rule)) for rule in rules]
    alerts["rules"] = [rule for rule, reason in refusals if not reason]
    alerts["history"] = [event for event in events if not _refusal(event.get("rule"))]
    kept = msgspec.convert({**document, "alerts": alerts}, KeptAlerts, dec_hook=_decode_rule)
    # A rule of the alerts file is explained when that file is read.
    return kept, [reason for rule, reason in refusals if reason and rule.get("id") in kept.own]


def _refusal(rule: object) -> str:
    """Return the reason why a saved rule is not valid, or ""."""
    try:
        AlertRule.model_validate(rule)
    except ValidationError as error:
        return str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
    return ""


def _refused_words(reasons: Sequence[str]) -> str:
    return f"{count(len(reasons), 'saved alert')} can no longer be used: {'; '.join(dict.fromkeys(reasons))}."


def _age(path: Path) -> float:
    with suppress(OSError):
        return -path.stat().st_mtime
    return 0.0


def _restarted(status: AlertStatus) -> AlertStatus:
    status = replace(status, outcome=Outcome.NOT_WATCHED)
    if status.phase is AlertPhase.PENDING:
        return replace(status, phase=AlertPhase.NORMAL, held_seconds=0.0)
    return replace(status, held_seconds=0.0) if status.phase is AlertPhase.NORMAL else status


def _encode_rule(value: object) -> object:
    if isinstance(value, AlertRule):
        return value.model_dump(mode="json", exclude_none=True)
    raise NotImplementedError(type(value).__name__)


def _decode_rule(kind: type, value: object) -> object:
    if kind is AlertRule:
        return AlertRule.model_validate(value)
    raise NotImplementedError(kind.__name__)
