"""A real browser and a real server that streams from a simulated Alpaca, which the test can inspect."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

    from options_helper.simulator.server import AlpacaSimulator

# The first is the same browser without windows, which costs half as much to start and to open a page.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # For the tests' own certificates; ignoring an error request by request repeats the request.
    "--ignore-certificate-errors",
]
# A guard against hanging, not a promise; tests name the seconds that are promised.
HANG_GUARD_SECONDS = 60.0
# Streamlit's front end asks below a page's own path first, to find out under which path it is served.
STREAMLITS_PROBE = re.compile(r"^http://127\.0\.0\.1:\d+/Live_Portfolio/_stcore/(health|host-config)$")


def _absent(what: str) -> None:
    """Without a browser these tests are skipped; on CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}; browser tests must run on CI")
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the system's Chromium, headless, for one module: it occupies the main thread's event loop."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _absent("Playwright is not installed")
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        _absent("there is no Chromium on this machine")
    for package in ("streamlit", "alpaca", "aiohttp"):
        pytest.importorskip(package, reason=f"the portal needs {package}")
    expect.set_options(timeout=HANG_GUARD_SECONDS * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


# Charts are drawn again for another width, some frames later.
SETTLED = """() => new Promise(resolve => {
  let before = '', same = 0;
  const look = () => {
    const boxes = [...document.querySelectorAll('[data-testid=stMain] *')].map(node => node.clientWidth);
    same = boxes.join() === before ? same + 1 : 0;
    before = boxes.join();
    if (same < 10) requestAnimationFrame(look); else resolve(true);
  };
  look();
})"""


def resize(page: Page, width: int, height: int) -> None:
    """Change the window's size, and wait until the page has followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(SETTLED)


def wait_for(condition: Callable[[], object], what: str, seconds: float = HANG_GUARD_SECONDS) -> None:
    """Wait for something outside the browser."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:g} s")
        pause.wait(0.02)


def close_and_forget(page: Page, origin: str) -> None:
    """Close a page, and forget what its server's pages have stored."""
    stored = {"origin": origin, "storageTypes": "cookies,local_storage"}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
    page.close()


@dataclass
class Portal:
    """A running `options-helper ui` and the simulated Alpaca behind it."""

    url: str
    process: subprocess.Popen[str]
    simulator: AlpacaSimulator
    folder: Path
    browser: Browser
    pages: list[Page] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def live_url(self) -> str:
        """Return the address of the Live Portfolio page."""
        return f"{self.url}/Live_Portfolio"

    def open(self, url: str | None = None, **settings: Any) -> Page:
        """Open a page and record the errors in its console.

        Pages without settings share one browser session, and with it the compiled scripts.
        """
        context = self._open_context(settings) if settings else self.shared_context
        page = context.new_page()
        page.set_default_timeout(HANG_GUARD_SECONDS * 1000)
        page.on("console", self._complain)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.goto(url or self.live_url)
        self.pages.append(page)
        return page

    def _open_context(self, settings: dict[str, Any]) -> BrowserContext:
        return self.browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **settings})

    @cached_property
    def shared_context(self) -> BrowserContext:
        """Return the browser session of all pages without special settings."""
        return self._open_context({})

    def _complain(self, message: ConsoleMessage) -> None:
        url = str(message.location.get("url", ""))
        if message.type == "error" and not STREAMLITS_PROBE.search(url):
            self.complaints.append(f"{message.text} {url}".strip())

    def close_pages(self) -> None:
        """Close every page that is still open, and forget what the pages have stored."""
        while self.pages:
            page = self.pages.pop()
            if page.context is not self.shared_context:
                page.context.close()
            elif not page.is_closed():
                close_and_forget(page, self.url)

    def stop_streams(self) -> None:
        """Press Stop on the first page that can, if streams run; otherwise the keep-alive ends them."""
        from playwright.sync_api import Error, expect

        for page in self.pages:
            button = page.get_by_role("button", name="Stop", exact=True)
            with suppress(Error, AssertionError):  # a test may have closed the page or cut it off
                if not self.is_stopped and button.is_enabled(timeout=500):
                    button.click(timeout=1_000)
                    expect(button).to_be_disabled(timeout=3_000)

    @property
    def login_url(self) -> str:
        """Return the one-time link in the launcher's output."""
        self.wait(lambda: "/login?token=" in self._output, "the login link")
        return f"{self.url}/login{self._output.partition('/login')[2].split()[0]}"

    @property
    def _output(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    @property
    def connections(self) -> int:
        """Return the number of connections to the simulated Alpaca."""
        return sum(self.simulator.open_connections.values())

    @property
    def is_stopped(self) -> bool:
        """Return whether the hub's last logged action, if any, is a stop."""
        log = self.folder / "portal.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        actions = [line for line in lines if " options_helper.session.hub: " in line]
        return not actions or "Stopped" in actions[-1]

    wait = staticmethod(wait_for)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Return whether the server is up."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status in {200, 401}  # 401 if it asks for a login
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def running_portal(
    browser: Browser,
    folder: Path,
    *words: str,
    keys: bool = True,
    limits: str = "",
    **simulation: Any,
) -> Iterator[Portal]:
    """Yield `options-helper ui` in an empty folder, with a simulator of these settings, or without keys.

    `limits` are the shell's `ulimit` commands for the portal's process.
    """
    from options_helper.simulator.account.portfolio import demo_portfolio
    from options_helper.simulator.server import AlpacaSimulator
    from options_helper.times import new_york_date, utc_now

    document = demo_portfolio(new_york_date(utc_now()))
    (folder / "portfolio.json").write_text(json.dumps(document))
    port = free_port()
    with AlpacaSimulator(portfolio=document, **simulation) as simulator:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))},
            **(simulator.environment() if keys else {}),
            "OH_LOG_FILE": str(folder / "portal.log"),
        }
        command = [sys.executable, "-m", "options_helper", "ui", "--no-browser", f"--port={port}", *words]
        if limits:
            command = ["/bin/sh", "-c", f'{limits}; exec "$@"', "sh", *command]
        with (folder / "output.txt").open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT, text=True
            )
        portal = Portal(f"http://127.0.0.1:{port}", process, simulator, folder, browser)
        try:
            portal.wait(lambda: answers(port), "the server")
            yield portal
        finally:
            portal.close_pages()
            process.send_signal(signal.SIGTERM)
            process.wait(HANG_GUARD_SECONDS)


@pytest.fixture(scope="module")
def module_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield one server for the tests of a module."""
    with running_portal(browser, tmp_path_factory.mktemp("portal"), "--keep-alive=3") as portal:
        yield portal


@pytest.fixture
def portal(module_portal: Portal) -> Iterator[Portal]:
    """Yield the module's server, with no page open and nothing streaming."""
    module_portal.complaints.clear()
    yield module_portal
    module_portal.stop_streams()
    module_portal.close_pages()
    # Streams that wait for their next attempt hold no connection either: the hub's own word counts.
    module_portal.wait(lambda: module_portal.is_stopped, "the end of the streams")
    module_portal.wait(lambda: module_portal.connections == 0, "the end of the connections")
