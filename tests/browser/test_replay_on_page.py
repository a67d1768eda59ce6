"""A replay in a browser: at chosen times the page shows what the recording had."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.analysis.tables.column import Table
from options_helper.analysis.text.figures import format_pnl, format_price
from tests.browser.conftest import running_portal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

# Another recording of the same positions may be played instead, such as one of ten minutes.
RECORDING = os.environ.get("OH_TEST_RECORDING") or Path(__file__).parents[1] / "replay/golden/quiet.ohrec"
PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
BADGE = ".st-key-live-replay [data-testid=stMarkdownContainer]"
COLUMNS = {"mark": format_price, "pnl_open": format_pnl}


def recorded_cells(at: str) -> dict[str, str]:
    """Return the call's cells half a second after a time of the recording, such as `15:30:07` UTC."""
    from options_helper.recording.file_format import read_recording
    from options_helper.replay.player import Player

    player, wanted = Player(), dt.time.fromisoformat(at)
    for record in read_recording(Path(RECORDING)):
        player.feed(record)
        if player.run is not None and player.now().time() > wanted.replace(microsecond=500_000):
            break
    assert player.run is not None
    assert player.monitor is not None
    tables = player.monitor.views.tables(player.monitor.portfolio, player.run.snapshot(), 30.0, is_exact=True)
    player.close()
    columns = tables.columns[Table.POSITIONS]
    row = list(columns["id"]).index("call")
    return {"mark": format_price(columns["mark"][row]), "pnl_open": format_pnl(columns["pnl_abs"][row])}


def cell(page: Page, column: str) -> str:
    """Return the text of one of the call's cells."""
    return page.locator(f'tr[data-position-id="call"] td[data-col="{column}"] .pt-value').first.inner_text()


def test_the_cells_are_those_of_the_recording(browser: Browser, tmp_path: Path) -> None:
    """At three times, one of them after a jump back, mark and profit are those of the recorded second."""
    with running_portal(browser, tmp_path, f"--replay={RECORDING}", keys=False) as portal:
        page = portal.open(portal.live_url, timezone_id="UTC")
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_role("button", name="Pause").click()
        badge = page.locator(BADGE).first
        seen = []
        for move in (10, 20, "back"):
            if move == "back":
                page.get_by_role("button", name="Jump").click()
                slider = page.get_by_role("slider", name="Time")
                slider.press("ArrowRight")
                for _ in range(14):
                    slider.press("ArrowRight")
                page.keyboard.press("Escape")
                expect(badge).not_to_contain_text(seen[-1][0])
            for _ in range(move // 10 if isinstance(move, int) else 0):
                before = badge.inner_text()
                page.get_by_role("button", name="+10 s").click()
                expect(badge).not_to_have_text(before)
            expect(badge).to_have_text(re.compile(r"REPLAY \d\d:\d\d:\d\d · paused"))
            at = re.findall(r"\d\d:\d\d:\d\d", badge.inner_text())[0]
            expected = recorded_cells(at)
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/replay-{len(seen)}.png")
            for column, text in expected.items():
                expect(
                    page.locator(f'tr[data-position-id="call"] td[data-col="{column}"] .pt-value').first
                ).to_have_text(text)
            seen.append((at, expected["mark"]))
        assert len(set(seen)) == 3
        assert seen[2][0] < seen[1][0]
        assert not portal.complaints
