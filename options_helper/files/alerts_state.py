"""The state of a portfolio's alerts, kept across restarts in our own file beside the log."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from options_helper.analysis.alerts.rules import AlertRule
from options_helper.analysis.alerts.step import AlertPhase, Alerts, AlertStatus, Outcome
from options_helper.errors import UserFileError
from options_helper.files.reading import read_file

_MAX_BYTES = 2_000_000
_KEPT = 200  # portfolios; each demo has a new path
_OURS = re.compile(r"alerts-[0-9a-f]{16}\.json")  # the folder may hold the user's own files


class KeptAlerts(msgspec.Struct, frozen=True):
    """The saved alerts, and the ids of the rules that were created on the page."""

    alerts: Alerts
    own: tuple[str, ...] = ()


class AlertsState:
    """The state file of one portfolio.

    Args:
        folder: The log's folder.
        portfolio_path: The portfolio's path, which determines the file's name.
    """

    def __init__(self, folder: Path, portfolio_path: Path) -> None:
        digest = hashlib.sha256(os.fsencode(portfolio_path.absolute())).hexdigest()[:16]
        self.path = folder / f"alerts-{digest}.json"

    def load(self) -> KeptAlerts | None:
        """Return the saved alerts, or None if there are none or they cannot be read.

        Pending alerts start over, because nothing was watched in the meantime.
        """
        try:
            content, _ = read_file(self.path, most_bytes=_MAX_BYTES)
            kept = decode_alerts(content)
        except (
            UserFileError,
            msgspec.ValidationError,
            msgspec.DecodeError,
            UnicodeDecodeError,
            RecursionError,
        ):
            return None
        status = {key: _restarted(one) for key, one in kept.alerts.status.items()}
        return KeptAlerts(replace(kept.alerts, status=status), kept.own)

    def save(self, alerts: Alerts, own: Iterable[str]) -> None:
        """Replace the file, and delete the oldest files if there are too many portfolios.

        Raises:
            OSError: It cannot be written.
        """
        content = encode_alerts(KeptAlerts(alerts, tuple(own)))
        descriptor, draft = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(draft).replace(self.path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        ours = [path for path in self.path.parent.iterdir() if _OURS.fullmatch(path.name)]
        for old in sorted(ours, key=_age)[_KEPT:]:
            with suppress(OSError):
                old.unlink()


def encode_alerts(kept: KeptAlerts) -> bytes:
    """Return alerts as JSON."""
    return msgspec.json.encode(kept, enc_hook=_encode_rule)


def decode_alerts(content: bytes) -> KeptAlerts:
    """Return the alerts that `encode_alerts` wrote.

    Raises:
        msgspec.MsgspecError: The content is something else.
    """
    return msgspec.json.decode(content, type=KeptAlerts, dec_hook=_decode_rule)


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
