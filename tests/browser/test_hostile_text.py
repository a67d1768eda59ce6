"""Ids, file names and servers' texts are shown literally: no link, no image, no request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

EVIL = "evil.example"
SIGNS = {
    "image": f"![x](http://{EVIL}/a.png)",
    "html": f"<img src=http://{EVIL} onerror=a()>",
    "link": f"[x](//{EVIL}) http://{EVIL} www.{EVIL} me@{EVIL}",
    "style": ":red[x] :skull: `x` **bold** $x^2$ &lt; a -> b",
}
HOSTILE = " ".join(SIGNS.values())
# Reversed text, invisible letters, and a pile of accents that would cover the lines above.
UNSEEN = "\u202egnp\u200b\u3164" + 60 * "\u0301"


@pytest.fixture
def page(portal: Portal) -> Iterator[Page]:
    """Yield a page; at the end, check that it contacted no other host and shows no foreign element."""
    portal.simulator.faults.clear()
    opened = portal.open("about:blank")
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert opened.locator(f'a[href*="{EVIL}"], img[src*="{EVIL}"], .katex, [onerror]').count() == 0
    assert opened.locator("code, strong").filter(has_text="bold").filter(has_not_text="**bold**").count() == 0


def write_portfolio(folder: Path, name: str = "portfolio.json", **extra: object) -> None:
    """Save a portfolio of one position with every special character in its id."""
    position = {"id": HOSTILE, "symbol": "AAPL", "shares": 10, "cost_basis": 200.0}
    (folder / name).write_text(json.dumps({"positions": [position], **extra}), encoding="utf-8")


def test_an_id_is_literal_in_the_alerts(portal: Portal, page: Page) -> None:
    """An id appears in the alerts and their history as it was written."""
    write_portfolio(portal.folder)
    rules = [
        {"id": "loss", "position": HOSTILE, "metric": "pnl_abs", "comparison": "above", "threshold": -1e9},
        {"position": f"gone {HOSTILE}", "metric": "fill", "id": HOSTILE},
    ]
    (portal.folder / "alerts.json").write_text(json.dumps({"alerts": rules}))
    page.goto(portal.live_url)
    page.get_by_role("button", name="Start", exact=True).click()
    alerts = page.locator(".st-key-live-alerts")
    expect(alerts).to_contain_text(re.compile("[1-9] raised"))
    text = alerts.inner_text().replace("\N{WORD JOINER}", "")
    for sign in SIGNS.values():
        assert sign in text
    page.locator(".st-key-live-alert-history button").click()
    page.get_by_role("button", name="Stop", exact=True).click()


@pytest.mark.parametrize("name", ["alerts.json", "portfolio.json"])
def test_an_unknown_key_is_literal_in_its_message(portal: Portal, page: Page, name: str) -> None:
    """The message about an unknown key shows the key literally."""
    write_portfolio(portal.folder)
    (portal.folder / "alerts.json").unlink(missing_ok=True)
    if name == "alerts.json":
        (portal.folder / name).write_text(json.dumps({HOSTILE: 1}))
    else:
        write_portfolio(portal.folder, positions=[{HOSTILE: 1, "id": HOSTILE}])
    page.goto(portal.live_url)
    place = page.locator(".st-key-live-alerts" if name == "alerts.json" else ".st-key-live-screen")
    expect(place).to_contain_text("not watched" if name == "alerts.json" else "What")


def test_a_file_name_is_literal(portal: Portal, page: Page) -> None:
    """A file name typed into the sidebar appears on the page as typed, whether the file exists or not."""
    name = rf"![x](http:\\{EVIL}) :red[x] `a` www.{EVIL}.json"
    write_portfolio(portal.folder, name, positions=HOSTILE)
    page.goto(portal.live_url)
    field = page.get_by_role("textbox", name="Portfolio file")
    for typed in (name, f"absent {HOSTILE}"):
        field.fill(typed)
        field.press("Enter")
        expect(page.locator(".st-key-live-screen")).to_contain_text("evil")
    field.fill("portfolio.json")
    field.press("Enter")


def test_the_reason_of_a_rejection_is_literal(portal: Portal, page: Page) -> None:
    """The reason of a rejected order is shown as it was sent."""
    write_portfolio(portal.folder)
    page.goto(portal.live_url)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("fills listening")
    order = portal.simulator.place_order("AAPL", qty=1)
    portal.simulator.close_order(order, "rejected", reason=f"{SIGNS['image']} {UNSEEN}")
    page.get_by_role("tab", name="Orders").click()
    expect(page.locator(".st-key-live-fills")).to_contain_text(SIGNS["image"])
    shows_no_controls(page)
    page.get_by_role("button", name="Stop", exact=True).click()


SERVERS_WORDS = f"\x1b[31m{SIGNS['image']} {UNSEEN}\x1b]8;;http://{EVIL}\x07x<script>a()</script>"


def test_a_servers_last_words_are_literal(portal: Portal, page: Page) -> None:
    """The fill stream's last words appear literally on the page, and a data stream's do not appear."""
    write_portfolio(portal.folder)
    page.goto(portal.live_url)
    press_start(page)
    refusal = {"T": "error", "code": 499, "msg": SERVERS_WORDS}
    portal.simulator.faults.set("stocks", hang_on_connect=True)
    portal.simulator.send_messages("stocks", [refusal])
    portal.simulator.drop("stocks")
    portal.simulator.faults.set("fills", hang_on_connect=True)
    portal.simulator.send_last_words(SERVERS_WORDS)
    expect(page.locator(".st-key-live-status")).to_contain_text("Reconnecting the")
    page.locator(".st-key-live-health-figures summary").click()
    expect(page.locator(".oh-figures")).to_contain_text(SIGNS["image"])
    shows_no_controls(page)
    portal.simulator.faults.clear()
    page.get_by_role("button", name="Stop", exact=True).click()


@pytest.mark.parametrize("status", [200, 403])
def test_rest_bodies_are_literal(portal: Portal, page: Page, status: int) -> None:
    """Nothing in the answers about orders, account, positions or prices becomes an element of the page."""
    write_portfolio(portal.folder)
    body = json.dumps({"message": SERVERS_WORDS, "status": SERVERS_WORDS, "account_number": SERVERS_WORDS})
    for path in ("/v2/orders", "/v2/account", "/v2/positions", "/v2/stocks"):
        portal.simulator.faults.rest(path=path, status=status, body=body)
    page.goto(portal.live_url)
    press_start(page)
    page.locator(".st-key-live-health-figures summary").click()
    # A body of the wrong shape is not quoted; a refusal's message is, letter by letter.
    words = SIGNS["image"] if status == 403 else "Waiting batches"
    expect(page.locator(".st-key-live-health")).to_contain_text(words)
    shows_no_controls(page)
    portal.simulator.faults.clear()
    page.get_by_role("button", name="Stop", exact=True).click()


def test_a_symbol_of_the_broker_is_literal(portal: Portal, page: Page) -> None:
    """A symbol that only the account has appears literally in its panel."""
    write_portfolio(portal.folder)
    body = json.dumps([{"symbol": SERVERS_WORDS, "qty": "1", "side": "long", "asset_class": SERVERS_WORDS}])
    portal.simulator.faults.rest(path="/v2/positions", status=200, body=body)
    page.goto(portal.live_url)
    press_start(page)
    expect(page.locator(".st-key-live-account")).to_contain_text(SIGNS["image"])
    shows_no_controls(page)
    portal.simulator.faults.clear()
    page.get_by_role("button", name="Stop", exact=True).click()


def press_start(page: Page) -> None:
    """Start, and wait for the fill stream."""
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("fills listening")


def shows_no_controls(page: Page) -> None:
    """Check that no control or invisible character and no script from a server is on the page."""
    text = page.locator(".stApp").inner_text()
    assert not set("\x1b\u202e\u200b\u3164").intersection(text)
    assert 5 * "\u0301" not in text
    assert page.locator(".stApp script").filter(has_text="a()").count() == 0
