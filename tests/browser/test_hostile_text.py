"""Ids, file names, and what servers say are shown letter by letter: no link, no image, no request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

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


@pytest.fixture(scope="module")
def hostile(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal whose portfolio and alerts file hold hostile text, before a server that sends it."""
    from tests.browser.conftest import running_portal

    with running_portal(browser, tmp_path_factory.mktemp("hostile"), "--keep-alive=3") as portal:
        yield portal


@pytest.fixture
def page(hostile: Portal) -> Iterator[Page]:
    """One page, which asked nothing of any other host when its test ends, and shows no foreign element."""
    opened = hostile.open("about:blank")
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert opened.locator(f'a[href*="{EVIL}"], img[src*="{EVIL}"], .katex, [onerror]').count() == 0
    assert opened.locator("code, strong").filter(has_text="bold").filter(has_not_text="**bold**").count() == 0
    hostile.close_pages()


def write_portfolio(folder: Path, name: str = "portfolio.json", **extra: object) -> None:
    """Save a portfolio whose one position has every sign in its id."""
    position = {"id": HOSTILE, "symbol": "AAPL", "shares": 10, "cost_basis": 200.0}
    (folder / name).write_text(json.dumps({"positions": [position], **extra}), encoding="utf-8")


def test_of_the_portfolio_and_its_alerts(hostile: Portal, page: Page) -> None:
    """An id stands in the alerts and their history as it was written."""
    write_portfolio(hostile.folder)
    rules = [
        {"id": "loss", "position": HOSTILE, "metric": "pnl_abs", "comparison": "above", "threshold": -1e9},
        {"position": f"gone {HOSTILE}", "metric": "fill", "id": HOSTILE},
    ]
    (hostile.folder / "alerts.json").write_text(json.dumps({"alerts": rules}))
    page.goto(hostile.live_url)
    page.get_by_role("button", name="Start", exact=True).click()
    alerts = page.locator(".st-key-live-alerts")
    expect(alerts).to_contain_text("raised", timeout=30_000)
    text = alerts.inner_text().replace("\N{WORD JOINER}", "")
    for sign in SIGNS.values():
        assert sign in text
    page.locator(".st-key-live-alert-history button").click()
    page.get_by_role("button", name="Stop", exact=True).click()


@pytest.mark.parametrize("name", ["alerts.json", "portfolio.json"])
def test_of_a_file_that_cannot_be_used(hostile: Portal, page: Page, name: str) -> None:
    """What is said of an unknown key draws nothing of it."""
    write_portfolio(hostile.folder)
    (hostile.folder / "alerts.json").unlink(missing_ok=True)
    if name == "alerts.json":
        (hostile.folder / name).write_text(json.dumps({HOSTILE: 1}))
    else:
        write_portfolio(hostile.folder, positions=[{HOSTILE: 1, "id": HOSTILE}])
    page.goto(hostile.live_url)
    place = page.locator(".st-key-live-alerts" if name == "alerts.json" else ".st-key-live-screen")
    expect(place).to_contain_text("not watched" if name == "alerts.json" else "What", timeout=20_000)


def test_of_a_files_name(hostile: Portal, page: Page) -> None:
    """A name that is typed into the sidebar, of a file that is there or not, stands on the page as typed."""
    name = rf"![x](http:\\{EVIL}) :red[x] `a` www.{EVIL}.json"
    write_portfolio(hostile.folder, name, positions=HOSTILE)
    page.goto(hostile.live_url)
    field = page.get_by_role("textbox", name="Portfolio file")
    for typed in (name, f"absent {HOSTILE}"):
        field.fill(typed)
        field.press("Enter")
        expect(page.locator(".st-key-live-screen")).to_contain_text("evil", timeout=20_000)
    field.fill("portfolio.json")
    field.press("Enter")


def test_of_a_server(hostile: Portal, page: Page) -> None:
    """The reason of a rejected order stands as it was sent."""
    write_portfolio(hostile.folder)
    page.goto(hostile.live_url)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".st-key-live-status")).to_contain_text("fills listening", timeout=40_000)
    order = hostile.simulator.place_order("AAPL", qty=1)
    hostile.simulator.close_order(order, "rejected", reason=HOSTILE)
    page.get_by_role("tab", name="Orders").click()
    expect(page.locator(".st-key-live-fills")).to_contain_text(SIGNS["image"], timeout=20_000)
    page.get_by_role("button", name="Stop", exact=True).click()
