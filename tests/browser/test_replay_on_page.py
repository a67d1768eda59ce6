"""A replay in a browser: at chosen times the page shows what the recording had."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from apps.streamlit.components.charts.palette import DARK
from apps.streamlit.components.charts.scrubber import PLACES
from options_helper.analysis.tables.column_type import Table
from options_helper.analysis.text.figures import format_pnl, format_price
from options_helper.recording.file_format import read_recording
from options_helper.recording.overview import Overview, survey
from options_helper.recording.records import Began
from options_helper.times import to_microseconds
from tests.browser.conftest import SETTLED, running_portal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

# Another recording of the same positions may be played instead, such as one of ten minutes.
RECORDING = os.environ.get("OH_TEST_RECORDING") or Path(__file__).parents[1] / "replay/golden/quiet.ohrec"
PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
SECOND = dt.timedelta(seconds=1)
BADGE = ".st-key-live-replay [data-testid=stMarkdownContainer]"

# Where in the chart the curve is, once there is one, and it has stood still for ten frames: each jump draws
# another. Left, top, width and height; around it is room for the labels.
STILL_CURVE = """() => new Promise(resolve => {
  let node = null, before = '', same = 0;
  const look = () => {
    const found = document.querySelectorAll('[class*=st-key-replay-curve] svg.marks');
    const box = found.length === 1 ? found[0].getBoundingClientRect() : null;
    const now = box ? [box.x, box.y, box.width, box.height].join() : '';
    same = now && found[0] === node && now === before ? same + 1 : 0;
    node = found[0]; before = now;
    if (same < 10) { requestAnimationFrame(look); return; }
    const plot = node.querySelector('.role-frame.root .background').getBoundingClientRect();
    resolve([plot.x - box.x, plot.y - box.y, plot.width, plot.height]);
  };
  look();
})"""


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


def time_on(badge: Locator, began: dt.datetime) -> int:
    """Return the badge's time in seconds from the recording's beginning."""
    shown = re.search(r"\d\d:\d\d:\d\d", badge.inner_text())
    assert shown is not None
    return next(each for each in range(86_400) if f"{began + each * SECOND:%H:%M:%S}" == shown[0])


def click_on_curve(page: Page, badge: Locator, share: float, found: Overview) -> int:
    """Click at a share of the curve's width, and return the chosen time in seconds from the beginning.

    The time is exact to a pixel's width in seconds and to half the distance between two times that a click
    can choose; the badge has whole seconds.
    """
    left, top, width, height = page.evaluate(STILL_CURVE)
    before = badge.inner_text()
    curve = page.locator("[class*=st-key-replay-curve] svg.marks")
    curve.click(position={"x": left + share * width, "y": top + height / 3})
    expect(badge).not_to_have_text(before)
    began, length = found.at.replace(microsecond=0), (found.ends_at - found.at).total_seconds()
    chosen, wanted = time_on(badge, began), found.at.microsecond / 1e6 + share * length
    assert abs(chosen + 0.5 - wanted) <= length / width + length / (PLACES - 1) / 2 + 0.5
    return chosen


def open_jump(page: Page) -> Locator:
    """Open *Jump*, and return its slider once everything in it is drawn."""
    wait_for_rest(page)  # the result of an earlier click would close what was opened since
    page.get_by_role("button", name="Jump").click()
    slider = page.get_by_role("slider", name="Time")
    expect(slider).to_be_visible()
    wait_for_rest(page)
    return slider


def wait_for_rest(page: Page) -> None:
    """Wait until Streamlit has run the page for every earlier click."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def pause(page: Page, badge: Locator, step: Locator) -> None:
    """Pause the replay, and check that the button beside *Pause* stays in place, or it would lose a click."""
    button = page.get_by_role("button", name="Pause")
    button.wait_for()
    page.wait_for_function(SETTLED)  # the sidebar has collapsed
    place = step.bounding_box()
    button.click()
    expect(badge).to_contain_text("paused")
    assert step.bounding_box() == place


def test_the_cells_equal_the_recordings(browser: Browser, tmp_path: Path, wait_until: Any) -> None:
    """At three times, one after a jump back, mark and profit equal those recorded."""
    found = survey(Path(RECORDING))
    began = found.at.replace(microsecond=0)
    with running_portal(browser, tmp_path, f"--replay={RECORDING}", "--speed=0.5", keys=False) as portal:
        page = portal.open(portal.live_url, timezone_id="UTC")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator('tr[data-position-id="call"]').first).to_be_visible()
        badge, step = page.locator(BADGE).first, page.get_by_role("button", name="+10 s")
        pause(page, badge, step)
        marks, seconds = set(), time_on(badge, began)
        for presses in (2, 6, 3):
            slider = open_jump(page)
            # It is where the replay is.
            expect(slider).to_have_attribute("aria-valuetext", f"{began + seconds * SECOND:%H:%M:%S}")
            for key in ["PageDown"] * 9 + ["PageUp"] * presses:  # from the beginning
                slider.press(key)
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/jump-{presses}.png")
            chosen = slider.get_attribute("aria-valuetext")
            page.keyboard.press("Escape")
            expect(badge).to_contain_text(f"REPLAY {chosen} · paused")
            seconds = time_on(badge, began)
            at = began + seconds * SECOND
            expected = recorded_cells(at)
            for column, text in expected.items():
                shown = page.locator(f'tr[data-position-id="call"] td[data-col="{column}"] .pt-value').first
                expect(shown).to_have_text(text)
            marks.add(expected["mark"])
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/replay-{presses}.png")
        assert len(marks) > 1
        # Ages stand still with the recording's clock, and run with it.
        assert page.evaluate("optionsHelperClock.pace") == 0
        page.get_by_text("4 \N{MULTIPLICATION SIGN}").click()
        page.get_by_role("button", name="Play").click()
        wait_until(lambda: page.evaluate("optionsHelperClock.pace") == 4)
        page.get_by_role("button", name="Pause").click()
        wait_until(lambda: page.evaluate("optionsHelperClock.pace") == 0)
        # A click on the curve chooses a time, again and again.
        for share in (0.25, 0.75, 0.75):
            open_jump(page)
            if PICTURES:
                page.screenshot(path=f"{PICTURES}/curve-{share}.png")
            chosen_second = click_on_curve(page, badge, share, found)
            expect(badge).to_contain_text("paused")  # everything up to there is played
            page.keyboard.press("Escape")
            expect(page.get_by_role("slider", name="Time")).to_have_count(0)
            wait_for_rest(page)
            step.click()
            expect(badge).to_contain_text(f"REPLAY {began + (chosen_second + 10) * SECOND:%H:%M:%S} · paused")
        assert not portal.complaints


def test_the_curve_has_the_colours_of_the_theme(browser: Browser, tmp_path: Path) -> None:
    """In a dark window, the curve's colours are readable on a dark page, although it is in a popover."""
    with running_portal(browser, tmp_path, f"--replay={RECORDING}", keys=False) as portal:
        page = portal.open(portal.live_url, color_scheme="dark")
        open_jump(page)
        red, green, blue = bytes.fromhex(DARK.text[1:])
        now = page.locator("[class*=st-key-replay-curve] svg.marks .mark-rule line")
        expect(now).to_have_css("stroke", f"rgb({red}, {green}, {blue})")
        assert not portal.complaints
