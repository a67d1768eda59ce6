"""The login from a phone on running servers: the printed link, the password, a proxy with a path, TLS."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

PASSWORD = "correct horse"  # noqa: S105 - of this test
EVERYWHERE = "--host=0.0.0.0"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture(scope="module")
def reached(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield one portal on all interfaces, with a password."""
    from tests.browser.conftest import running_portal

    folder = tmp_path_factory.mktemp("reached")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "config").mkdir()
        (folder / "config" / "alpaca.env").write_text(f"OH_PASSWORD={PASSWORD}\n")
        patch.delenv("OH_PASSWORD", raising=False)
        with running_portal(browser, folder, EVERYWHERE) as portal:
            yield portal


def status(portal: Portal, path: str, method: str = "GET", **headers: str) -> int:
    """Return the status of one request."""
    connection = HTTPConnection("127.0.0.1", urlsplit(portal.url).port or 0, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse().status
    connection.close()
    return answer


def test_the_printed_link_opens_the_page_once(reached: Portal) -> None:
    """The link lets a phone start the streams over its websocket; a second browser cannot use it."""
    link = reached.login_url
    page = reached.open(link, viewport={"width": 390, "height": 844})
    page.get_by_test_id("stMain").get_by_role("link", name="Live Portfolio").first.click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    (cookie,) = [one for one in page.context.cookies() if one["name"].startswith("options_helper_")]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.goto(reached.live_url)  # and it stays logged in
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    page.get_by_role("button", name="Stop", exact=True).click()
    assert reached.complaints == []
    other = reached.open(link)
    expect(other.get_by_role("alert")).to_have_text("This link is wrong or was already used.")
    reached.complaints.clear()


def test_the_password_opens_the_page(reached: Portal, tmp_path: Path) -> None:
    """Every address leads to the form; a wrong password is reported, and the right one opens the portal."""
    page = reached.open(reached.live_url, viewport={"width": 390, "height": 844})
    assert urlsplit(page.url).path == "/login"
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong password.")
    page.screenshot(path=tmp_path / "login.png")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Options Helper")).to_be_visible()
    reached.complaints.clear()


def test_without_the_cookie_the_running_server_serves_nothing(reached: Portal) -> None:
    """Health, pages, scripts, uploads and the websocket answer 401, 403 or a redirect to the login."""
    for path in (
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/metrics",
        "/static/js/index.js",
        "/media/x",
    ):
        assert status(reached, path) == 401, path
    assert status(reached, "/_stcore/upload_file/a/b", "PUT") == 401
    assert status(reached, "/Live_Portfolio", Accept="text/html") == 303
    assert status(reached, "/_stcore/stream", **UPGRADE) == 403
    forged = {"Cookie": f"options_helper_{urlsplit(reached.url).port}=99999999999.00.00"}
    assert status(reached, "/_stcore/stream", **UPGRADE, **forged) == 403
    log = (reached.folder / "portal.log").read_text(encoding="utf-8")
    assert PASSWORD not in log + (reached.folder / "output.txt").read_text(encoding="utf-8")
    assert "token=" not in log


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; proxy_max_temp_file_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/c.pem; ssl_certificate_key {folder}/k.pem;
    location /options/ {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


def make_certificate(folder: Path) -> None:
    """Write c.pem and k.pem for "localhost"."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl on this machine")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "k.pem"), "-out", str(folder / "c.pem")]
    subprocess.run([program, *words.split(), *files], check=True, capture_output=True)  # noqa: S603 - a tool


@contextmanager
def running_nginx(folder: Path, port: int, upstream: str) -> Iterator[None]:
    """Run Debian's nginx as a proxy with TLS below /options/."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("there is no nginx on this machine")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    words = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    process = subprocess.Popen(words)  # noqa: S603 - a tool
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_behind_a_proxy_with_a_path(browser: Browser, tmp_path: Path) -> None:
    """Over the proxy's TLS and below its path, the link logs in with a secure cookie, and streams run."""
    from tests.browser.conftest import free_port, running_portal

    make_certificate(tmp_path)
    port = free_port()
    public = f"https://localhost:{port}/options"
    with (
        running_portal(browser, tmp_path, f"--public-url={public}") as portal,
        running_nginx(tmp_path, port, portal.url),
    ):
        said = (tmp_path / "output.txt").read_text(encoding="utf-8")
        portal.wait(lambda: "token=" in (tmp_path / "output.txt").read_text(encoding="utf-8"), "the link")
        said = (tmp_path / "output.txt").read_text(encoding="utf-8")
        assert "There is no TLS" not in said
        link = re.search(rf"{re.escape(public)}/login\?token=\S+", said)
        assert link
        page = portal.open(f"{public}/Live_Portfolio")
        assert urlsplit(page.url).path == "/options/login"
        page.goto(link[0])
        expect(page.get_by_role("heading", name="Options Helper")).to_be_visible()
        page.goto(f"{public}/Live_Portfolio")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
        (cookie,) = [one for one in page.context.cookies() if one["name"].startswith("options_helper_")]
        assert (cookie["secure"], cookie["path"]) == (True, "/options/")
        expect(page.locator('tr[data-kind="position"]').first).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()


def test_the_portal_serves_its_own_tls(browser: Browser, tmp_path: Path) -> None:
    """With a certificate there is no warning, the link is https, and the cookie is secure."""
    from tests.browser import conftest

    make_certificate(tmp_path)

    def answers(port: int) -> bool:
        context = ssl._create_unverified_context()  # noqa: S323 - the certificate made above
        connection = HTTPSConnection("127.0.0.1", port, timeout=1, context=context)
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == 401
        except OSError:
            return False
        finally:
            connection.close()

    files = (f"--certfile={tmp_path}/c.pem", f"--keyfile={tmp_path}/k.pem")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "answers", answers)
        with conftest.running_portal(browser, tmp_path, EVERYWHERE, *files) as portal:
            portal.url = portal.url.replace("http:", "https:")
            page = portal.open(portal.login_url)
            expect(page.get_by_role("heading", name="Options Helper")).to_be_visible()
            (cookie,) = [one for one in page.context.cookies() if one["name"].startswith("options_helper_")]
            assert cookie["secure"]
            said = (tmp_path / "output.txt").read_text(encoding="utf-8")
            assert "There is no TLS" not in said
            assert "is ready at https://127.0.0.1:" in said
