"""Alerts over a restart."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest

from options_helper.analysis.alerts.step import (
    AlertFill,
    AlertMetric,
    AlertPhase,
    AlertRule,
    Alerts,
    AlertView,
    Outcome,
    acknowledge,
    step,
    with_rules,
)
from options_helper.files.alerts_state import AlertsState

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
RULES = [
    AlertRule(id="raised", metric="pnl_abs", comparison="below", threshold=-100),
    AlertRule(id="acknowledged", metric="pnl_abs", comparison="below", threshold=-50),
    AlertRule(id="pending", metric="pnl_abs", comparison="below", threshold=-10, pending_seconds=60),
    AlertRule(id="fill", metric="fill"),
    AlertRule(id="spot", symbol="AAPL", metric="spot", comparison="above", threshold=1),
]


def alerts() -> Alerts:
    """Return alerts in every phase, with a fill that was seen."""
    readings = {(None, AlertMetric.PNL_ABS): -200.0}
    fill = AlertFill("key", NOW, frozenset({"a"}), "sell 1")
    book, _ = step(with_rules(Alerts(), RULES), AlertView(NOW, readings))
    book, _ = step(book, AlertView(NOW, readings, (fill,)))
    return acknowledge(book, "acknowledged", NOW)


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    """Phases, history, seen fills and rules are restored; pending alerts start over."""
    before, state = alerts(), AlertsState(tmp_path, Path("portfolio.json"))
    assert state.load() is None
    state.save(before, ["spot"])
    kept = state.load()
    assert kept is not None
    assert kept.own == ("spot",)
    after = kept.alerts
    assert (after.rules, after.history, after.serial, after.seen_fills, after.stepped_at) == (
        before.rules,
        before.history,
        before.serial,
        before.seen_fills,
        before.stepped_at,
    )
    phases = {key: status.phase for key, status in after.status.items()}
    assert phases == {
        "raised": AlertPhase.RAISED,
        "acknowledged": AlertPhase.ACKNOWLEDGED,
        "pending": AlertPhase.NORMAL,
        "fill": AlertPhase.RAISED,
        "spot": AlertPhase.NORMAL,
    }
    assert after.status["raised"] == replace(before.status["raised"], outcome=Outcome.NOT_WATCHED)
    assert after.status["raised"].value_at == NOW
    assert state.path.stat().st_mode & 0o077 == 0 or os.name != "posix"
    assert [path.name for path in tmp_path.iterdir()] == [state.path.name]


DEEP = b'{"zz":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"alerts": {"rules": [{"metric": "x"}]}}', b"\xff", DEEP]
)
def test_a_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    """An unreadable file does not stop the page, and the next save replaces it."""
    state = AlertsState(tmp_path, Path("portfolio.json"))
    state.path.write_bytes(content)
    assert state.load() is None
    state.save(alerts(), [])
    assert state.load() is not None


def test_a_link_is_not_followed_and_old_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving replaces a link, and keeps our newest files and all foreign ones."""
    monkeypatch.setattr("options_helper.files.alerts_state._KEPT", 20)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    folder = tmp_path / "state"
    folder.mkdir()
    mine = folder / "alerts-AAPL.json"
    mine.touch()
    os.utime(mine, (0, 0))
    states = [AlertsState(folder, Path(f"{number}.json")) for number in range(25)]
    states[-1].path.symlink_to(elsewhere)
    for number, state in enumerate(states):
        state.save(alerts(), [])
        os.utime(state.path, (number, number))
    states[-1].save(alerts(), [])
    assert elsewhere.read_text() == "mine"
    assert len(list(folder.iterdir())) == 21
    assert mine.exists()
    assert states[-1].load() is not None
    assert states[0].load() is None
