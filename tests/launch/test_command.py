"""The command that starts the portal's server, with safe settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from options_helper.errors import OptionsHelperError
from options_helper.launch import command
from options_helper.launch.endpoint import Endpoint


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
    """A file beside the portfolio that has a module's name is not run in the process with the keys."""
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
