"""The portal, connected to the feed, and browser tabs that show it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
from harness import portfolio
from playwright.sync_api import sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from options_helper.simulator.server import AlpacaSimulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page, Playwright

_CONNECTION = re.compile(r":(\d+)[^\n]*\n.*?bytes_acked:(\d+)")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


class Server:
    """A Streamlit server in its own process, which runs until its `with` block ends."""

    def __init__(
        self, folder: Path, port: int, command: list[str], env: dict[str, str] | None = None
    ) -> None:
        self.port = port
        with (folder / "output.txt").open("w") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-m", *command], cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT
            )
        self._wait_until_up()

    def rss_megabytes(self) -> float:
        """Return the server's resident memory."""
        return float(self._server.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """Return the server's CPU time so far."""
        times = self._server.cpu_times()
        return float(times.user + times.system)

    def sent_bytes(self) -> Counter[str]:
        """Return the bytes sent over each open connection, as compressed, by the client's port."""
        listing = ["ss", "-tinH", "state", "established", "sport", "=", f":{self.port}"]
        found = subprocess.run(listing, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our port
        return Counter({port: int(sent) for port, sent in _CONNECTION.findall(found)})

    @property
    def _server(self) -> psutil.Process:
        """The Streamlit process: the launcher's child, or the process itself."""
        launcher = psutil.Process(self._process.pid)
        return max([launcher, *launcher.children()], key=lambda process: process.memory_info().rss)

    def _wait_until_up(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
            try:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise RuntimeError("the portal did not come up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(15)


class Portal(Server):
    """`options-helper ui` in its own folder, with a portfolio of some positions.

    `server` contains the variables that point it at a feed or simulator.
    """

    def __init__(self, folder: Path, server: Mapping[str, str], positions: int) -> None:
        (folder / "portfolio.json").write_text(json.dumps(portfolio(positions)))
        port, foreign = free_port(), ("APCA_", "OH_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
            **server,
            "OH_ALPACA_OPTIONS_FEED": "opra",
            "OH_LOG_FILE": str(folder / "portal.log"),
        }
        super().__init__(folder, port, ["options_helper", "ui", "--no-browser", f"--port={port}"], env)

    @property
    def url(self) -> str:
        """The address of the Live Portfolio page."""
        return f"http://127.0.0.1:{self.port}/Live_Portfolio"


def feed_variables(port: int) -> dict[str, str]:
    """Return the variables that point the portal at a feed."""
    return {
        "APCA_API_KEY_ID": "PKBENCHMARK",
        "APCA_API_SECRET_KEY": "benchmark",
        "APCA_API_BASE_URL": f"http://127.0.0.1:{port}",
        "APCA_API_DATA_URL": f"http://127.0.0.1:{port}",
        "APCA_API_STREAM_URL": f"ws://127.0.0.1:{port}",
    }


class Tab:
    """One browser session on the page, and the messages that arrive over its websocket."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        self._received: Counter[str] = Counter()
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.goto(url)
        self._devtools: CDPSession = page.context.new_cdp_session(page)

    def start(self) -> None:
        """Press Start."""
        self._page.get_by_role("button", name="Start", exact=True).click()

    def refresh_each(self, seconds: float) -> None:
        """Set the refresh interval in the sidebar, before Start folds it away."""
        pace = self._page.get_by_role("spinbutton", name="Refresh (s)")
        pace.fill(str(seconds))
        pace.press("Enter")
        self.wait(3)

    def wait(self, seconds: float) -> None:
        """Let the page run; Playwright handles its events only here."""
        self._page.wait_for_timeout(seconds * 1000)

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """Run a script in the page, and return its result."""
        return self._page.evaluate(script)

    def heap_megabytes(self) -> float:
        """Return the size of the page's JavaScript heap after a collection."""
        self._devtools.send("HeapProfiler.collectGarbage")
        usage = self._devtools.send("Runtime.getHeapUsage")
        return float(usage["usedSize"]) / 1e6

    def received(self) -> Counter[str]:
        """Return the unpacked bytes received since the last call, by component or by kind of message."""
        received, self._received = self._received, Counter()
        return received

    def _count(self, payload: bytes | str) -> None:
        kind = _kind(payload) if isinstance(payload, bytes) else "text"
        self._received[kind] += len(payload)


class Tabs:
    """Chromium with some tabs on the page, each a separate browser session."""

    def __init__(self, url: str, count: int) -> None:
        self._playwright = sync_playwright().start()
        self._browser = launch_chromium(self._playwright)
        self.tabs = [Tab(self._browser.new_context().new_page(), url) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._playwright.stop()


@contextmanager
def simulated_page(
    positions: int, refresh_seconds: float | None = None
) -> Iterator[tuple[AlpacaSimulator, Portal, Tab]]:
    """Yield a simulated market that is silent, a portal on it, and a tab on which Start was pressed."""
    with (
        AlpacaSimulator(portfolio=portfolio(positions), tick_seconds=0, order_interval_seconds=0) as market,
        tempfile.TemporaryDirectory() as folder,
        Portal(Path(folder), market.environment(), positions) as portal,
        Tabs(portal.url, 1) as browser,
    ):
        tab = browser.tabs[0]
        tab.wait(5)
        if refresh_seconds is not None:
            tab.refresh_each(refresh_seconds)
        tab.start()
        market.wait_for(lambda: market.subscriptions("options").get("quotes"), timeout=30)
        yield market, portal, tab


def largest_growth(before: Counter[str], after: Counter[str]) -> int:
    """Return the bytes of the connection that got most in between: a tab's websocket."""
    return max((after - before).values(), default=0)


def launch_chromium(playwright: Playwright) -> Browser:
    """Return the system's Chromium, started headless."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise RuntimeError("there is no Chromium on this machine")
    return playwright.chromium.launch(executable_path=program, args=_FLAGS)


def _kind(payload: bytes) -> str:
    message = ForwardMsg()
    message.ParseFromString(payload)
    component = message.delta.new_element.bidi_component.component_name
    return str(component or message.WhichOneof("type"))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
