"""Two portals on one relay show the same figures, and neither needs the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

expect = playwright.expect

STATUS, TOTALS = ".st-key-live-status", ".st-key-live-totals"
AT_REST = {"tick_seconds": 0, "order_interval_seconds": 0}


def _start(page: Page) -> None:
    button = page.get_by_role("button", name="Start", exact=True)
    expect(button).to_be_enabled()
    button.click()
    # Nothing ticks here, so after ten seconds the options are reported as mute, and the fills as live.
    expect(page.locator(STATUS)).to_contain_text(re.compile(r"fills listening|Fills are live"))


def _figures(page: Page) -> list[str]:
    return page.locator(f"{TOTALS} [data-testid=stMetricValue]").all_inner_texts()


def test_two_portals_on_one_relay(browser: Browser, tmp_path: Path) -> None:
    """Without keys both show the relay's figures; one is killed, and the other continues."""
    pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
    from tests.browser.conftest import running_portal
    from tests.nats_server import running_nats_server
    from tests.relay.relayed import running_relay

    folders = [tmp_path / name for name in ("nats", "one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        running_nats_server(folders[0]) as server,
        running_portal(browser, folders[1], "--relay", server.url, keys=False, **AT_REST) as one,
        running_portal(browser, folders[2], "--relay", server.url, keys=False, **AT_REST) as two,
        running_relay(one.simulator, server.url) as relay,
    ):
        first, second = one.open(), two.open()
        _start(first)
        _start(second)
        contract = one.simulator.subscriptions("options")["quotes"][0]
        one.simulator.push_quote(contract, 7.0, 7.1)
        one.wait(
            lambda: "—" not in _figures(first)[0] and _figures(first) == _figures(second), "the same figures"
        )
        before = _figures(first)
        two.process.kill()
        one.simulator.push_quote(contract, 9.0, 9.1)
        one.wait(lambda: _figures(first) != before, "the next figures")
        expect(first.locator(STATUS)).not_to_contain_text("Reconnecting")
        assert one.simulator.connections_total == {"stocks": 1, "options": 1, "fills": 1}
        relay.end()
        words = re.compile(
            r"The relay was stopped at [\d:]+; start options-helper relay again, unless another one takes"
        )
        expect(first.locator(STATUS)).to_contain_text(words, timeout=20_000)
        # A second later; by its age alone, the last quote would be live for half a minute.
        expect(first.locator(TOTALS)).to_contain_text(re.compile(r"(?<!\d)0 of \d+ live"), timeout=10_000)
        assert one.complaints == []
