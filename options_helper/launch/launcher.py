"""The portal's launcher: a Streamlit child process with safe settings, and the simulator for the demo."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from options_helper.errors import MissingDependency, OptionsHelperError
from options_helper.launch import ports
from options_helper.launch.child import LAUNCHER_VARIABLE
from options_helper.launch.command import portal_script, streamlit_command
from options_helper.launch.endpoint import Endpoint
from options_helper.launch.limits import raise_open_files_limit
from options_helper.launch.log_file import LOG_FILE_VARIABLE, log_file_path, usable_log_path
from options_helper.launch.login_link import LoginLinks
from options_helper.launch.own_folder import make_demo_folder
from options_helper.printable import printable
from options_helper.recording import CONTENTS, FOLDER_VARIABLE
from options_helper.relay import RELAY_VARIABLE
from options_helper.relay.nats_options import load_nats_options
from options_helper.replay import AT_VARIABLE, FILE_VARIABLE, SPEED_VARIABLE, SPEEDS
from options_helper.times import new_york_date, utc_now

PORTFOLIO_VARIABLE = "OH_PORTFOLIO"
KEEP_ALIVE_VARIABLE = "OH_KEEP_ALIVE_SECONDS"
_READY_WITHIN_SECONDS = 60.0
_END_WITHIN_SECONDS = 1.0  # all of it must end within 2 s, the demo's simulator included
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """The options of `options-helper ui`; `port` None means 8501 or the next free port."""

    demo: bool = False
    host: str = ports.DEFAULT_HOST
    port: int | None = None
    open_browser: bool = True
    portfolio: Path | None = None
    keep_alive_seconds: float | None = None
    public_url: str = ""
    certfile: Path | None = None
    keyfile: Path | None = None
    record: Path | None = None
    replay: Path | None = None
    relay: str = ""
    speed: float | None = None
    at: str = ""

    def endpoint(self, port: int) -> Endpoint:
        """Return the server's endpoint at this port."""
        return Endpoint(
            host=self.host,
            port=port,
            public_url=self.public_url,
            certfile=self.certfile,
            keyfile=self.keyfile,
        )


def require_packages(*, demo: bool) -> None:
    """Check that the packages of the needed extras are installed, before anything starts.

    Raises:
        MissingDependency: Streamlit, or the simulator's server, is not installed.
    """
    for package in ("streamlit", "qrcode", "aiohttp") if demo else ("streamlit", "qrcode"):
        if find_spec(package) is None:
            raise MissingDependency(package, "ui")


def launch(options: LaunchOptions, say: Callable[[str], object]) -> int:
    """Run the portal until it ends or receives one of `_ending_signals`, and return the exit code.

    Raises:
        OptionsHelperError: The portal cannot be started.
    """
    _check_combination(options)
    if options.relay:
        load_nats_options(options.relay)  # refuses an address or credentials that cannot be used
    require_packages(demo=options.demo)
    script = portal_script()
    _refuse_undecodable(options.portfolio or os.environ.get(PORTFOLIO_VARIABLE))
    options.endpoint(options.port or ports.DEFAULT_PORT).check()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(ports.claimed_port(options.host, options.port))
        if options.port is None and port != ports.DEFAULT_PORT:
            say(f"Port {ports.DEFAULT_PORT} is taken; using {port}.")
        low = raise_open_files_limit()
        if low:
            say(low)
        links = LoginLinks(options.endpoint(port))
        env = stack.enter_context(_environment(options)) | links.environment()
        log = env.get(LOG_FILE_VARIABLE)
        say(f"Log file: {printable(log)}" if log else "No log file can be written; continuing without one.")
        if options.record is not None:
            say(f"Recording to {printable(str(options.record))}. {CONTENTS}")
        if options.relay:
            say("The data comes from a relay; no keys are needed here.")
        if options.replay is not None:
            say(f"REPLAY of {printable(str(options.replay))}; nothing connects to Alpaca.")
        if options.demo:
            say("DEMO: simulated prices; no account is needed, and nothing connects to Alpaca.")
        return _run(
            streamlit_command(script, links.endpoint), env, links, say, open_browser=options.open_browser
        )


def _check_combination(options: LaunchOptions) -> None:
    """Raise for options that exclude each other."""
    if options.replay is None and (options.speed is not None or options.at):
        raise OptionsHelperError("--speed and --at need a recording: add --replay FILE.")
    if options.replay is not None and (options.demo or options.record is not None):
        raise OptionsHelperError("--replay cannot be combined with --demo or --record.")
    if options.replay is not None and options.portfolio is not None:
        raise OptionsHelperError("--replay uses the recorded portfolio file; leave out --portfolio.")
    if options.relay and (options.demo or options.replay is not None or options.record is not None):
        raise OptionsHelperError("--relay cannot be combined with --demo, --replay or --record.")


def _refuse_undecodable(portfolio: Path | str | None) -> None:
    """Raise for a file name that is not UTF-8, because no page or JSON can contain it."""
    try:
        str(portfolio or "").encode()
    except UnicodeEncodeError:
        raise OptionsHelperError(
            f"The name {printable(str(portfolio))} contains bytes that are not UTF-8. Rename the file."
        ) from None


@contextlib.contextmanager
def _environment(options: LaunchOptions) -> Iterator[dict[str, str]]:
    """Yield the child's environment; in the demo, the simulator runs until the context ends."""
    # glibc gives each busy thread its own heap, and no other thread can reuse memory freed in it. With eight
    # heaps the server grew by a megabyte in ten minutes; two heaps cost no throughput.
    env = {"MALLOC_ARENA_MAX": "2"} | os.environ
    # Otherwise uvicorn would believe the address that another device claims to come from.
    env["FORWARDED_ALLOW_IPS"] = "127.0.0.1,::1"
    log = usable_log_path(_absolute(log_file_path()))
    env.pop(LOG_FILE_VARIABLE, None)
    env[LAUNCHER_VARIABLE] = str(os.getpid())
    if log is not None:
        env[LOG_FILE_VARIABLE] = str(log)
    if options.keep_alive_seconds is not None:
        env[KEEP_ALIVE_VARIABLE] = str(options.keep_alive_seconds)
    if options.record is not None:
        env[FOLDER_VARIABLE] = str(options.record.absolute())
    if options.portfolio is not None:
        env[PORTFOLIO_VARIABLE] = str(options.portfolio.absolute())
    if options.relay:
        env[RELAY_VARIABLE] = options.relay
    if options.demo or options.replay is not None:
        env[RELAY_VARIABLE] = ""  # the simulator and a recording are read directly
    if options.replay is not None:
        with _demo_folder() as folder:
            yield env | _replay_environment(options, options.replay, folder)
        return
    if not options.demo:
        yield env
        return
    from options_helper.simulator.account.portfolio import whole_demo_portfolio  # noqa: PLC0415 - the demo's
    from options_helper.simulator.server import AlpacaSimulator  # noqa: PLC0415 - the same

    now = utc_now()
    portfolio = whole_demo_portfolio(new_york_date(now), now)
    held = portfolio if options.portfolio is None else None
    with AlpacaSimulator(portfolio=held, differs=held is not None) as simulator, _demo_folder() as folder:
        env |= simulator.environment()
        if options.portfolio is None:
            # The demo portfolio's dates are relative to today. It has its own folder, so that none of the
            # user's files is touched.
            path = folder / "demo-portfolio.json"
            path.write_text(json.dumps(portfolio, indent=2), encoding="utf-8")
            env[PORTFOLIO_VARIABLE] = str(path)
        yield env


def _replay_environment(options: LaunchOptions, recording: Path, folder: Path) -> dict[str, str]:
    """Return the variables of a replay, whose portfolio file is the recorded one.

    Raises:
        OptionsHelperError: The file cannot be played, or not at this speed or from this time.
    """
    from options_helper.recording.overview import find_place, survey  # noqa: PLC0415 - needs msgspec

    speed = 1.0 if options.speed is None else options.speed
    if not SPEEDS[0] <= speed <= SPEEDS[-1]:  # neither is "not a number"
        raise OptionsHelperError(f"--speed is from {SPEEDS[0]:g} to {SPEEDS[-1]:g}, not {speed:g}.")
    found = survey(recording)
    if options.at:
        find_place(options.at, found.at, found.ends_at)
    return {
        FILE_VARIABLE: str(recording.absolute()),
        SPEED_VARIABLE: str(speed),
        AT_VARIABLE: options.at,
        PORTFOLIO_VARIABLE: str(folder / "recorded-portfolio.json"),
    }


@contextlib.contextmanager
def _demo_folder() -> Iterator[Path]:
    folder = make_demo_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _run(
    command: list[str],
    env: dict[str, str],
    links: LoginLinks,
    say: Callable[[str], object],
    *,
    open_browser: bool,
) -> int:
    with _noted_signals() as asked_to_end, _running_child(command, env) as child:
        if _wait_until_ready(child, links.endpoint, asked_to_end):
            for sentence in links.sentences():
                say(sentence)
            say(f"Options Helper is ready at {links.endpoint.local_url} (Ctrl-C ends it).")
            if open_browser:
                webbrowser.open(links.local_url)
        while child.poll() is None and not asked_to_end:
            time.sleep(_POLL_SECONDS)
        return 0 if asked_to_end else _exit_status(child.wait(), say)


@contextlib.contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Yield the list of the ending signals received so far, and restore their handlers afterwards."""
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda one, _frame: received.append(one))
        for number in _ending_signals()
    }
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _running_child(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the started server, and end it afterwards."""
    # Streamlit's greeting on stdout is suppressed; the address is printed once, by `_run`. The child ends
    # when its standard input closes, which happens however this process ends.
    # Ctrl-C reaches both processes, and the child would print a traceback while it imports Streamlit. It is
    # therefore started with the signal ignored; once it listens, Streamlit has its own handler.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
    finally:
        signal.signal(signal.SIGINT, previous)
    try:
        yield child
    finally:
        _end(child)
        if child.stdin is not None:
            child.stdin.close()


def _exit_status(code: int, say: Callable[[str], object]) -> int:
    """Return the child's status as a shell reports it; print the signal that ended it, if any."""
    if code >= 0:
        return code
    say(f"The system ended the portal's server ({signal.Signals(-code).name}). Start it again.")
    return 128 - code


def _ending_signals() -> list[signal.Signals]:
    """Return the signals of Ctrl-C, a service manager, and a closed terminal unless `nohup` ignores it."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if os.name == "posix" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _wait_until_ready(child: subprocess.Popen[bytes], endpoint: Endpoint, asked_to_end: list[int]) -> bool:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while child.poll() is None and not asked_to_end and time.monotonic() < deadline:
        if endpoint.answers():
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to end, so that it closes its sockets; kill it if it does not."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=_END_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
