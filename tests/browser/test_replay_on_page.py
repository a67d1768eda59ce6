"""A replay in a browser: at chosen times the page shows what the recording had."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.analysis.tables.column import Table
from options_helper.analysis.text.figures import format_pnl, format_price
from options_helper.recording.file_format import read_recording
from options_helper.recording.records import Began
from options_helper.times import to_microseconds
from tests.browser.conftest import running_portal

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

# Another recording of the same positions may be played instead, such as one of ten minutes.
RECORDING = os.environ.get("OH_TEST_RECORDING") or Path(__file__).parents[1] / "replay/golden/quiet.ohrec"
PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
BADGE = ".st-key-live-replay [data-testid=stMarkdownContainer]"


def recorded_cells(at: dt.datetime) -> dict[str, str]:
    """Return the call's cells at a time of the recording."""
    from options_helper.replay.player import Player

    player = Player()
    records = [record for record in read_recording(Path(RECORDING)) if not isinstance(record, Began)]
    place = to_microseconds(at) - records[0].at + records[0].elapsed
    for record in records:
        if record.elapsed <= place:
            player.feed(record)
    assert player.run is not None
    assert player.monitor is not None
    tables = player.monitor.views.tables(player.monitor.portfolio, player.run.snapshot(), 30.0, is_exact=True)
    player.close()
    columns = tables.columns[Table.POSITIONS]
    row = list(columns["id"]).index("call")
    return {"mark": format_price(columns["mark"][row]), "pnl_open": format_pnl(columns["pnl_abs"][row])}


def test_the_cells_are_those_of_the_recording(browser: Browser, tmp_path: Path) -> None:
    """At three times, one of them after a jump back, mark and profit are those of the recorded second."""
    first = next(record for record in read_recording(Path(RECORDING)) if not isinstance(record, Began))
    began = dt.datetime.fromtimestamp(first.at // 1_000_000, dt.UTC)
    with running_portal(browser, tmp_path, f"--replay={RECORDING}", keys=False) as portal:
        page = portal.open(portal.live_url, timezone_id="UTC")
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_role("button", name="Pause").click()
        seconds, marks = 0, set()
        for wanted in (10, 40, 25):
            page.get_by_role("button", name="Jump").click()
            for _ in range(abs(wanted - seconds)):
                key = "ArrowRight" if wanted > seconds else "ArrowLeft"
                page.get_by_role("slider", name="Time").press(key)
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/jump-{wanted}.png")
            page.keyboard.press("Escape")
            seconds, at = wanted, began + dt.timedelta(seconds=wanted)
            expect(page.locator(BADGE).first).to_contain_text(f"REPLAY {at:%H:%M:%S} · paused")
            expected = recorded_cells(at)
            for column, text in expected.items():
                shown = page.locator(f'tr[data-position-id="call"] td[data-col="{column}"] .pt-value').first
                expect(shown).to_have_text(text)
            marks.add(expected["mark"])
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/replay-{wanted}.png")
        assert len(marks) == 3
        assert not portal.complaints
