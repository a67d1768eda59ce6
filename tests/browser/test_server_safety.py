"""The launcher's settings in a running server, which override the user's own Streamlit settings."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from options_helper.launch.command import streamlit_command
from options_helper.launch.endpoint import Endpoint
from tests.browser.conftest import answers, free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PROMISED = {
    "global.developmentMode": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "type",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "viewer",
    "server.address": "127.0.0.1",
    "server.allowedHosts": ("localhost", "127.0.0.1"),
    "server.baseUrlPath": "",
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.sslCertFile": "",
    "server.enableWebsocketCompression": True,
    "server.websocketPingInterval": 10,
    "server.disconnectedSessionTTL": 20,
}
CARELESS = {
    "STREAMLIT_GLOBAL_DEVELOPMENT_MODE": "true",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
    "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "full",
    "STREAMLIT_CLIENT_SHOW_ERROR_LINKS": "true",
    "STREAMLIT_CLIENT_TOOLBAR_MODE": "developer",
    "STREAMLIT_SERVER_ADDRESS": "0.0.0.0",  # noqa: S104 - what must not win
    "STREAMLIT_SERVER_ALLOWED_HOSTS": '["evil.example"]',
    "STREAMLIT_SERVER_BASE_URL_PATH": "elsewhere",
    "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
    "STREAMLIT_SERVER_ENABLE_CORS": "false",
    "STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "true",
    "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false",
    "STREAMLIT_SERVER_SSL_CERT_FILE": "missing.pem",
    "STREAMLIT_SERVER_SSL_KEY_FILE": "missing.pem",
    "STREAMLIT_SERVER_ENABLE_WEBSOCKET_COMPRESSION": "false",
    "STREAMLIT_SERVER_WEBSOCKET_PING_INTERVAL": "60",
}
SCRIPT = f"""
import streamlit as st
settings = {{name: st.get_option(name) for name in {list(PROMISED)!r}}}
st.text(repr(settings))
raise ValueError("secret=abc123")
"""

# As the portal's own: the script under Streamlit's server class.
ENTRY = """
from pathlib import Path
import streamlit as st
app = st.App(Path(__file__).with_name("script.py"))
"""


@dataclass
class Server:
    """A server with the launcher's command line, a script that shows its settings, and unsafe settings."""

    port: int
    process: subprocess.Popen[bytes]

    def get(self, path: str, **headers: str) -> int:
        """Return the status of a GET with the given headers and no others."""
        return self.ask("GET", path, headers)

    def ask(self, method: str, path: str, headers: dict[str, str]) -> int:
        """Return the status of a request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in {"Host": f"127.0.0.1:{self.port}", **headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def upgrade(self, **headers: str) -> int:
        """Return the status of the page's websocket."""
        words = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        return self.get("/_stcore/stream", **words, **key, **headers)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """Start one server for the module; `browser` skips if there is none."""
    assert browser
    folder = tmp_path_factory.mktemp("server")
    (folder / "script.py").write_text(SCRIPT)
    (folder / "entry.py").write_text(ENTRY)
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        streamlit_command(folder / "entry.py", Endpoint(host="127.0.0.1", port=port)),
        cwd=folder,
        env=os.environ | CARELESS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: answers(port), "the server")
    yield Server(port, process)
    process.terminate()
    process.wait(10)


def test_settings_hold_and_errors_show_no_values(server: Server, browser: Browser) -> None:
    """A page has the promised settings, shows only an error's type, and contacts no other host."""
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{server.port}")
    page.get_by_test_id("stException").wait_for()
    assert ast.literal_eval(page.get_by_test_id("stText").first.inner_text()) == PROMISED
    exception = page.get_by_test_id("stException").inner_text()
    assert "ValueError" in exception
    assert "abc123" not in page.content()
    assert "Traceback" not in exception
    assert page.get_by_test_id("stException").get_by_role("link").count() == 0
    page.get_by_test_id("stMainMenu").click()
    menu = page.get_by_test_id("stMainMenuPopover")
    menu.wait_for()
    assert "Clear cache" not in menu.inner_text()
    assert page.get_by_test_id("stAppDeployButton").count() == 0
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {
        "127.0.0.1"
    }
    page.close()


def test_only_this_machine_is_served(server: Server) -> None:
    """The server listens on one address; foreign names and foreign origins get no page data."""
    psutil = pytest.importorskip("psutil")
    process = psutil.Process(server.process.pid)
    listening = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", server.port)]
    assert server.upgrade() == 101
    assert server.upgrade(Host="localhost") == 101
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example", ""):
        assert server.upgrade(Host=host) == 403
    for origin in ("http://evil.example", "null", f"https://evil.example:{server.port}"):
        assert server.upgrade(Origin=origin) == 403


def test_no_program_can_press_the_buttons(server: Server) -> None:
    """Streamlit's interface for programs is off, even if the user's own settings turn it on."""
    assert server.ask("POST", "/_stcore/agent/interact", {"Content-Length": "2"}) == 403
