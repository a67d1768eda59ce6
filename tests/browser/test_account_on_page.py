"""The Account panel in a browser: each cause of a difference, marks, totals and the corrected file."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from options_helper.portfolio_file import load_portfolio, parse_portfolio
from options_helper.times import new_york_date, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from conftest import Portal
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

DAY = dt.timedelta(days=1)
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def module_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Yield a server with an account in which only the tests trade."""
    from tests.browser.conftest import running_portal

    folder = tmp_path_factory.mktemp("account")
    with running_portal(browser, folder, "--keep-alive=3", order_interval_seconds=0) as portal:
        yield portal


@pytest.fixture
def quiet_portal(portal: Portal) -> Iterator[Portal]:
    """Yield the server with the account's own file, which each test may change."""
    path = portal.folder / "portfolio.json"
    text = path.read_text()
    yield portal
    path.write_text(text)


def held(portal: Portal) -> dict[str, Decimal]:
    """Return the account's signed quantities by symbol."""
    simulator = portal.simulator
    return simulator.call(lambda: {symbol: q for symbol, q, _ in simulator._world.desk.positions})


def add_to_file(portal: Portal, *positions: dict[str, Any], **more: Any) -> None:
    """Add positions and keys to the portfolio file."""
    path = portal.folder / "portfolio.json"
    document = json.loads(path.read_text())
    document["positions"] += positions
    path.write_text(json.dumps(document | more))


def single(name: str, symbol: str, expiry: dt.date, strike: int, contracts: int) -> dict[str, Any]:
    """Return a call for the file."""
    return {
        "id": name,
        "symbol": symbol,
        "option_type": "call",
        "expiry": expiry.isoformat(),
        "strike": strike,
        "contracts": contracts,
        "cost_basis": 1,
    }


def find(portal: Portal, root: str, kind: str, *, long: bool) -> str:
    """Return a contract of the account with this root, type and side."""
    return next(
        symbol
        for symbol, quantity in held(portal).items()
        if len(symbol) > 15 and symbol[:-15] == root and symbol[-9] == kind and (quantity > 0) == long
    )


def make_differences(portal: Portal) -> None:
    """Make the account differ from the file in every possible way."""
    simulator, now, today = portal.simulator, utc_now(), new_york_date(utc_now())
    later = dt.date(today.year + 1, 6, 18)
    add_to_file(
        portal,
        single("gone", "KO", today - 9 * DAY, 70, 1),
        single("adjusted", "CSGP", later, 100, 3),
    )
    simulator.set_order_time(now - 3 * DAY)
    simulator.fill_now("AMZN", "sell", 100, 231.5)
    simulator.fill_now(f"CSGP1{later:%y%m%d}C00100000", "buy", 3, 1.25)
    simulator.fill_now(f"KO{later:%y%m%d}C00075000", "buy", 2, 2.1)
    simulator.set_order_time(None)
    simulator.fill_now(find(portal, "AAPL", "C", long=True), "sell", 1, 7.2)
    simulator.settle("OPASN", find(portal, "MSFT", "P", long=False), 1)
    simulator.settle("OPEXC", find(portal, "BRKB", "C", long=True), 1)
    simulator.settle("OPEXP", find(portal, "TSLA", "P", long=False), 1)
    simulator.declare_split("SPY", 2, 1, today - 4 * DAY)


def start(portal: Portal) -> Page:
    """Open the page and press Start."""
    page = portal.open()
    page.get_by_role("button", name="Start", exact=True).click()
    return page


def test_a_file_without_an_account_is_not_compared(quiet_portal: Portal) -> None:
    """With `"account": "none"` on the whole file, nothing is marked and nothing is listed."""
    add_to_file(quiet_portal, account="none")
    page = start(quiet_portal)
    panel = page.locator(".st-key-live-account")
    expect(panel).to_contain_text("nothing to compare")
    expect(panel.locator("thead")).to_have_count(0)
    expect(page.locator(".st-key-live-account-note")).to_have_count(0)
    expect(page.locator("tr.is-not-held")).to_have_count(0)


def test_the_account_stands_in_for_a_missing_file(quiet_portal: Portal, tmp_path: Path) -> None:
    """One press shows the account's positions and the text of a file; once saved, that file takes over."""
    portal = quiet_portal
    (portal.folder / "portfolio.json").unlink()
    page = portal.open()
    page.get_by_role("button", name="Show my account").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_enabled()
    panel, screen = page.locator(".st-key-live-account"), page.locator(".st-key-live-account-file")
    total = len(held(portal))
    expect(panel).to_contain_text(f"all {total} contracts and stocks agree")
    expect(page.locator(".positions-table tr").filter(has_text="AAPL").first).to_be_visible()
    expect(screen).to_contain_text("This is your account as it was read at")
    with page.expect_download() as download:
        screen.get_by_role("link", name="Download portfolio.json").click()
    saved = tmp_path / "downloaded.json"
    download.value.save_as(saved)
    assert sum(len(getattr(one, "legs", [one])) for one in load_portfolio(saved).positions) == total
    screen.get_by_text("Your account as a portfolio file").click()
    expect(screen.locator("code").filter(has_text="base_currency")).to_be_visible()
    saved.rename(portal.folder / "portfolio.json")
    expect(screen).to_have_count(0)
    expect(panel).to_contain_text(f"all {total} contracts and stocks agree")
    assert portal.complaints == []


def test_every_difference_is_listed_with_its_cause(quiet_portal: Portal) -> None:
    """The panel, the marks, the totals and the note say what differs; the corrected file agrees.

    This test comes last, because the account keeps its trades.
    """
    portal = quiet_portal
    make_differences(portal)
    page = start(portal)
    panel = page.locator(".st-key-live-account")
    table = panel.locator("table.oh-account").first
    for words in (
        r"AAPL.*sold 1 @ 7\.20 today at \d\d:\d\d New York, after the file was saved",
        r"AMZN\+1000only in the filesold 100 @ 231\.50 on",
        r"KO .* 75 call0\+2only at the brokerbought 2 @ 2\.10 on",
        rf"MSFT .* put{MINUS}2{MINUS}1differs1 assigned today",
        r"MSFT0\+100only at the broker\+100 shares: MSFT .* put assigned today",
        r"BRKB .* call\+10only in the file1 exercised today",
        r"BRK\.B0\+100only at the broker\+100 shares: BRKB .* call exercised today",
        rf"TSLA .* put{MINUS}10only in the file1 expired today",
        r"KO .* 70 call\+10only in the fileexpired on",
        r"CSGP .* 100 call\+30only in the fileadjusted: CSGP became CSGP1",
        r"SPY\+25\+50differssplit 2:1 on",
    ):
        expect(table.locator("tr").filter(has_text=re.compile(words))).to_have_count(1)
    expect(page.locator(".st-key-live-account-note")).to_contain_text("see Account.")
    rows = page.locator(".positions-table")
    expect(rows.locator("tr.is-not-held").filter(has_text="not held at the broker").first).to_be_visible()
    expect(rows.locator("tr").filter(has_text="broker holds 1 of 2").first).to_be_visible()
    expect(page.locator(".st-key-live-totals")).to_contain_text(
        re.compile(r"positions are not held at the broker; P/L Open includes their .\$[\d,]+")
    )
    expect(panel).to_contain_text(re.compile(r"Equity \$[\d,.]+ · today .\$[\d,.]+ · Cash .?\$"))
    expect(panel).to_contain_text(
        re.compile(r"P/L today .\$[\d,.]+ at the broker's prices · \d+ contracts and stocks")
    )
    page.get_by_role("radio", name="Account", exact=True).click()
    tile = page.locator(".st-key-live-totals [data-testid=stMetric]").filter(has_text="P/L Day")
    expect(tile).to_contain_text(re.compile(r"contracts and stocks"))
    panel.get_by_text("Closed today").click()
    closed = panel.locator("table").filter(has_text="Result today")
    expect(closed.locator("tr").filter(has_text=re.compile(rf"TSLA .* put{MINUS}1"))).to_have_count(1)
    panel.get_by_text("Portfolio value minus equity, explained").click()
    expect(panel.locator(".oh-bridge")).to_contain_text("Our marks minus the broker's prices")
    panel.get_by_text("The file with the account's quantities").click()
    code = panel.locator("code").filter(has_text="base_currency")
    expect(code).to_be_visible()
    corrected = parse_portfolio("copied", str(code.text_content()).encode())
    assert corrected.positions
    assert portal.complaints == []
