"""Faults of the streams appear on the page in the words of docs/TROUBLESHOOTING.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

ALL = ("stocks", "options", "fills")


class FaultyPage:
    """One open page, with a simulator that misbehaves."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.simulator = portal.simulator
        self.page: Page = portal.open()

    def press(self, name: str) -> None:
        """Press Start, Stop or Restart once it can be pressed."""
        button = self.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled()
        button.click()

    def begin(self, stream: str, button: str = "Restart", **faults: Any) -> int:
        """Set one stream's faults and press the button; return the number of its earlier connections."""
        self.simulator.faults.clear()
        self.simulator.faults.set(stream, **faults)
        before: int = self.simulator.connections_total[stream]
        self.press(button)
        return before

    def shows(self, *words: str | re.Pattern[str]) -> None:
        """Wait until the status line says all of this."""
        for each in words:
            expect(self.page.locator(".st-key-live-status")).to_contain_text(each)

    def row_shows(self, label: str, words: str | re.Pattern[str]) -> None:
        """Wait until a stream's own line says this."""
        row = self.page.locator(".st-key-live-health tr").filter(has_text=label).first
        expect(row).to_contain_text(words)

    def is_live(self) -> None:
        """Wait until everything runs."""
        self.shows(re.compile(r"Options \d+ of \d+ · stocks \d+ of \d+ · fills listening"))


@pytest.fixture
def desk(portal: Portal) -> Iterator[FaultyPage]:
    """Yield a page; at the end, clear all faults and check that there was no exception."""
    desk = FaultyPage(portal)
    yield desk
    portal.simulator.faults.clear()
    portal.simulator.resume_accepting()
    assert desk.page.get_by_test_id("stException").count() == 0


def test_final_errors_are_explained_and_not_retried(desk: FaultyPage) -> None:
    """A rejected key, feed or limit shows its cause and fix, and is tried once per press of Start."""
    before = desk.begin("fills", "Start", refuse_key=True)
    desk.shows(
        "Alpaca refused the key for the fill stream (402).",
        "Market data accepts the key; the trading host does not",
        "Options and stocks are live.",
    )
    desk.row_shows("Fills", "error")
    desk.row_shows("Options", re.compile(r"\d+ of \d+"))
    assert desk.simulator.connections_total["fills"] == before + 1

    before = desk.begin("options", refuse_key=True)
    desk.shows(
        "Alpaca refused the key for the option stream (402).",
        "Set APCA_API_KEY_ID and APCA_API_SECRET_KEY in config/alpaca.env, then press Restart.",
        "Stocks and fills are live.",
    )
    assert desk.simulator.connections_total["options"] == before + 1

    before = desk.begin("options", auth_error=409)
    desk.shows("Your plan does not include the indicative options feed (409).", "Not retried.")
    assert desk.simulator.connections_total["options"] == before + 1

    before = desk.begin("stocks", auth_error=409)
    desk.shows("Your plan does not include IEX (409).", "Not retried.")
    assert desk.simulator.connections_total["stocks"] == before + 1

    before = desk.begin("options", subscribe_error=405)
    desk.shows(
        re.compile(r"Your plan allows fewer symbols than the \d+ requested \(405\)\."),
        "Nothing is subscribed on the option stream. Lower Max option contracts in the sidebar",
    )
    assert desk.simulator.connections_total["options"] == before + 1

    desk.begin("options", grant_at_most=3)
    desk.shows(
        re.compile(r"Options: \d+ of \d+ not granted\. Alpaca did not subscribe to [A-Z]+\d{6}[CP]\d{8}")
    )


PASSING = [
    (
        {"held": True},
        "Another program is using your option stream (406).",
        "Streaming resumes when the other program disconnects",
    ),
    ({"drops": 99}, "Reconnecting the option stream.", re.compile("The connection was (reset|lost) at")),
    ({"drops": 99, "drop_how": "close"}, "", "The server closed the connection (close code 1001) at"),
    ({"http_status": 503}, "", "The server answered HTTP 503 at"),
    ({"subscribe_error": 407}, "", "this machine reads too slowly (407)"),
    ({"subscribe_error": 500}, "", "Alpaca had an internal error (500)"),
]


def test_temporary_errors_are_named_with_the_next_try_and_heal(desk: FaultyPage) -> None:
    """A held, dropped, refused or failing stream shows reason and attempt, and then recovers."""
    button = "Start"
    for faults, headline, cause in PASSING:
        desk.begin("options", button, **faults)
        desk.shows(headline, cause, re.compile(r"[Aa]ttempt \d+"), "Stocks and fills are live.")
        button = "Restart"
    desk.row_shows("Options", re.compile(r"reconnecting · attempt \d+"))
    desk.simulator.faults.clear()
    desk.is_live()
    desk.page.locator(".st-key-live-health-figures summary").click()
    expect(desk.page.locator(".oh-figures")).to_contain_text("internal error (500)")

    for kind in ("truncated", "unknown type", "among good", "text"):
        desk.simulator.send_malformed("options", kind, "AAPL261218C00250000")
    malformed = desk.page.locator(".oh-figures tr").filter(has_text="Malformed").locator("td").first
    expect(malformed).to_have_text(re.compile("[4-9]"))
    desk.shows("Live.")

    desk.simulator.stop_accepting()
    for stream in ALL:
        desk.simulator.drop(stream)
    desk.shows("Reconnecting the option, stock and fill streams.", "The server refused the connection at")
    toast = desk.page.get_by_test_id("stToast").first
    expect(toast).to_be_visible()
    desk.page.get_by_role("button", name="Stop", exact=True).click(timeout=5_000)  # nothing covers it


def test_silence_is_described_by_where_it_began(desk: FaultyPage) -> None:
    """A silent handshake, a connection without a quote and a vanished peer have their own sentences."""
    desk.begin("options", "Start", hang_on_connect=True)
    desk.shows(re.compile(r"Connecting\. Options: connecting, no answer for \d+ s\."))
    desk.begin("options", silent_after_auth=True)
    desk.shows(re.compile(r"Options: authenticating, no answer for \d+ s\."))
    desk.begin("options", no_subscription_ack=True)
    desk.shows(re.compile(r"Options: waiting for the subscription, no answer for \d+ s\."))

    before = desk.simulator.connections_total["fills"]
    desk.begin("options", mute=True)
    desk.portal.wait(lambda: desk.simulator.connections_total["fills"] > before, "the new connection")
    desk.portal.wait(lambda: desk.simulator.is_listening, "the fill stream")
    desk.simulator.faults.set("fills", vanished=True)
    desk.shows(
        re.compile(r"Connected, no option quote yet \(\d+ s\)\."),
        "Check the feed permission: does your plan include INDICATIVE?",
    )
    # The server still counts the lost connection, so the next attempt is refused and named instead.
    desk.shows(re.compile(r"fill stream"))
    log = desk.portal.folder / "portal.log"
    words = "no answer to a ping for 10 s"
    desk.portal.wait(lambda: words in log.read_text(encoding="utf-8"), "the cause in the log")
