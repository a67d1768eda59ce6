"""The command line: `options-helper ui` opens the portal. Wiring only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from options_helper import __version__
from options_helper.errors import OptionsHelperError
from options_helper.launch.launcher import DEFAULT_HOST, DEFAULT_PORT, LaunchOptions, launch

app = typer.Typer(
    name="options-helper",
    help="A read-only live view of an options portfolio, streamed from Alpaca.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
def ui(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Simulated prices on this machine; needs no account.")
    ] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = DEFAULT_HOST,
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
            help="How long the streams outlive the last browser.",
            show_default="15",
        ),
    ] = None,
) -> None:
    """Open the portal in a browser; Ctrl-C ends it."""
    options = LaunchOptions(
        demo=demo,
        host=host,
        port=port,
        open_browser=not no_browser,
        portfolio=portfolio,
        keep_alive_seconds=keep_alive,
    )
    raise typer.Exit(launch(options, typer.echo))


@app.command()
def doctor(
    *,
    portfolio: Annotated[
        Path | None, typer.Option(help="The portfolio file.", show_default="portfolio.json")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Say what the keys, the plan and the portfolio file allow; exit with 1 if something fails."""
    from options_helper.doctor import DoctorInput, examine, is_well, to_json  # noqa: PLC0415 - needs pandas

    findings = []
    for finding in examine(DoctorInput(portfolio=portfolio)):
        findings.append(finding)
        if not as_json:
            typer.echo(finding.line)
    if as_json:
        typer.echo(to_json(findings))
    raise typer.Exit(0 if is_well(findings) else 1)


def main() -> None:
    """Run the command line; what the user can mend is one sentence on stderr and exit code 1."""
    try:
        app()
    except OptionsHelperError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
