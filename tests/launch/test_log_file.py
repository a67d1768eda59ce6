"""The log file has a place, rotates, and never stops the product."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from options_helper.launch.log_file import LOG_FILE_VARIABLE, close_log, log_file_path, open_log


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    """No test leaves the log open."""
    yield
    close_log()


def test_the_location_follows_the_environment() -> None:
    """The variable comes first, then the XDG state directory, then its default."""
    assert log_file_path({LOG_FILE_VARIABLE: "/somewhere/x.log"}) == Path("/somewhere/x.log")
    assert log_file_path({"XDG_STATE_HOME": "/s"}) == Path("/s/options-helper/options-helper.log")
    assert log_file_path({}) == Path.home() / ".local/state/options-helper/options-helper.log"


def test_the_packages_log_records_are_in_the_file(tmp_path: Path) -> None:
    """A message of the package's loggers is in the file with its time, level and logger."""
    path = open_log(tmp_path / "new" / "log.txt")
    logging.getLogger("options_helper.worker").info("options: running")
    assert "INFO options_helper.worker: options: running" in path.read_text()


def test_opening_twice_writes_once(tmp_path: Path) -> None:
    """Opening the log again returns the open one."""
    first = open_log(tmp_path / "a.log")
    assert open_log(tmp_path / "b.log") == first
    logging.getLogger("options_helper").info("once")
    assert first.read_text().count("once") == 1


def test_an_unwritable_location_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the folder cannot be created, the log is in the directory for temporary files."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert open_log(tmp_path / "file" / "log").parent.parent == tmp_path


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_log_is_a_regular_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Nothing is written to a link, a pipe or a directory."""
    place, victim = tmp_path / "x.log", tmp_path / "victim"
    victim.write_text("mine")
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(victim))
    assert open_log(place) is None
    assert victim.read_text() == "mine"


def test_no_record_can_forge_a_line(tmp_path: Path) -> None:
    """Line breaks and escape sequences in messages and exceptions stay on their line."""
    path = open_log(tmp_path / "a.log")
    logger = logging.getLogger("options_helper")
    cause = ValueError("boom\nok Account all well")
    logger.error("refused: %s", "\x1b[2Jno\nok Account all well", exc_info=cause)
    lines = path.read_text().splitlines()
    assert "\\x1b[2Jno\\nok Account" in lines[0]
    assert all(line.startswith("    ") for line in lines[1:])


def test_without_a_home_directory_there_is_no_default_location(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home directory causes no error."""

    def refuse() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", refuse)
    assert log_file_path({}) is None


FULL_DISK = """
import logging, resource
from pathlib import Path
from options_helper.launch.log_file import open_log
path = open_log(Path("x.log"))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
logger = logging.getLogger("options_helper")
for number in range(50):
    logger.info("%s", "\\x1b[2J" + "a" * 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
logger.info("there is space again")
"""


@pytest.mark.skipif(os.name != "posix", reason="a POSIX limit stands in for a full disk")
def test_a_full_disk_loses_only_records(tmp_path: Path) -> None:
    """A full disk is reported once, without the record's text, and logging resumes when there is space."""
    command = [sys.executable, "-c", FULL_DISK]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert ended.stderr == "The log cannot be written (File too large); continuing without it.\n"
    lines = (tmp_path / "x.log").read_text().splitlines()
    assert lines[-1].endswith("there is space again")
