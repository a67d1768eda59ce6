"""The page on a system with few resources: few open files, a full disk, no more threads or memory."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
aiohttp = pytest.importorskip("aiohttp", reason="the simulator needs aiohttp")
expect = playwright.expect

VISITS = 40


async def visit(url: str, times: int) -> None:
    """Visit the page like a browser that is reloaded at once: begin a session, and close its socket."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    asked = BackMsg()
    asked.rerun_script.page_name = "Live_Portfolio"
    async with aiohttp.ClientSession() as session:
        for _ in range(times):
            async with session.ws_connect(f"{url}/_stcore/stream", origin=url) as socket:
                await socket.send_bytes(asked.SerializeToString())
                await asyncio.wait_for(socket.receive_bytes(), 20)


def test_many_reloads_leave_the_page_in_use(browser: Browser, tmp_path: Path) -> None:
    """Quick reloads do not exhaust a low soft limit on open files, and the next visit shows the page."""
    from tests.browser.conftest import running_portal

    with running_portal(browser, tmp_path, limits="ulimit -S -n 96") as portal:
        with ThreadPoolExecutor(1) as pool:  # the browser's own event loop holds this thread
            pool.submit(asyncio.run, visit(portal.url, VISITS)).result()
        page = portal.open()
        expect(page.locator(".st-key-live-status")).to_contain_text("Not started", timeout=20_000)
        assert "Too many open files" not in (tmp_path / "output.txt").read_text()
