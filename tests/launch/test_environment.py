"""The environment of the portal's server: the user's choices, a demo, a replay, a log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from options_helper.errors import OptionsHelperError
from options_helper.launch import launcher, log_file, own_folder
from options_helper.launch.launcher import LaunchOptions
from options_helper.recording import FOLDER_VARIABLE
from tests.launch.stub import Launched, free_port


def test_only_a_proxy_on_this_machine_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own uvicorn setting is replaced, or any device could pretend to be this one."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with launcher._environment(LaunchOptions()) as env:
        assert env["FORWARDED_ALLOW_IPS"] == "127.0.0.1,::1"


def test_the_users_choices_reach_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Portfolio, keep-alive, recordings and log file are passed in the environment as absolute paths."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(log_file.LOG_FILE_VARIABLE, raising=False)
    options = LaunchOptions(portfolio=Path("mine.json"), keep_alive_seconds=2.5, record=Path("records"))
    with launcher._environment(options) as env:
        assert env[launcher.PORTFOLIO_VARIABLE] == str(tmp_path / "mine.json")
        assert env[launcher.KEEP_ALIVE_VARIABLE] == "2.5"
        assert env[FOLDER_VARIABLE] == str(tmp_path / "records")
        assert env[log_file.LOG_FILE_VARIABLE] == str(tmp_path / "state/options-helper/options-helper.log")
    with launcher._environment(LaunchOptions()) as env:
        assert launcher.PORTFOLIO_VARIABLE not in env
        assert launcher.KEEP_ALIVE_VARIABLE not in env
        assert FOLDER_VARIABLE not in env


GOLDEN = Path(__file__).parents[1] / "replay/golden"  # "quiet" begins at 10:30:00


def test_a_replay_has_its_own_portfolio_and_settings(tmp_path: Path) -> None:
    """The child gets the recording, the speed and the time; the portfolio has its own folder."""
    recording = GOLDEN / "quiet.ohrec"
    options = LaunchOptions(replay=recording, speed=4.0, at="10:30", portfolio=tmp_path / "mine.json")
    with launcher._environment(options) as env:
        names = ("OH_REPLAY", "OH_REPLAY_SPEED", "OH_REPLAY_AT")
        assert [env[name] for name in names] == [str(recording), "4.0", "10:30"]
        assert Path(env[launcher.PORTFOLIO_VARIABLE]).parent != tmp_path
    assert not Path(env[launcher.PORTFOLIO_VARIABLE]).parent.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"at": "half past ten"}, "not a time of day"),
        ({"at": "10:30Z"}, "has a time zone"),
        ({"at": "10:29"}, "10:29 is not in the recording, which lasts from 10:30:"),
        ({"at": "23:00"}, "23:00 is not in the recording"),
        ({"speed": float("nan")}, "from 0.5 to 100, not nan"),
        ({"speed": float("inf")}, "from 0.5 to 100"),
        ({"speed": 0.0}, "from 0.5 to 100"),
        ({"replay": Path(__file__)}, "not a recording"),
        ({"demo": True}, "cannot be combined with --demo or --record"),
        ({"record": Path("records")}, "cannot be combined with --demo or --record"),
        ({"portfolio": Path("portfolio.json")}, "leave out --portfolio"),
        ({"replay": None, "at": "10:30"}, "add --replay FILE"),
        ({"replay": None, "speed": 1.0}, "add --replay FILE"),
    ],
)
def test_an_impossible_replay_is_one_sentence(changes: dict, words: str) -> None:
    """An invalid file, time, zone, speed or combination of options is refused at once."""
    if find_spec("streamlit") is None:
        pytest.skip("Streamlit is not installed")
    options = LaunchOptions(**({"replay": GOLDEN / "quiet.ohrec", "open_browser": False} | changes))
    with pytest.raises(OptionsHelperError, match=words):
        launcher.launch(options, lambda _words: None)


def test_the_logs_path_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the usual place cannot be written to, the place used instead is printed and passed on."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv(log_file.LOG_FILE_VARIABLE, str(tmp_path / "file" / "log"))
    with launcher._environment(LaunchOptions()) as env:
        assert Path(env[log_file.LOG_FILE_VARIABLE]).parent.parent == tmp_path


def test_without_a_place_for_a_log_the_launcher_continues(
    launched: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any place for a log, a sentence says so, and the child gets none."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(log_file.LOG_FILE_VARIABLE, str(tmp_path / "file" / "log"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    assert launcher.launch(LaunchOptions(port=free_port()), launched.say) == 0
    assert "No log file can be written; continuing without one." in launched.said
    with launcher._environment(LaunchOptions()) as env:
        assert log_file.LOG_FILE_VARIABLE not in env


def test_the_folder_of_a_killed_demo_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo removes the folder of a killed one, but not that of a running one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    folder = own_folder.own_folder()
    assert folder is not None
    left, running = folder / f"demo-{ended.pid}-x", folder / f"demo-{os.getpid()}-x"
    left.mkdir()
    running.mkdir()
    assert own_folder.make_demo_folder().parent == folder
    assert (left.exists(), running.exists()) == (False, True)


def test_the_demo_has_its_own_portfolio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo uses loopback, and its portfolio's folder is removed at the end."""
    pytest.importorskip("aiohttp", reason="the simulator needs aiohttp")
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "portfolio.json"
    mine.write_text("mine")
    with launcher._environment(LaunchOptions(demo=True)) as env:
        path = Path(env[launcher.PORTFOLIO_VARIABLE])
        assert json.loads(path.read_text())["positions"]
        for name in ("APCA_API_BASE_URL", "APCA_API_DATA_URL", "APCA_API_STREAM_URL"):
            assert "//127.0.0.1:" in env[name]
    assert not path.exists()
    assert mine.read_text() == "mine"


def test_the_demo_accepts_the_users_portfolio(tmp_path: Path) -> None:
    """A portfolio given with `--demo` is used unchanged."""
    pytest.importorskip("aiohttp", reason="the simulator needs aiohttp")
    with launcher._environment(LaunchOptions(demo=True, portfolio=tmp_path / "p.json")) as env:
        assert env[launcher.PORTFOLIO_VARIABLE] == str(tmp_path / "p.json")
