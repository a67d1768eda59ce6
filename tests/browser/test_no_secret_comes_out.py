"""Marked keys are searched for in all output of a running portal, with every log at its most verbose."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.launch.command import portal_script, streamlit_command
from options_helper.launch.endpoint import Endpoint
from tests.browser.conftest import answers, free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

MARKED = ("PKMARKEDKEYID0001", "marked-secret-0002")
# The portal, and below it all that a careless page could show of its session.
CARELESS_PAGE = f"""
import logging, runpy
import streamlit as st
root = logging.getLogger()
if not any(isinstance(handler, logging.FileHandler) for handler in root.handlers):
    root.addHandler(logging.FileHandler("debug.log"))
    root.setLevel(logging.DEBUG)
runpy.run_path({str(portal_script().parents[1] / "streamlit_app.py")!r})
with st.container(key="everything"):
    st.write(st.session_state)
    for value in list(st.session_state.values()):
        st.write(value)
        st.help(value)
        st.text(repr(value))
        st.text(repr(getattr(value, "__dict__", None)))
"""

ENTRY = """
from pathlib import Path
import streamlit as st
app = st.App(Path(__file__).with_name("page.py"))
"""


def test_no_key_leaves_the_process(browser: Browser, tmp_path: Path) -> None:
    """Refused and accepted keys appear in no frame to the browser, address, page, output or log."""
    from options_helper.simulator.account.portfolio import demo_portfolio
    from options_helper.simulator.server import AlpacaSimulator
    from options_helper.times import new_york_date, utc_now

    portfolio = demo_portfolio(new_york_date(utc_now()))
    (tmp_path / "portfolio.json").write_text(json.dumps(portfolio))
    (tmp_path / "page.py").write_text(CARELESS_PAGE)
    (tmp_path / "entry.py").write_text(ENTRY)
    port = free_port()
    command = streamlit_command(tmp_path / "entry.py", Endpoint(host="127.0.0.1", port=port))
    talkative = [word.replace("logger.level=warning", "logger.level=debug") for word in command]
    reported: list[bytes] = []
    with (
        AlpacaSimulator(portfolio=portfolio, key_id=MARKED[0], secret_key=MARKED[1]) as simulator,
        (tmp_path / "output.txt").open("w") as output,
        subprocess.Popen(  # noqa: S603 - our own interpreter
            talkative,
            cwd=tmp_path,
            env=os.environ | simulator.environment() | {"OH_LOG_FILE": str(tmp_path / "portal.log")},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            wait_for(lambda: answers(port), "the server")
            use_the_portal(browser, port, simulator, reported)
        finally:
            server.terminate()
    logged = (tmp_path / "debug.log").read_text()
    for logger in ("Alpaca refused the key", "httpcore", "connecting to ws://"):
        assert logger in logged or logger in (tmp_path / "portal.log").read_text()
    assert b"live_stream_manager" in b"".join(reported)
    reported += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for key in MARKED:
        assert not any(key.encode() in each for each in reported)


def use_the_portal(browser: Browser, port: int, simulator: object, reported: list[bytes]) -> None:
    """Start with keys that are refused everywhere, then accepted; record all that the browser receives."""

    def keep(data: bytes | str) -> None:
        reported.append(data if isinstance(data, bytes) else data.encode())

    page = browser.new_page()
    page.on("websocket", lambda one: one.on("framereceived", keep))
    page.on("request", lambda request: keep(request.url))
    page.on("console", lambda message: keep(message.text))
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, refuse_key=True)  # type: ignore[attr-defined]
    simulator.faults.rest(status=401)  # type: ignore[attr-defined]
    page.goto(f"http://127.0.0.1:{port}/Live_Portfolio")
    for words in ("Alpaca refused the key", re.compile("Live.*fills listening")):
        start = page.get_by_role("button", name="Start", exact=True)
        expect(start).to_be_enabled()
        start.click()
        expect(page.locator(".st-key-live-status")).to_contain_text(words)
        simulator.faults.clear()  # type: ignore[attr-defined]
        page.reload()
        page.locator(".st-key-everything").get_by_text("live_stream_manager").first.wait_for()
        keep(page.content())
        keep(page.url)
        keep(page.title())
    page.close()
