"""The network between browser and server fails, briefly or for good."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect


class Cable:
    """A TCP relay on loopback that can be cut, or can go dead while its sockets stay open."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut = False
        self._dead = False
        self._writers: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        if self._cut:  # meanwhile
            await self._abort_all()
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self._dead:
                    continue
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """End every connection and accept no new one."""
        self._cut = True
        self._call(self._abort_all())

    async def _abort_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Accept connections again."""
        self._cut = False

    def go_dead(self) -> None:
        """Silently drop all data from now on."""
        self._dead = True

    def close(self) -> None:
        """Close the relay."""
        self.cut()

        async def end() -> None:
            self._server.close()
            await self._server.wait_closed()
            # Without connections they end by themselves; asyncio reports a cancelled handler as an error.
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def cable(portal: Portal) -> Iterator[Cable]:
    """Yield a relay between browser and portal."""
    relay = Cable(urlsplit(portal.url).port or 0)
    yield relay
    portal.close_pages()
    relay.close()


def open_and_start(portal: Portal, cable: Cable) -> Page:
    """Open the page through the relay, and start the streams."""
    page = portal.open(f"http://127.0.0.1:{cable.port}/Live_Portfolio")
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled()
    start.click()
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    return page


def test_a_short_loss_keeps_the_streams(portal: Portal, cable: Cable) -> None:
    """A network loss shorter than the keep-alive costs no connection; the page reports it and continues."""
    page = open_and_start(portal, cable)
    before = portal.simulator.connections_total
    cable.cut()
    expect(page.locator(".st-key-live-status").get_by_test_id("stAlertContainer")).to_be_hidden()
    page.wait_for_timeout(1_500)
    cable.mend()
    status = page.locator(".st-key-live-status")
    reported = status.inner_text()
    expect(status).not_to_have_text(reported)
    expect(status).to_contain_text(re.compile(r"Live\. .* Updated"))
    assert portal.simulator.connections_total == before
    assert portal.connections == 3


def test_a_dead_network_frees_the_connections(portal: Portal, cable: Cable) -> None:
    """The server's pings notice a browser that vanished silently; within 40 s all connections are free."""
    open_and_start(portal, cable)
    cable.go_dead()
    portal.wait(lambda: portal.connections == 0, "the end of the connections", 40)


def test_a_hanging_server_is_reported(portal: Portal) -> None:
    """A hanging server keeps its sockets open; missing beats reveal it until it answers again."""
    psutil = pytest.importorskip("psutil")
    page = portal.open()
    page.get_by_role("button", name="Start", exact=True).click(timeout=20_000)
    status = page.locator(".st-key-live-status")
    expect(status).to_contain_text("Live.", timeout=40_000)
    (server,) = psutil.Process(portal.process.pid).children()
    server.suspend()
    try:
        expect(page.locator("html[data-oh-silent]")).to_have_count(1, timeout=40_000)
        words = status.evaluate("node => getComputedStyle(node, '::before').content")
        assert "No answer from the portal since" in words
        expect(status.get_by_test_id("stAlertContainer")).to_be_hidden()
        expect(page.locator(".positions-table.is-stale")).to_have_count(1)
        totals = page.locator(".st-key-live-totals")
        assert totals.evaluate("node => getComputedStyle(node).filter") == "grayscale(1)"
    finally:
        server.resume()
    expect(page.locator("html[data-oh-silent]")).to_have_count(0, timeout=40_000)
