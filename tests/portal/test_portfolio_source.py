"""The portfolio file as the page sees it."""

from __future__ import annotations

import json
import os

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from collections.abc import Callable
from pathlib import Path

from apps.streamlit.components.inputs import portfolio_source
from apps.streamlit.components.inputs.portfolio_source import read_portfolio
from options_helper.files import reading
from options_helper.files.file_version import FileVersion, file_version

pytestmark = pytest.mark.portal


def _save(path: Path, content: str, seconds: int) -> None:
    """Replace the file with one saved this many seconds after 1970."""
    path.write_text(content)
    os.utime(path, (seconds, seconds))


def _after_the_look(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen once, after the page has looked at the file and before it reads it."""
    acts = [act]

    def look(path: Path) -> FileVersion | None:
        seen = file_version(path)
        while acts:
            acts.pop()()
        return seen

    monkeypatch.setattr(portfolio_source, "file_version", look)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the portfolio's path."""
    return tmp_path / "portfolio.json"


def test_a_version_is_read_once(path: Path) -> None:
    """The same object is returned until the file changes, and again once the file is as it was."""
    _save(path, '{"cash": 1}', 100)
    first = read_portfolio(path)
    assert read_portfolio(path) is first
    _save(path, '{"cash": 22}', 200)
    assert read_portfolio(path).portfolio.cash == 22
    _save(path, '{"cash": 1}', 100)
    assert read_portfolio(path) is first


@pytest.mark.parametrize("content", [json.dumps({"cash": 22}), "no JSON at all"])
def test_a_file_that_is_replaced_before_it_is_read_is_the_new_version(
    path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """The time of saving belongs to the bytes that were read, whether valid or not."""
    _save(path, '{"cash": 1}', 100)
    _after_the_look(monkeypatch, lambda: _save(path, content, 200))
    source = read_portfolio(path)
    assert (source.portfolio is None) == (source.error is not None) == (content == "no JSON at all")
    assert source.saved_at.timestamp() == 200
    assert read_portfolio(path) is source
    _save(path, '{"cash": 1}', 100)
    assert read_portfolio(path).portfolio.cash == 1, "nothing is stored for the version that was not read"


def test_a_file_that_appears_before_it_is_read_exists(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that appears after the check but before the reading counts as existing."""
    _after_the_look(monkeypatch, lambda: _save(path, "{}", 200))
    source = read_portfolio(path)
    assert (source.exists, source.saved_at.timestamp()) == (True, 200)
    path.unlink()
    gone = read_portfolio(path)
    assert (gone.exists, gone.saved_at, gone.portfolio) == (False, None, None)
    assert "no such file" in str(gone.error)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (PermissionError(13, "Permission denied"), "permission to read this file is denied"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_file_is_read_by_itself_once_it_is_readable_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError, words: str
) -> None:
    """Restored access changes neither time nor size; an unchanged failure is the same object."""
    missing = read_portfolio(path)
    assert read_portfolio(path) is missing
    _save(path, '{"cash": 22}', 100)

    def refuse(*_args: object) -> None:
        raise failure

    with monkeypatch.context() as locked:
        locked.setattr(reading.os, "open", refuse)
        source = read_portfolio(path)
        assert (source.exists, source.portfolio) == (True, None)
        assert words in str(source.error)
        assert read_portfolio(path) is source
        failure = OSError(24, "Too many open files")
        assert "Too many open files" in str(read_portfolio(path).error)
    loaded = read_portfolio(path)
    assert loaded.portfolio.cash == 22
    assert read_portfolio(path) is loaded


def test_an_invalid_file_counts_as_existing(path: Path) -> None:
    """A directory with that name exists, so it must be corrected, not created."""
    path.mkdir()
    source = read_portfolio(path)
    assert (source.exists, source.portfolio) == (True, None)
    assert "this is a directory" in str(source.error)


def test_a_loop_of_links_is_not_a_missing_file(path: Path) -> None:
    """The path exists and cannot be used, so the page shows the reason."""
    path.symlink_to(path)
    source = read_portfolio(path)
    assert source.exists
    assert "leads back to itself" in str(source.error)
