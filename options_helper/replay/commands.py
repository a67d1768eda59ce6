"""`options-helper recording`: what is in a recording, and whether it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from options_helper.printable import printable

recording = typer.Typer(help="Inspect a recording made with `ui --record`.", no_args_is_help=True)


@recording.command("info")
def info(path: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Describe a recording."""
    from options_helper.recording.inspection import summarize  # noqa: PLC0415 - needs msgspec

    for line in summarize(path):
        typer.echo(printable(line))


@recording.command("verify")
def verify(path: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Check that a recording is complete and has no key, account number or order id; exit with 1 if not."""
    from options_helper.data.settings import KEY_NAMES, read_environment  # noqa: PLC0415 - needs dotenv
    from options_helper.recording.inspection import find_leaks  # noqa: PLC0415 - needs msgspec

    environment = read_environment()
    found = find_leaks(path, [environment.get(name, "").strip() for name in KEY_NAMES])
    for sentence in found or ["No key, no account number and no order id was found."]:
        typer.echo(printable(sentence))
    raise typer.Exit(1 if found else 0)


@recording.command("replay")
def replay(path: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Play a recording as fast as possible and compare it with what was seen; exit with 1 if it differs."""
    from options_helper.recording.file_format import read_recording  # noqa: PLC0415 - needs msgspec
    from options_helper.recording.inspection import describe_ending  # noqa: PLC0415 - needs msgspec
    from options_helper.replay.player import describe_looks, play  # noqa: PLC0415 - the whole product

    looks = list(play(read_recording(path)))
    for line in [*describe_looks(looks), describe_ending(path)]:
        typer.echo(line)
    raise typer.Exit(0 if looks and not any(look.differs for look in looks) else 1)


@recording.command("export")
def export(path: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Print a recording as JSON, one record per line."""
    from options_helper.recording.inspection import describe_ending, export  # noqa: PLC0415 - needs msgspec

    for line in export(path):
        typer.echo(line)
    typer.echo(describe_ending(path), err=True)  # stdout is for programs
