"""The page runs under its own security policy, cannot be framed, and its server contacts nobody outside."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from ipaddress import ip_address
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

RECORDER = """
import json, os, sys

def note(event, words):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        asked = words[1] if event == "socket.connect" else words[0]
        with open(os.environ["TEST_ASKED"], "a") as file:
            asked = asked if isinstance(asked, str) else list(asked)
            file.write(json.dumps([event, asked], default=str) + "\\n")

sys.addaudithook(note)
"""


@pytest.mark.parametrize("path", ["/", "/Live_Portfolio", "/home", "/_stcore/health"])
def test_every_response_has_the_headers(portal: Portal, path: str) -> None:
    """Every answer forbids framing, foreign content, content sniffing and referrers."""
    address = urlsplit(portal.url)
    connection = HTTPConnection(address.hostname or "", address.port or 0, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    policy = answer.headers["Content-Security-Policy"]
    connection.close()
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'self'" in policy
    script_rule = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    assert "unsafe" not in script_rule
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_running_page_violates_nothing(portal: Portal) -> None:
    """Title, table, charts and detail work under the policy, and the console stays empty."""
    page = portal.open(portal.url)
    expect(page.get_by_role("heading", name="Options Helper")).to_be_visible()
    page.goto(portal.live_url)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("fills listening")
    page.locator('tr[data-kind="position"]').first.click()
    expect(
        page.locator(".st-key-live-underlyings canvas, .st-key-live-underlyings svg").first
    ).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    assert portal.complaints == []
    injected = "const s = document.createElement('script'); s.text = 'ran = 1'; document.body.append(s)"
    page.evaluate(f"() => {{ {injected} }}")
    assert page.evaluate("window.ran") is None
    assert "Content Security Policy" in portal.complaints.pop()


def test_no_other_page_frames_it(portal: Portal) -> None:
    """A foreign page that frames the portal gets an empty frame, so that no click on Start can be stolen."""
    page = portal.browser.new_page()
    page.set_content(f'<iframe src="{portal.live_url}"></iframe>')
    page.wait_for_function("document.querySelector('iframe').contentDocument === null")
    frame = page.frames[1]
    assert frame.locator("h1", has_text="Live Portfolio").count() == 0
    assert re.match("chrome-error:|about:blank", frame.url)
    page.close()


def test_another_device_sees_why_it_is_refused(portal: Portal) -> None:
    """Another device gets a sentence instead of a blank page, whatever Host it names, and no websocket."""
    # The server believes a proxy on this machine, which names the device that it speaks for.
    page = portal.open(extra_http_headers={"X-Forwarded-For": "192.168.1.7"})
    expect(page.get_by_role("heading")).to_have_text("The portal serves only the computer it runs on")
    expect(page.get_by_text("On that computer, open http://127.0.0.1:")).to_be_visible()
    assert upgrade(portal, {"X-Forwarded-For": "192.168.1.7"}) == 403
    assert upgrade(portal, {"Origin": "http://127.0.0.1:3000"}) == 403
    assert upgrade(portal, {"Origin": portal.url}) == upgrade(portal, {}) == 101


def upgrade(portal: Portal, headers: dict[str, str]) -> int:
    """Return the status of the page's websocket for a request with these additional headers."""
    connection = HTTPConnection("127.0.0.1", urlsplit(portal.url).port or 0, timeout=10)
    words = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    connection.request("GET", "/_stcore/stream", headers={**words, **key, **headers})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what is tested
def test_no_other_host_is_contacted(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Neither the start, a page with streams nor a foreign Origin contacts any other host."""
    from tests.browser.conftest import running_portal

    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    asked = tmp_path / "asked"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TEST_ASKED", str(asked))
    with running_portal(browser, tmp_path, f"--host={host}") as portal:
        assert upgrade(portal, {"Origin": "http://evil.example"}) == 403
        page = portal.open("about:blank")
        visited: list[str] = []
        page.on("request", lambda request: visited.append(request.url))
        if host != "127.0.0.1":
            page.goto(portal.login_url)
            page.wait_for_url(lambda url: "/login" not in url)  # a script sends its form
        page.goto(portal.live_url)
        page.get_by_role("button", name="Start", exact=True).click(timeout=20_000)
        expect(page.locator(".st-key-live-status")).to_contain_text("Live.", timeout=40_000)
    hosts = {urlsplit(url).hostname for url in visited if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    lines = [json.loads(line) for line in asked.read_text().splitlines()]
    outside = [line for line in lines if not _is_inside(line[1])]
    assert lines
    assert outside == []


def _is_inside(asked: object) -> bool:
    """Return whether this is a socket's file, or an address of this machine."""
    name = asked[0] if isinstance(asked, list) else asked
    if asked == ["192.0.2.1", 9]:  # the launcher asks the system for its own address, and sends nothing
        return True
    if name in {"localhost", "None", None} or str(name).startswith("/"):
        return True
    try:
        address = ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
