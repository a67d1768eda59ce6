"""The command line says what it does, and the launcher starts the portal with safe settings."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from options_helper import __main__ as program
from options_helper import __version__, cli
from options_helper.errors import MissingDependency, OptionsHelperError
from options_helper.launch import child, command, launcher, log_file, own_folder, ports
from options_helper.launch.endpoint import Endpoint
from options_helper.launch.launcher import LaunchOptions
from options_helper.recording import FOLDER_VARIABLE

RUNNER = CliRunner()

# Answers the health check as Streamlit does, and ends quietly when asked to.
STUB = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    """The command line in its own process, after a statement."""
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
    pytest.importorskip("streamlit")
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
    """A full standard output gives one sentence, even at the interpreter's end, and exit status 1."""
    with Path("/dev/full").open("w") as full:
        ended = run_cli(*words, stdout=full.fileno(), before=f"os.chdir({str(tmp_path)!r})")
    assert ended.returncode == 1
    assert ended.stderr == "The system reported an error: No space left on device.\n"


def test_the_command_is_safe(tmp_path: Path) -> None:
    """The child listens on one address, answers to known names, and shows no values in errors."""
    line = command.streamlit_command(tmp_path / "app.py", Endpoint(host="127.0.0.1", port=8502))
    assert line[:2] == [sys.executable, "-P"]
    assert line[3:5] == ["run", str(tmp_path / "app.py")]
    assert {
        "--server.address=127.0.0.1",
        "--server.port=8502",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--server.enableCORS=true",
        "--server.enableXsrfProtection=true",
        "--server.enableAgentApi=false",
        "--server.enableStaticServing=false",
        "--server.baseUrlPath=",
        "--server.enableWebsocketCompression=true",
        "--server.websocketPingInterval=10",
        "--server.disconnectedSessionTTL=20",
        "--server.allowedHosts=localhost",
        "--server.allowedHosts=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=type",
        "--client.showErrorLinks=false",
        "--client.toolbarMode=viewer",
    } <= set(line)


@pytest.mark.integration
def test_the_server_imports_nothing_from_the_working_directory(tmp_path: Path) -> None:
    """A file beside the portfolio with a module's name is not run in the process with the keys."""
    here, streamlit = tmp_path / "here", tmp_path / "stub" / "streamlit"
    streamlit.mkdir(parents=True)
    (streamlit / "__init__.py").touch()
    (streamlit / "__main__.py").write_text("print('served')")
    here.mkdir()
    for name in ("streamlit", "threading", "signal"):
        (here / f"{name}.py").write_text("raise SystemExit('a file of the working directory was run')")
    line = command.streamlit_command(tmp_path / "app.py", Endpoint(host="127.0.0.1", port=8502))
    env = os.environ | {"PYTHONPATH": str(streamlit.parent)}
    ended = subprocess.run(line, cwd=here, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert (ended.stdout, ended.stderr) == ("served\n", "")


def test_a_chosen_host_is_allowed_by_name(tmp_path: Path) -> None:
    """A host given on the command line is among the names that the server answers to."""
    line = command.streamlit_command(tmp_path / "app.py", Endpoint(host="192.168.1.5", port=8501))
    assert "--server.allowedHosts=192.168.1.5" in line


def test_a_taken_default_port_moves_on(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    """Without `--port`, a taken default moves to the next free port."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken_port)
    with ports.claimed_port("127.0.0.1", None) as chosen:
        assert taken_port < chosen < taken_port + ports.PORTS_TRIED


def test_two_launchers_never_choose_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one launcher has a port but does not listen yet, the next one takes another or refuses."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", free_port())
    with ports.claimed_port("127.0.0.1", None) as first:
        with ports.claimed_port("127.0.0.1", None) as second:
            assert second != first
        with pytest.raises(OptionsHelperError, match="is taken"), ports.claimed_port("127.0.0.1", first):
            pass
    with ports.claimed_port("127.0.0.1", None) as again:
        assert again == first


def test_a_requested_port_that_is_taken_is_refused(taken_port: int) -> None:
    """A requested port that is taken is refused, not replaced."""
    words = f"Port {taken_port} .* is taken. Choose another one"
    with pytest.raises(OptionsHelperError, match=words), ports.claimed_port("127.0.0.1", taken_port):
        pass
    free = free_port()
    with ports.claimed_port("127.0.0.1", free) as port:
        assert port == free


def test_the_lack_of_a_free_port_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every port is taken, the message names the way out."""
    monkeypatch.setattr(ports, "is_free", lambda _host, _port: False)
    with (
        pytest.raises(OptionsHelperError, match="Choose one with --port"),
        ports.claimed_port("127.0.0.1", None),
    ):
        pass


def test_a_missing_extra_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without streamlit nothing starts, and the sentence has the pip line; the demo also needs aiohttp."""
    monkeypatch.setattr(launcher, "find_spec", lambda name: None if name == "aiohttp" else object())
    launcher.require_packages(demo=False)
    with pytest.raises(MissingDependency, match=r"aiohttp is not installed.*options-helper\[ui\]"):
        launcher.require_packages(demo=True)
    monkeypatch.setattr(launcher, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependency, match="streamlit"):
        launcher.launch(LaunchOptions(), print)


def test_the_portal_is_found_in_the_checkout() -> None:
    """The entry script is where the package or its checkout has it."""
    assert command.portal_script().parts[-4:] == ("apps", "streamlit", "entry", "server.py")


def test_a_broken_installation_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the portal's files, the sentence says how to reinstall."""
    monkeypatch.setattr(command, "__file__", str(tmp_path / "a" / "launch" / "command.py"))
    with pytest.raises(OptionsHelperError, match="force-reinstall"):
        command.portal_script()


def test_the_installed_portal_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a wheel, the portal is below the package."""
    script = tmp_path / "pkg" / "_portal" / "apps" / "streamlit" / "entry" / "server.py"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr(command, "__file__", str(tmp_path / "pkg" / "launch" / "command.py"))
    assert command.portal_script() == script


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


GOLDEN = Path(__file__).parent / "replay/golden"  # "quiet" begins at 10:30:00


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
    pytest.importorskip("streamlit")
    options = LaunchOptions(**({"replay": GOLDEN / "quiet.ohrec", "open_browser": False} | changes))
    with pytest.raises(OptionsHelperError, match=words):
        launcher.launch(options, lambda _words: None)


def test_the_logs_path_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the usual place cannot be written, the place used instead is printed and passed on."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv(log_file.LOG_FILE_VARIABLE, str(tmp_path / "file" / "log"))
    with launcher._environment(LaunchOptions()) as env:
        assert Path(env[log_file.LOG_FILE_VARIABLE]).parent.parent == tmp_path


def test_a_name_that_is_not_utf8_is_one_sentence(launched: Launched) -> None:
    """A file name that is not UTF-8 is refused, because no page could show it."""
    with pytest.raises(OptionsHelperError, match=r"\\xff\.json contains bytes that are not UTF-8"):
        launcher.launch(LaunchOptions(portfolio=Path("\udcff.json")), launched.say)


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


# The server's process with a wait in place of Streamlit.
WAITING = """
import os, threading
from options_helper.launch import child
def wait(*_, **__):
    print("up", flush=True)
    threading.Event().wait(float(os.environ["TEST_SECONDS"]))
child.runpy.run_module = wait
child.main()
"""


def child_of(stdin: int, seconds: float, **env: str) -> subprocess.Popen[str]:
    """Return a server's process that ends by itself a few seconds after it is up."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", WAITING],
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TEST_SECONDS": str(seconds)} | env,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "up\n"
    return process


@pytest.mark.integration
def test_the_child_ends_with_a_killed_launcher() -> None:
    """SIGKILL closes the pipe that the child watches, so the child ends."""
    reading, writing = os.pipe()
    process = child_of(reading, 60, **{child.LAUNCHER_VARIABLE: "1"})
    os.close(reading)
    os.close(writing)  # as the system does for a killed launcher
    assert process.wait(10) != 0


@pytest.mark.integration
def test_a_server_without_a_launcher_needs_no_standard_input() -> None:
    """A server started by hand or by a supervisor runs without the pipe."""
    reading, writing = os.pipe()
    os.close(writing)
    process = child_of(reading, 0.3)
    os.close(reading)
    assert process.wait(10) == 0


# A launcher with a stub in place of Streamlit's server, which takes as long to start listening.
RACER = """
import sys, time
from options_helper.launch import launcher, ports
ports.DEFAULT_PORT = int(sys.argv[1])
launcher.require_packages = lambda **_: None
stub = "import time; time.sleep(0.3)\\n" + sys.argv[2]
launcher.streamlit_command = lambda _script, endpoint: [sys.executable, "-c", stub, str(endpoint.port)]
options = launcher.LaunchOptions(open_browser=False)
raise SystemExit(launcher.launch(options, lambda text: print(text, flush=True)))
"""


@pytest.mark.integration
def test_launchers_that_race_get_a_port_each(tmp_path: Path) -> None:
    """Each of four launchers that start at once gets its own port."""
    command = [sys.executable, "-c", RACER, str(free_port()), STUB]
    env = os.environ | {log_file.LOG_FILE_VARIABLE: str(tmp_path / "log")}
    racers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)  # noqa: S603 - our own interpreter
        for _ in range(4)
    ]
    chosen = []
    for racer in racers:
        assert racer.stdout is not None
        ready = next(line for line in racer.stdout if "is ready at" in line)
        chosen.append(int(ready.split(":")[2].split()[0]))
    assert len(set(chosen)) == 4
    assert not any(racer.poll() for racer in racers)
    for racer in racers:
        racer.terminate()
    for racer in racers:
        with racer:
            assert racer.wait(10) == 0
    assert all(ports.is_free("127.0.0.1", port) for port in chosen)


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


@pytest.mark.parametrize("kind", ["link", "open to others", "file"])
def test_a_folder_prepared_by_others_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A folder that another user may have created in a shared temporary folder is not used."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = tmp_path / f"options-helper-{os.getuid()}"
    if kind == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "theirs")
    elif kind == "file":
        place.touch(mode=0o600)
    else:
        place.mkdir()
        place.chmod(0o777)
    assert own_folder.own_folder() is None


@pytest.mark.parametrize("kind", ["link", "directory", "no folder"])
def test_a_claim_that_cannot_be_made_leaves_it_to_the_bind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Neither the content nor the absence of the temporary folder keeps the portal from starting."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = own_folder.own_folder()
    assert folder is not None
    claim, port = folder / "port-127.0.0.1-{}", free_port()
    place = Path(str(claim).format(port))
    if kind == "link":
        place.symlink_to(place)
    elif kind == "directory":
        place.mkdir()
    else:
        monkeypatch.setattr("tempfile.gettempdir", _no_temporary_folder)
    with ports.claimed_port("127.0.0.1", port) as claimed:
        assert claimed == port


def _no_temporary_folder() -> str:
    raise FileNotFoundError("No usable temporary directory found")


@pytest.mark.parametrize("host", ["nobody.invalid", "192.0.2.1", "a" * 70, "\udcff", "a\0b", "[::1]", "1:2"])
def test_a_foreign_address_is_not_mistaken_for_a_taken_port(host: str) -> None:
    """The sentence gives the reason, and does not say that the port is taken."""
    with pytest.raises(OptionsHelperError, match="Cannot listen on"), ports.claimed_port(host, None):
        pass


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


class Launched:
    """A launch of the stub in place of Streamlit, ended as soon as it says that it is ready."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.said: list[str] = []
        self.opened: list[str] = []
        self.end_with: int | None = signal.SIGTERM
        monkeypatch.setenv(log_file.LOG_FILE_VARIABLE, str(tmp_path / "log"))
        monkeypatch.setattr(launcher, "require_packages", lambda **_: None)
        monkeypatch.setattr(launcher.webbrowser, "open", self.opened.append)
        monkeypatch.setattr(launcher, "streamlit_command", self._command)
        self.program = STUB

    def _command(self, _script: Path, endpoint: Endpoint) -> list[str]:
        return [sys.executable, "-c", self.program, str(endpoint.port)]

    def say(self, text: str) -> None:
        self.said.append(text)
        if "is ready at" in text and self.end_with is not None:
            # Signalled by another thread: the launcher is then in its loop.
            threading.Timer(0.05, os.kill, (os.getpid(), self.end_with)).start()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Launched:
    """A launch without Streamlit."""
    return Launched(monkeypatch, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_a_signal_ends_everything(launched: Launched, number: int) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the child and do not count as failures."""
    port = free_port()
    launched.end_with = number
    before = signal.signal(number, signal.default_int_handler)  # whatever `nohup` left for this process
    try:
        assert launcher.launch(LaunchOptions(port=port), launched.say) == 0
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert launched.said[-1] == f"Options Helper is ready at http://127.0.0.1:{port} (Ctrl-C ends it)."
    assert launched.said[0].startswith("Log file: ")
    assert launched.opened == [f"http://127.0.0.1:{port}"]
    assert ports.is_free("127.0.0.1", port)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_process_that_ignores_a_closed_terminal_keeps_ignoring_it(launched: Launched) -> None:
    """Under `nohup`, the end of the terminal does not end the portal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen: list[object] = []
    say = launched.say

    def look(text: str) -> None:
        seen.append(signal.getsignal(signal.SIGHUP))
        say(text)

    try:
        assert launcher.launch(LaunchOptions(port=free_port()), look) == 0
        assert set(seen) == {signal.SIG_IGN}
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_browser_is_opened_if_none_is_wanted(launched: Launched) -> None:
    """With `--no-browser`, none is opened."""
    assert launcher.launch(LaunchOptions(port=free_port(), open_browser=False), launched.say) == 0
    assert launched.opened == []


def test_a_failing_childs_exit_code_is_returned(launched: Launched) -> None:
    """If the child ends by itself, its exit code is returned and no address is printed."""
    launched.program = "raise SystemExit(7)"
    assert launcher.launch(LaunchOptions(port=free_port()), launched.say) == 7
    assert not any("ready" in text for text in launched.said)


def test_ctrl_c_while_modules_are_imported_is_quiet(
    launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C during imports gives the shell's status for it, and the server ignores it at its start."""

    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    launched.program = "import signal; raise SystemExit(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    assert launcher.launch(LaunchOptions(port=free_port()), launched.say) == 1
    monkeypatch.setitem(sys.modules, "options_helper.cli", Interrupted("options_helper.cli"))
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 130


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_child_killed_by_the_system_is_reported(launched: Launched) -> None:
    """The launcher reports that the system ended the server, for example for lack of memory."""
    launched.program = "import os; os.kill(os.getpid(), 9)"
    assert launcher.launch(LaunchOptions(port=free_port()), launched.say) == 137
    assert launched.said[-1] == "The system ended the portal's server (SIGKILL). Start it again."


def test_a_child_that_ignores_signals_is_killed(launched: Launched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores the request to end is killed shortly afterwards."""
    monkeypatch.setattr(launcher, "_END_WITHIN_SECONDS", 0.05)
    launched.program = STUB.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
    assert launcher.launch(LaunchOptions(port=free_port()), launched.say) == 0


def test_moving_to_another_port_is_reported(
    launched: Launched, monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    """If the portal moves to another port, a sentence says so."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken_port)
    assert launcher.launch(LaunchOptions(), launched.say) == 0
    assert launched.said[0].startswith(f"Port {taken_port} is taken; using ")


def test_listening_beyond_this_machine_is_reported(launched: Launched) -> None:
    """The launcher prints a link, its QR code, and who can read the traffic."""
    assert launcher.launch(LaunchOptions(host="0.0.0.0", port=free_port()), launched.say) == 0  # noqa: S104
    said = "\n".join(launched.said)
    assert "There is no TLS: anyone who can read this network's traffic can read the page" in said
    link = re.search(
        r"Log in from another device \(once\): (http://[\d.]+:\d+/login\?token=[\w-]{43})\n", said
    )
    assert link
    assert "█" in said
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login\?token=[\w-]{43}", launched.opened[0])
    assert launched.opened[0].partition("=")[2] not in said
