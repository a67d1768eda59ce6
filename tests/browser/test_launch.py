"""`options-helper ui --demo` as a user starts it: its address, its output, its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.launch.ports import is_free

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


class Demo:
    """A running `options-helper ui --demo` and its output."""

    def __init__(self, folder: Path) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "options_helper", "ui", "--demo", "--no-browser"],
            cwd=folder,
            env={**env, "XDG_STATE_HOME": str(folder / "state"), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if "is ready at" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)", " ".join(self.said))
        assert found, self.said
        self.port = int(found[1])

    @property
    def url(self) -> str:
        """Return the portal's address."""
        return f"http://127.0.0.1:{self.port}"

    def end(self, number: int) -> None:
        """Send a signal and wait for the end, as long as a busy machine may need."""
        self.process.send_signal(number)
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def demo(tmp_path: Path, browser: Browser) -> Iterator[Demo]:
    """Start a demo for each test; `browser` skips if there is none."""
    assert browser
    running = Demo(tmp_path)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGTERM)  # killed outright it would leave its server behind


def upgrade(port: int, **headers: str) -> int:
    """Return the status of a websocket upgrade with these headers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    usual = {
        "Host": f"127.0.0.1:{port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    for name, value in {**usual, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_demo_starts_in_an_empty_folder(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """One command in an empty folder opens the portal, Start streams, and no file appears there."""
    page = browser.new_page()
    page.goto(demo.url)
    page.get_by_test_id("stMain").get_by_role("link", name="Live Portfolio").first.click()
    start = page.get_by_role("button", name="Start", exact=True)
    playwright.expect(start).to_be_enabled()
    start.click()
    status = page.locator(".st-key-live-status")
    playwright.expect(status).to_contain_text("Live.")
    playwright.expect(page.locator(".st-key-live-badges")).to_contain_text("DEMO: simulated prices")
    assert page.get_by_test_id("stException").count() == 0
    page.close()
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert any("DEMO: simulated prices" in line for line in demo.said)
    log = next(line for line in demo.said if line.startswith("Log file: ")).removeprefix("Log file: ")
    assert "stream is running" in (tmp_path / "state" / "options-helper" / "options-helper.log").read_text()
    assert log.startswith(str(tmp_path))


def test_the_server_is_safe(demo: Demo) -> None:
    """The server listens only on loopback, and refuses foreign names and foreign origins."""
    psutil = pytest.importorskip("psutil")
    family = [psutil.Process(demo.process.pid), *psutil.Process(demo.process.pid).children(recursive=True)]
    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert upgrade(demo.port) == 101
    assert upgrade(demo.port, Host="evil.example", Origin="http://evil.example") in {400, 403}
    assert upgrade(demo.port, Origin="http://evil.example") == 403


def test_a_killed_launcher_leaves_no_process_behind(demo: Demo) -> None:
    """After SIGKILL the server ends, its port is free, and its limits allowed no core dump with the keys."""
    psutil = pytest.importorskip("psutil")
    (server,) = psutil.Process(demo.process.pid).children()
    if sys.platform == "linux":
        assert server.rlimit(psutil.RLIMIT_CORE) in {(1, 1), (0, 0)}
    demo.end(signal.SIGKILL)
    psutil.wait_procs([server], 10)
    assert not server.is_running()
    assert is_free("127.0.0.1", demo.port)


def test_ctrl_c_ends_it(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    """Ctrl-C closes the running streams and ends the portal and the simulator quickly."""
    psutil = pytest.importorskip("psutil")
    page = browser.new_page()
    page.goto(f"{demo.url}/Live_Portfolio")
    start = page.get_by_role("button", name="Start", exact=True)
    playwright.expect(start).to_be_enabled()
    start.click()
    playwright.expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    children = psutil.Process(demo.process.pid).children(recursive=True)
    demo.end(signal.SIGINT)
    assert demo.process.returncode == 0
    assert not any(child.is_running() for child in children)
    log = (tmp_path / "state" / "options-helper" / "options-helper.log").read_text()
    assert log.count("stream is stopped") == 3
    page.close()
