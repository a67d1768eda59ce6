"""Clicks that meet a redraw: none is lost, whatever the page draws meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
ForwardMsg = pytest.importorskip(
    "streamlit.proto.ForwardMsg_pb2", reason="the portal needs streamlit"
).ForwardMsg
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

SOON = 10_000  # the next minute's redraw would make up for a lost click
DETAIL = ".st-key-live-detail"


@pytest.fixture(scope="module")
def portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a server with a market in which only the tests move prices and fill orders."""
    from tests.browser.conftest import running_portal

    folder = tmp_path_factory.mktemp("clicks")
    quiet = {"tick_seconds": 0, "order_interval_seconds": 0}
    with running_portal(browser, folder, "--keep-alive=3", **quiet) as portal:
        yield portal


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    """Return what the page receives."""
    return []


@pytest.fixture(scope="module")
def page(portal: Portal, frames: list[bytes]) -> Page:
    """Return a page whose streams run, with the detail of a position."""
    page = portal.open()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(bytes(frame))))
    page.reload()
    page.get_by_role("button", name="Start", exact=True).click()
    portal.wait(lambda: portal.simulator.subscriptions("options").get("quotes"), "the streams")
    push_prices(portal, 2.0)
    expect(page.locator(".st-key-live-status")).to_contain_text("Live.")
    page.locator('tr[data-position-id="aapl-iron-condor"]').first.click()
    expect(page.locator(DETAIL)).to_contain_text("break-even")
    return page


def test_a_slow_click_works_while_prices_move(page: Page, portal: Portal) -> None:
    """A leg's switch that is redrawn while the pointer is down still works."""
    switch = page.locator(f"{DETAIL} [data-testid=stButtonGroup] button").first
    press_slowly(page, switch, lambda: move_prices(portal, page))
    expect(page.locator(DETAIL)).to_contain_text("P/L from now on", timeout=SOON)


def test_a_download_works_although_a_fill_arrives_meanwhile(
    page: Page, portal: Portal, frames: list[bytes], tmp_path: Path
) -> None:
    """A new fill redraws the list but not the link, whose file then contains the fill."""
    fill(portal, page, "4.44")
    link = page.get_by_text("Fills as CSV").element_handle()
    frames.clear()
    fill(portal, page, "5.55")
    with page.expect_download() as download:
        link.click()  # the same element, wherever the fill moved it
    download.value.save_as(tmp_path / "fills.csv")
    assert "5.55" in (tmp_path / "fills.csv").read_text()
    assert not [frame for frame in frames if b"Fills as CSV" in frame]


def test_new_prices_are_drawn_in_the_run_of_the_beat(page: Page, portal: Portal, frames: list[bytes]) -> None:
    """The browser gets the table's figures before its timer's run ends, not in a second run."""
    mark = page.locator('tr[data-position-id="aapl-call"] td[data-col="mark"] .pt-value').first
    for bid in (4.0, 5.0):  # one refresh in twenty has a second run
        frames.clear()
        before = str(mark.text_content())
        push_prices(portal, bid)
        expect(mark).not_to_have_text(before)
        page.wait_for_timeout(100)  # Playwright reports frames only while it waits
        if any({"options-helper.redraw", "options-helper.positions_table"} <= run for run in runs_of(frames)):
            return
    pytest.fail("the table was always drawn in a run of its own")


def runs_of(frames: list[bytes]) -> list[set[str]]:
    """Return the components that each run of the page sent."""
    runs: list[set[str]] = [set()]
    for frame in frames:
        message = ForwardMsg()
        message.ParseFromString(frame)
        if message.WhichOneof("type") == "new_session":
            runs.append(set())
        runs[-1].add(message.delta.new_element.bidi_component.component_name)
    return runs


def fill(portal: Portal, page: Page, price: str) -> None:
    """Fill an order at this price, and wait until the page shows it."""
    symbol = min(portal.simulator.subscriptions("options")["quotes"])
    portal.simulator.fill_now(symbol, "buy", 1, float(price))
    expect(page.locator(".st-key-live-fills")).to_contain_text(price)


def press_slowly(page: Page, target: Locator, meanwhile: Callable[[], None]) -> None:
    """Press the pointer over an element, let something happen, and release the pointer."""
    target.hover()
    page.mouse.down()
    meanwhile()
    page.mouse.up()


def move_prices(portal: Portal, page: Page) -> None:
    """Move all prices, and wait until the detail of the selected position shows them."""
    ladder = page.locator(f"{DETAIL} table").first
    before = ladder.inner_text()
    push_prices(portal, 3.0)
    expect(ladder).not_to_have_text(before)


def push_prices(portal: Portal, bid: float) -> None:
    """Send a quote of every contract."""
    for number, symbol in enumerate(sorted(portal.simulator.subscriptions("options")["quotes"])):
        portal.simulator.push_quote(symbol, bid + number / 10, bid + 0.1 + number / 10)
