"""The launcher and its child: from the start to the end of both."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from options_helper import __main__ as program
from options_helper.errors import MissingDependency, OptionsHelperError
from options_helper.launch import child, launcher, ports
from options_helper.launch.launcher import LaunchOptions
from tests.launch.stub import STUB, Launched, free_port


def test_a_missing_extra_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without streamlit nothing starts, and the sentence has the pip line; the demo also needs aiohttp."""
    monkeypatch.setattr(launcher, "find_spec", lambda name: None if name == "aiohttp" else object())
    launcher.require_packages(demo=False)
    with pytest.raises(MissingDependency, match=r"aiohttp is not installed.*options-helper\[ui\]"):
        launcher.require_packages(demo=True)
    monkeypatch.setattr(launcher, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependency, match="streamlit"):
        launcher.launch(LaunchOptions(), print)


def test_a_name_that_is_not_utf8_is_one_sentence(launched: Launched) -> None:
    """A file name that is not UTF-8 is refused, because no page could show it."""
    with pytest.raises(OptionsHelperError, match=r"\\xff\.json contains bytes that are not UTF-8"):
        launcher.launch(LaunchOptions(portfolio=Path("\udcff.json")), launched.say)


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
    """With `--no-browser`, no browser is opened."""
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
    """Ctrl-C during imports ends with the shell's status for it; a server that is starting ignores it."""

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
