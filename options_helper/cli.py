"""The command line: each command only wires other modules together."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from options_helper import __version__
from options_helper.errors import MissingDependency, OptionsHelperError, UserFileError
from options_helper.launch.launcher import LaunchOptions, launch, require_packages
from options_helper.launch.limits import forbid_core_dumps
from options_helper.launch.ports import DEFAULT_HOST, DEFAULT_PORT
from options_helper.printable import printable
from options_helper.replay.commands import recording

app = typer.Typer(
    name="options-helper",
    help="A read-only live view of an options portfolio, streamed from Alpaca.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(recording, name="recording")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it
    if wanted:
        typer.echo(f"options-helper {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # noqa: FBT002 - an eager option; its callback does the work
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """A read-only live view of an options portfolio, streamed from Alpaca. It sends no orders."""


@app.command()
def ui(  # noqa: PLR0913 - an argument for each option
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Simulate prices and fills on this machine; needs no account.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="The address to listen on; every address except loopback requires a login.")
    ] = DEFAULT_HOST,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="The port to listen on.",
            show_default=f"{DEFAULT_PORT}, or the next free one",
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    portfolio: Annotated[
        Path | None, typer.Option(help="The portfolio file.", show_default="portfolio.json")
    ] = None,
    keep_alive: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="How long the streams keep running after the last browser closes.",
            show_default="15",
        ),
    ] = None,
    public_url: Annotated[
        str,
        typer.Option(metavar="URL", help="The URL at which a proxy serves the pages, including its path."),
    ] = "",
    certfile: Annotated[Path | None, typer.Option(help="The TLS certificate for serving https.")] = None,
    keyfile: Annotated[Path | None, typer.Option(help="The certificate's key.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Record each run to a file in this folder, without keys or account numbers."
        ),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play a recording; nothing connects to Alpaca.")
    ] = None,
    relay: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Read from the relay at this NATS server, not from Alpaca; needs no keys."
        ),
    ] = "",
    speed: Annotated[
        float | None,
        typer.Option(help="The speed of a replay relative to real time, 0.5 to 100.", show_default="1"),
    ] = None,
    at: Annotated[
        str, typer.Option(metavar="HH:MM", help="The New York time at which a replay begins.")
    ] = "",
) -> None:
    """Serve the pages and open them in a browser; press Ctrl-C to stop."""
    options = LaunchOptions(
        demo=demo,
        host=host,
        port=port,
        open_browser=not no_browser,
        portfolio=portfolio,
        keep_alive_seconds=keep_alive,
        public_url=public_url,
        certfile=certfile,
        keyfile=keyfile,
        record=record,
        replay=replay,
        relay=relay,
        speed=speed,
        at=at,
    )
    raise typer.Exit(launch(options, typer.echo))


@app.command()
def relay(
    *,
    nats: Annotated[str, typer.Option(metavar="URL", help="The NATS server, such as nats://host:4222.")],
) -> None:
    """Run the account's only connections to Alpaca, and send their data to readers over NATS."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    forbid_core_dumps()
    if find_spec("nats") is None:
        raise MissingDependency("nats-py", "relay")
    from options_helper.relay.command import run_relay  # noqa: PLC0415 - needs nats-py

    run_relay(nats, typer.echo)


@app.command()
def doctor(
    *,
    portfolio: Annotated[
        Path | None, typer.Option(help="The portfolio file.", show_default="portfolio.json")
    ] = None,
    relay: Annotated[
        str, typer.Option(metavar="URL", help="Instead of the keys, check a relay at this NATS server.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Check the keys, the data plan and the portfolio file; exit with 1 if a check fails."""
    from options_helper.doctor import DoctorInput, examine, is_well, to_json  # noqa: PLC0415 - needs pandas

    findings = []
    for finding in examine(DoctorInput(portfolio=portfolio, relay=relay)):
        findings.append(finding)
        if not as_json:
            typer.echo(finding.line)
    if as_json:
        typer.echo(to_json(findings))
    raise typer.Exit(0 if is_well(findings) else 1)


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="The file, or - for standard input.")] = Path("portfolio.json"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the file's JSON Schema, for editors, and exit.")
    ] = False,
) -> None:
    """Check a portfolio file without keys or network; exit with 1 if the page would refuse it."""
    from options_helper.files.check import check_portfolio  # noqa: PLC0415 - needs pandas
    from options_helper.files.schema import portfolio_schema  # noqa: PLC0415 - needs pydantic
    from options_helper.times import new_york_date, utc_now  # noqa: PLC0415 - needs the time zones

    if schema:
        typer.echo(portfolio_schema(), nl=False)
        return
    checked = check_portfolio(path, new_york_date(utc_now()))
    typer.echo(checked.to_json() if as_json else checked.to_text())
    raise typer.Exit(0 if checked.ok else 1)


@app.command()
def portfolio(
    *,
    merge: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep this file's ids, groups, tags and notes; change what differs."
        ),
    ] = None,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff", help="Only describe what would change in the --merge file, or else in portfolio.json."
        ),
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Read the demo's simulated account; needs no keys.")
    ] = False,
) -> None:
    """Print the account's positions as a portfolio file. It writes no file and sends no orders."""
    from options_helper.data.account.history import read_account  # noqa: PLC0415 - needs httpx
    from options_helper.data.rest.client import AlpacaRest  # noqa: PLC0415 - needs httpx
    from options_helper.data.settings import load_settings  # noqa: PLC0415 - needs dotenv
    from options_helper.files.account_portfolio import (  # noqa: PLC0415 - needs pydantic
        DEFAULT_PATH,
        read_existing,
        write_account_portfolio,
    )

    if diff and merge is None and DEFAULT_PATH.exists():
        merge = DEFAULT_PATH
    existing = None if merge is None else read_existing(merge, None if diff else _output_descriptor())
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(_simulated_account()) if demo else None
        rest = stack.enter_context(contextlib.closing(AlpacaRest(load_settings(environment))))
        account = read_account(rest)
    written = write_account_portfolio(account.history, existing)
    for sentence in account.left_out:
        typer.echo(printable(sentence), err=True)
    typer.echo("\n".join(map(printable, written.changes)) if diff else written.text)


@app.command()
def notify(
    *,
    test: Annotated[bool, typer.Option("--test", help="Send a test notice now to every service.")] = False,
) -> None:
    """Send a test notice to the services in OH_NOTIFY; exit with 1 if any of them rejects it."""
    from options_helper.data.settings import read_environment  # noqa: PLC0415 - needs dotenv
    from options_helper.session.notices import deliver  # noqa: PLC0415 - needs pandas

    if not test:
        raise OptionsHelperError("Nothing was sent. Run: options-helper notify --test")
    delivery = deliver(read_environment(), "This is a test notice.")
    for words, services in (("Accepted by", delivery.taken), ("Not accepted by", delivery.failed)):
        if services:
            typer.echo(f"{words} {', '.join(services)}.")
    raise typer.Exit(1 if delivery.failed else 0)


def main() -> None:
    """Run the command line; report an error that the user can fix on stderr, and exit with status 1."""
    forbid_core_dumps()
    try:
        _require_working_directory()
        app()
    except OptionsHelperError as error:
        # Only errors about a user's file span several lines, and those line breaks are ours.
        _fail(printable(str(error), keep_lines=isinstance(error, UserFileError)))
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        _fail(printable(f"The system reported an error: {error.strerror or type(error).__name__}{place}."))


@contextlib.contextmanager
def _simulated_account() -> Iterator[dict[str, str]]:
    """Yield environment variables that point to the demo's account, in which nothing trades."""
    require_packages(demo=True)
    from options_helper.simulator.account.portfolio import whole_demo_portfolio  # noqa: PLC0415 - the demo's
    from options_helper.simulator.server import AlpacaSimulator  # noqa: PLC0415 - the same
    from options_helper.times import new_york_date, utc_now  # noqa: PLC0415 - needs the time zones

    now = utc_now()
    held = whole_demo_portfolio(new_york_date(now), now)
    with AlpacaSimulator(portfolio=held, differs=True, order_interval_seconds=0) as simulator:
        yield simulator.environment()


def _output_descriptor() -> int | None:
    try:
        return sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or replaced by an object without a descriptor
        return None


def _require_working_directory() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise OptionsHelperError(
            "The working directory no longer exists. Change to one that does, then try again."
        ) from None


def _fail(sentence: str) -> NoReturn:
    with contextlib.suppress(OSError):  # if stderr fails too, the exit status still reports the error
        typer.echo(sentence, err=True)
    sys.exit(1)
