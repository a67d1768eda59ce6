"""Every unusual state of the page, wide and narrow: one friendly screen, one next step; and its alerts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import resize, running_portal

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

STATUS, SCREEN = ".st-key-live-status", ".st-key-live-screen"
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SCHEMES = {"wide": "dark", "narrow": "light"}
PICTURES = os.environ.get("OH_TEST_PICTURES")  # a folder for screenshots to look at
LONG = "spreads & <b>tags</b> " + "without_any_break_" * 6
# Stands in for the browser's sound and notification, and keeps what was requested.
CALLS = """() => {
  window.calls = [];
  window.Notification = class {
    static permission = 'default';
    static requestPermission() {
      window.calls.push(navigator.userActivation.isActive ? 'asked' : 'asked without a press');
      this.permission = 'granted';
      return Promise.resolve('granted');
    }
    constructor(title, {body}) { window.calls.push(`${title}: ${body}`); }
  };
  const create = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    window.calls.push('beep');
    return create.call(this);
  };
}"""
LOOKS = ((390, "dark"), (720, "light"), (1440, "light"), (1440, "dark"))
UNDERLYINGS = ("AAPL", "AMZN", "BRK.B", "MSFT", "NVDA", "SPY", "TSLA")


def call(**changes: Any) -> dict[str, Any]:
    """Return a single option for the file."""
    terms = {"id": "a-call", "symbol": "AAPL", "option_type": "call", "expiry": "2098-12-19", "strike": 250}
    return {**terms, "contracts": 2, "cost_basis": 18.4, **changes}


def many(count: int) -> list[dict[str, Any]]:
    """Return this many options on seven underlyings."""
    return [
        call(id=f"p{number}", symbol=UNDERLYINGS[number % 7], strike=100 + number) for number in range(count)
    ]


def held(*positions: dict[str, Any]) -> str:
    """Return the text of a file with these positions."""
    return json.dumps({"cash": 5000, "positions": positions})


STATES: dict[str, tuple[str | None, str, str, list[str]]] = {
    # the file's content (None for no file), the status, another region, and its text
    "broken": ('{"positions": [', "portfolio.json cannot be used.", SCREEN, ["line 1, column 16", "Correct"]),
    "wrong-field": (
        held(call(expiry="2027-13-40")),
        "portfolio.json cannot be used.",
        SCREEN,
        ['position "a-call", field expiry', 'not "2027-13-40"'],
    ),
    "empty": (held(), "Not started.", SCREEN, ["This portfolio is empty", "Add one and save the file"]),
    "no-file": (None, "No portfolio yet.", SCREEN, ["Add your portfolio", "Save one there"]),
    "expired": (
        held(call(expiry="2020-01-17")),
        "Everything in this portfolio has expired. Remove expired positions",
        "tr[data-position-id]",
        ["expired"],
    ),
    "one": (held(call()), "1 contract and 1 underlying are ready.", "tr[data-position-id]", ["250 call"]),
    "long-names": (held(call(id=LONG)), "1 contract and 1 underlying", "tr[data-position-id]", ["250 call"]),
    "many": (held(*many(300)), "200 contracts and 7 underlyings", ".pt-bar", ["300 positions in 7"]),
}  # fmt: skip


def in_both_sizes(page: Page, name: str) -> Iterator[str]:
    """Show the page wide and narrow in turn, and save a screenshot of each."""
    for size, (width, height) in SIZES.items():
        page.emulate_media(color_scheme=SCHEMES[size])  # type: ignore[arg-type]
        resize(page, width, height)
        yield f"{name} {size}"
        picture(page, f"{name}-{size}")


def picture(page: Page, name: str) -> None:
    """Save a screenshot if a directory is given."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def expect_whole(page: Page, name: str) -> None:
    """Check that nothing is cut off, there is no exception, and there is one h1 and one status line."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 0, name
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert page.get_by_test_id("stException").count() == 0, name
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator(f"{STATUS} [data-testid=stAlertContainer]")).to_have_count(1)


def test_every_state_of_the_file_has_its_screen(portal: Portal) -> None:
    """Every state of the file has its screen: broken, empty, absent, expired, one position, hundreds."""
    path = portal.folder / "portfolio.json"
    good = path.read_text()
    page = portal.open()
    try:
        for state, (text, status, where, words) in STATES.items():
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
            expect(page.locator(STATUS)).to_contain_text(status)
            for name in in_both_sizes(page, state):
                for word in words:
                    expect(page.locator(where).first).to_contain_text(word)
                expect_whole(page, name)
                can_start = page.get_by_role("button", name="Start", exact=True)
                if where == SCREEN and state != "empty":
                    expect(can_start).to_be_disabled()
                else:
                    expect(can_start).to_be_enabled()
    finally:
        path.write_text(good)
    expect(page.locator('tr[data-position-id="aapl-call"]').first).to_be_visible()
    assert portal.simulator.requests == []


def test_a_saved_alerts_file_is_noticed_by_itself(portal: Portal) -> None:
    """The panel follows the alerts file without a button press: wrong, corrected, removed."""
    path = portal.folder / "alerts.json"
    panel = portal.open().locator(".st-key-live-alerts")
    expect(panel).to_contain_text("Alerts none")
    try:
        path.write_text('{"alerts": [{"metric": "mark"}]}')
        expect(panel).to_contain_text("Alerts are not watched.")
        path.write_text(json.dumps({"alerts": [{"metric": "fill", "id": str(n)} for n in range(3000)]}))
        expect(panel).to_contain_text("at most 200 alerts", timeout=30_000)
        path.write_text('{"alerts": [{"metric": "fill"}, {"metric": "fill", "position": "gone", "id": "x"}]}')
        expect(panel).to_contain_text("2 · 0 raised")
        expect(panel).to_contain_text("not in the portfolio")
    finally:
        path.unlink()
    expect(panel).to_contain_text("Alerts none")


def test_a_hidden_tab_says_in_its_title_how_many_alerts_are_raised(portal: Portal) -> None:
    """A hidden tab's title counts raised alerts until they are acknowledged."""
    hide = "Object.defineProperty(document, 'hidden', { value: true });"
    path = portal.folder / "alerts.json"
    path.write_text('{"alerts": [{"metric": "dte", "comparison": "above", "threshold": 1}]}')
    try:
        page = portal.open()
        panel = page.locator(".st-key-live-alerts")
        expect(panel).to_contain_text("1 · 1 raised")
        bare = page.title()
        page.evaluate(hide)
        expect(page).to_have_title(f"(1) {bare}")
        panel.get_by_role("button", name="Ack").click()
        expect(page).to_have_title(bare)
    finally:
        path.unlink()


def test_a_raised_alert_is_a_bar_that_leads_to_its_row(portal: Portal, tmp_path: Path) -> None:
    """The bar is visible without scrolling, names the position as the table does, and ends with Ack."""
    position = json.loads((portal.folder / "portfolio.json").read_text())["positions"][-1]["id"]
    path = portal.folder / "alerts.json"
    rule = {"position": position, "metric": "dte", "comparison": "above", "threshold": 0}
    path.write_text(json.dumps({"alerts": [rule]}))
    try:
        page = portal.open("about:blank")
        page.add_init_script(f"({CALLS})()")
        page.goto(portal.live_url)
        bar = page.locator(".st-key-live-alert-bar")
        expect(bar).to_contain_text("Alert:")
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            expect(bar).to_be_in_viewport(ratio=1)
            page.screenshot(path=tmp_path / f"bar-{width}-{scheme}.png", animations="disabled")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".st-key-live-alerts")).to_be_in_viewport(ratio=1)
        bar.get_by_role("button", name="Show row").click()
        row = page.locator('tr[data-kind][aria-selected="true"]')
        expect(row).to_be_in_viewport()
        assert page.get_by_test_id("stHeader").bounding_box()["y"] == 0, "only the page's own part may scroll"
        held: list[Any] = []
        page.route("**/positions_table.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright counts its arguments
        page.evaluate("localStorage.clear()")
        page.reload()
        bar.get_by_role("button", name="Show row").click()
        held[0].continue_()  # the table comes after the click
        expect(row).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")
        bar.get_by_role("button", name="Ack").click()
        expect(bar).to_have_count(0)
        call_for_the_next_alert(page, path, {**rule, "id": "next"})
        show_an_underlying(page, path)
        assert portal.complaints == []
    finally:
        path.unlink()


@pytest.mark.parametrize("width", [1440, 720, 390])
def test_a_toast_covers_no_text(portal: Portal, width: int) -> None:
    """A toast stays inside the header, between the header's buttons."""
    page, path = portal.open(), portal.folder / "alerts.json"
    expect(page.locator(".st-key-live-alerts")).to_be_visible()
    page.set_viewport_size({"width": width, "height": 700})
    rules = [{"metric": "dte", "comparison": "above", "threshold": number} for number in range(3)]
    path.write_text(json.dumps({"alerts": rules}))
    try:
        expect(page.get_by_test_id("stToast").first).to_be_in_viewport()
        header = page.get_by_test_id("stHeader").bounding_box()
        shown = page.get_by_test_id("stToastContainer").bounding_box()
        assert shown["y"] >= 0
        assert shown["y"] + shown["height"] <= header["height"]
        for button in page.get_by_test_id("stHeader").get_by_role("button").all():
            box = button.bounding_box()
            assert box["x"] + box["width"] <= shown["x"] or shown["x"] + shown["width"] <= box["x"]
    finally:
        path.unlink()


def show_an_underlying(page: Page, path: Path) -> None:
    """Check that an alert on an underlying leads to its group, and that one on the whole leads nowhere."""
    path.write_text(json.dumps({"alerts": [{"metric": "dte", "comparison": "above", "threshold": 0}]}))
    bar = page.locator(".st-key-live-alert-bar")
    expect(bar).to_contain_text("Whole portfolio")
    expect(bar.get_by_role("button", name="Show row")).to_have_count(0)
    spot = {"metric": "spot", "symbol": "SPY", "comparison": "above", "threshold": 1}
    path.write_text(json.dumps({"alerts": [spot]}))
    page.get_by_role("button", name="Start", exact=True).click()
    bar.get_by_role("button", name="Show row").click()
    expect(page.locator('tr[data-group="SPY"]')).to_be_focused()
    expect(page.locator('tr[data-group="SPY"]')).to_be_in_viewport()


def call_for_the_next_alert(page: Page, path: Path, rule: dict[str, object]) -> None:
    """Check that sound and notification are off and request nothing, but announce new alerts once on."""
    assert page.evaluate("window.calls") == []
    for name in ("Sound", "Notification"):
        choice = page.get_by_role("checkbox", name=name)
        expect(choice).not_to_be_checked()
        choice.check()
    page.wait_for_function("() => window.calls.length === 2")
    assert page.evaluate("window.calls") == ["beep", "asked"]
    path.write_text(json.dumps({"alerts": [rule]}))
    page.wait_for_function("() => window.calls.length === 4")
    beep, words = page.evaluate("window.calls.slice(2)")
    assert beep == "beep"
    assert words.startswith("Options Helper: ")
    assert "DTE above" in words


def test_no_keys_is_one_sentence_with_the_next_step(browser: Browser, tmp_path: Path) -> None:
    """Without keys the page shows the portfolio; Start names the variables and where to set them."""
    with running_portal(browser, tmp_path, keys=False) as portal:
        home = portal.open(portal.url)
        for _ in in_both_sizes(home, "no-keys-home"):
            expect(home.get_by_text(re.compile("APCA_API_KEY_ID and APCA_API_SECRET_KEY"))).to_be_visible()
        page = portal.open()
        start = page.get_by_role("button", name="Start", exact=True)
        expect(start).to_be_enabled()
        said = page.locator(STATUS)
        expect(said).to_contain_text("Not ready. APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set.")
        start.click()
        expect(said).to_contain_text("Not started. APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set.")
        for name in in_both_sizes(page, "no-keys"):
            expect(said).to_contain_text("config/alpaca.env")
            expect_whole(page, name)
            expect(start).to_be_enabled()
        assert portal.connections == 0
