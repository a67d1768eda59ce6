"""The log file has a place, rotates, and never stops the product."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from options_helper.launch.log_file import LOG_FILE_VARIABLE, close_log, log_file_path, open_log


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    """No test leaves the log open."""
    yield
    close_log()


def test_the_place_follows_the_environment() -> None:
    """The variable wins, then the XDG state directory, then its default."""
    assert log_file_path({LOG_FILE_VARIABLE: "/somewhere/x.log"}) == Path("/somewhere/x.log")
    assert log_file_path({"XDG_STATE_HOME": "/s"}) == Path("/s/options-helper/options-helper.log")
    assert log_file_path({}) == Path.home() / ".local/state/options-helper/options-helper.log"


def test_what_the_package_logs_is_in_the_file(tmp_path: Path) -> None:
    """A message of the package's loggers stands in the file with its time, level and logger."""
    path = open_log(tmp_path / "new" / "log.txt")
    logging.getLogger("options_helper.worker").info("options: running")
    assert "INFO options_helper.worker: options: running" in path.read_text()


def test_opening_twice_writes_once(tmp_path: Path) -> None:
    """A page run opens the log again and gets the one that is open."""
    first = open_log(tmp_path / "a.log")
    assert open_log(tmp_path / "b.log") == first
    logging.getLogger("options_helper").info("once")
    assert first.read_text().count("once") == 1


def test_a_place_that_cannot_be_written_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder cannot be made, the log goes to the directory for temporary files."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert open_log(tmp_path / "file" / "log").parent == tmp_path
