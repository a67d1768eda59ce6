"""The command `options-helper doctor` in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from options_helper.cli import app
from options_helper.doctor import DoctorInput
from tests.doctor.keys import SECRET

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator


@pytest.mark.integration
def test_the_command_prints_and_exits(inputs: DoctorInput, monkeypatch, tmp_path) -> None:
    """The command prints a line for each check and exits with 0, or with 1 if one failed."""
    monkeypatch.chdir(tmp_path)
    for name, value in inputs.env.items():
        monkeypatch.setenv(name, value)
    well = CliRunner().invoke(app, ["doctor"])
    assert well.exit_code == 0, well.output
    assert "ok    Options       indicative: granted" in well.output
    broken = CliRunner().invoke(app, ["doctor", "--json", "--portfolio", "absent.json"])
    assert broken.exit_code == 1
    document = json.loads(broken.output)
    assert document["ok"] is False
    (portfolio,) = (check for check in document["checks"] if check["name"] == "Portfolio")
    assert portfolio["level"] == "fail"
    assert "there is no such file" in portfolio["text"]
    assert SECRET not in well.output + broken.output


def _run(env: dict[str, str], folder: Path, *words: str) -> subprocess.Popen[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "options_helper", "doctor", *words],
        cwd=folder,
        env=others | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.integration
def test_doctor_takes_nothing_from_running_streams(
    inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path: Path, wait_until
) -> None:
    """While this process streams, the command notes it for each stream and exits with 0."""
    from options_helper.data.settings import load_settings
    from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager

    manager = LiveStreamManager()
    manager.start(
        LiveStreamConfig(
            settings=load_settings(simulator.environment()),
            stocks=("AAPL",),
            option_contracts=("AAPL391216C00250000",),
            backfill=False,
        )
    )
    wait_until(lambda: manager.snapshot().status == "running")
    command = _run(dict(inputs.env), tmp_path, "--json")
    document = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 0
    assert document["ok"] is True
    held = [check for check in document["checks"] if "in use by another" in check["text"]]
    assert [check["name"] for check in held] == ["Stocks", "Options"]
    held += [check for check in document["checks"] if "too many connections" in check["text"]]
    assert held[-1]["name"] == "Fills"
    assert {check["level"] for check in held} == {"note"}
    assert set(manager.snapshot().reconnect_attempts.values()) == {0}
    assert manager.snapshot().status == "running"
    manager.stop()


@pytest.mark.integration
def test_ctrl_c_waits_for_no_answer(
    inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path, wait_until
) -> None:
    """Ctrl-C ends the command while every stream hangs in its handshake."""
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, hang_on_connect=True)
    command = _run(dict(inputs.env), tmp_path)
    wait_until(lambda: sum(simulator.open_connections.values()) == 3, seconds=60)
    began = time.monotonic()
    command.send_signal(signal.SIGINT)
    output = command.communicate(timeout=60)[0]
    assert time.monotonic() - began < 8  # of the ten seconds that a handshake may take
    assert command.returncode != 0
    assert "Traceback" not in output
