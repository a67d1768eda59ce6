"""Alerts over a restart."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest

from options_helper.analysis.alerts.records import AlertFill, AlertPhase, Alerts, AlertView, Outcome
from options_helper.analysis.alerts.rules import AlertMetric, AlertRule
from options_helper.analysis.alerts.step import acknowledge, step, with_rules
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
    stepped, _ = step(with_rules(Alerts(), RULES), AlertView(NOW, readings))
    stepped, _ = step(stepped, AlertView(NOW, readings, (fill,)))
    return acknowledge(stepped, "acknowledged", NOW)


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
    "content",
    [b"", b"{", b"[]", b"{}", b'{"alerts": {"rules": [1]}}', b'{"alerts": {"serial": "x"}}', b"\xff", DEEP],
)
def test_an_unreadable_file_does_not_stop_the_page(tmp_path: Path, content: bytes) -> None:
    """The reason is given, a copy remains, and the next save replaces the file."""
    state = AlertsState(tmp_path, Path("portfolio.json"))
    state.path.write_bytes(content)
    assert state.load() is None
    copy = state.path.with_suffix(".unused")
    assert state.problem == (
        "The saved alerts cannot be read, so those created on the page are missing. "
        f"The file was copied to {copy}."
    )
    assert copy.read_bytes() == content
    state.save(alerts(), [])
    assert state.load() is not None
    assert state.problem == ""


def test_an_alert_that_is_no_longer_valid_affects_no_other(tmp_path: Path) -> None:
    """The other alerts keep their phases; the reason is given, and a copy remains."""
    before, state = alerts(), AlertsState(tmp_path, Path("portfolio.json"))
    state.save(before, ["spot", "raised"])
    old = state.path.read_bytes().replace(b'"threshold":-100.0', b'"threshold":"old"')
    state.path.write_bytes(old)
    kept = state.load()
    assert kept is not None
    assert [rule.id for rule in kept.alerts.rules] == ["acknowledged", "pending", "fill", "spot"]
    assert kept.alerts.status["acknowledged"].phase is AlertPhase.ACKNOWLEDGED
    others = [event for event in before.history if event.rule.id != "raised"]
    assert list(kept.alerts.history) == others
    assert state.problem.startswith("1 saved alert can no longer be used: Input should be a valid number")
    assert state.path.with_suffix(".unused").read_bytes() == old


def test_an_alert_from_the_file_is_explained_by_the_file(tmp_path: Path) -> None:
    """An invalid alert that came from the alerts file is not lost, and that file reports its own error."""
    state = AlertsState(tmp_path, Path("portfolio.json"))
    state.save(alerts(), ["spot"])
    state.path.write_bytes(state.path.read_bytes().replace(b'"threshold":-100.0', b'"threshold":"old"'))
    assert state.load() is not None
    assert state.problem == ""


def test_a_failed_copy_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names the reason instead of the copy."""
    state = AlertsState(tmp_path, Path("portfolio.json"))
    state.path.write_bytes(b"{")

    def full(**_: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    assert state.load() is None
    assert state.problem.endswith("It cannot be copied (No space left on device).")


def test_a_file_that_may_not_be_opened_is_reported(tmp_path: Path) -> None:
    """A folder in the place of the file is reported as unreadable."""
    state = AlertsState(tmp_path, Path("portfolio.json"))
    state.path.mkdir()
    assert state.load() is None
    assert state.problem.startswith("The saved alerts cannot be read: ")


def test_links_are_replaced_and_old_files_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
