"""A program in place of Streamlit's server, and ports to start it on."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from options_helper.launch import launcher, log_file

if TYPE_CHECKING:
    import pytest

    from options_helper.launch.endpoint import Endpoint

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


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
