"""The command line: its options, and errors of one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from options_helper import __version__, cli
from options_helper.errors import MissingDependency
from options_helper.launch.launcher import LaunchOptions

RUNNER = CliRunner()


def test_version_is_printed() -> None:
    """`--version` prints the version and exits with 0."""
    result = RUNNER.invoke(cli.app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, f"options-helper {__version__}")


@pytest.mark.parametrize(
    ("command", "defaults"),
    [
        ("ui", ["127.0.0.1", "8501, or the next free one", "portfolio.json", "15"]),
        ("doctor", ["portfolio.json"]),
    ],
)
def test_the_help_names_every_default(command: str, defaults: list[str]) -> None:
    """The help gives the default of every option."""
    result = RUNNER.invoke(cli.app, [command, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    shown = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", result.stdout).split())
    for default in defaults:
        assert f"[default: {default}]" in shown.replace("(", "").replace(")", "")


def test_every_promised_option_reaches_the_launcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`ui` passes on each of its options, and its exit code is the launcher's."""
    seen: list[LaunchOptions] = []

    def launch(options: LaunchOptions, _say: object) -> int:
        seen.append(options)
        return 3

    monkeypatch.setattr(cli, "launch", launch)
    words = (
        f"ui --demo --host 127.0.0.2 --port 9000 --no-browser --portfolio {tmp_path}/p.json --keep-alive 4.5"
        " --public-url https://desk.example/options --certfile c.pem --keyfile k.pem --record records"
        " --replay r.ohrec --speed 4 --at 10:30"
    )
    assert RUNNER.invoke(cli.app, words.split()).exit_code == 3
    assert RUNNER.invoke(cli.app, ["ui"]).exit_code == 3
    assert seen == [
        LaunchOptions(
            demo=True,
            host="127.0.0.2",
            port=9000,
            open_browser=False,
            portfolio=tmp_path / "p.json",
            keep_alive_seconds=4.5,
            public_url="https://desk.example/options",
            certfile=Path("c.pem"),
            keyfile=Path("k.pem"),
            record=Path("records"),
            replay=Path("r.ohrec"),
            speed=4.0,
            at="10:30",
        ),
        LaunchOptions(),
    ]


def test_errors_that_the_user_can_fix_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing extra causes a sentence on stderr and exit code 1, without a traceback."""

    def launch(_options: LaunchOptions, _say: object) -> int:
        raise MissingDependency("streamlit", "ui")

    monkeypatch.setattr(cli, "launch", launch)
    monkeypatch.setattr(sys, "argv", ["options-helper", "ui"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        'The package streamlit is not installed. Run: pip install "options-helper[ui]"\n'
    )


def test_a_wrong_address_of_a_relay_is_refused_without_repeating_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong address of NATS ends the command, because a page could report it only after Start."""
    pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
    monkeypatch.setattr(sys, "argv", ["options-helper", "ui", "--relay", "http://u:marker@host"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.err.startswith("The address of NATS must be a URL such as nats://host:4222")
    assert "marker" not in said.err + said.out


def run_cli(*words: str, stdout: int = subprocess.PIPE, before: str = "") -> Any:
    """Run the command line in its own process, after a Python statement."""
    code = (
        f"import sys, os; sys.argv = {['options-helper', *words]!r}; {before}; "
        "from options_helper.cli import main; main()"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own interpreter


@pytest.mark.integration
def test_a_deleted_working_directory_is_one_sentence(tmp_path: Path) -> None:
    """A deleted working directory gives one sentence without a traceback, and exit status 1."""
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = run_cli("ui", before=f"os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})")
    assert ended.returncode == 1
    assert (
        ended.stderr == "The working directory no longer exists. Change to one that does, then try again.\n"
    )


def test_a_refusal_by_the_system_names_the_file(tmp_path: Path) -> None:
    """The sentence names the missing file, for example the interpreter."""
    if find_spec("streamlit") is None:
        pytest.skip("Streamlit is not installed")
    gone = tmp_path / "gone"
    ended = run_cli(
        "ui",
        "--no-browser",
        before=f"os.environ['OH_LOG_FILE'] = {str(tmp_path / 'log')!r}; sys.executable = {str(gone)!r}",
    )
    assert ended.returncode == 1
    assert ended.stderr == f"The system reported an error: No such file or directory ({gone}).\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.integration
@pytest.mark.parametrize("words", [["--version"], ["doctor", "--json"]])
def test_a_full_standard_output_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    """A full standard output gives one sentence, even as the interpreter exits, and exit status 1."""
    with Path("/dev/full").open("w") as full:
        ended = run_cli(*words, stdout=full.fileno(), before=f"os.chdir({str(tmp_path)!r})")
    assert ended.returncode == 1
    assert ended.stderr == "The system reported an error: No space left on device.\n"
