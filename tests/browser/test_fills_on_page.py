"""The fills that the page shows, against the ledger of the simulated Alpaca."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Portal
    from playwright.sync_api import Browser, Page

    from options_helper.simulator.server import AlpacaSimulator

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

FILLS, TITLE = ".st-key-live-fills", ".st-key-live-fills .oh-panel-title"
CALL, PUT, HIGHER = "AAPL391216C00250000", "AAPL391216P00250000", "AAPL391216C00260000"
MINUS = "\N{MINUS SIGN}"
DROPS = 8
COMPLETE = re.compile(r"Fills today \d+ · complete since \d\d:\d\d$")

Figures = Counter[tuple[str, Decimal, Decimal]]


@pytest.fixture(scope="module")
def trading_portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a server with a simulator in which only the test places orders."""
    from options_helper.simulator.world import Plan
    from tests.browser.conftest import running_portal

    plan = Plan(trading_requests_per_minute=100_000)
    folder = tmp_path_factory.mktemp("trading")
    with running_portal(browser, folder, "--keep-alive=3", order_interval_seconds=0, plan=plan) as portal:
        yield portal


def trade(simulator: AlpacaSimulator, number: int) -> None:
    """Fill an order at once, in parts or as a spread, by turns, each at a different price."""
    from options_helper.simulator.account.orders import LegRequest

    cents = number / 100
    if number % 3 == 0:
        simulator.fill_now(PUT, "sell", 1 + number % 5, 1 + cents)
    elif number % 3 == 1:
        order = simulator.place_order(CALL, "buy", 3, limit_price=9.99)
        simulator.fill(order, 1, 3 + cents)
        simulator.fill(order, 2, 5 + cents)
    else:
        legs = [LegRequest(CALL, "sell", 1, "sell_to_open"), LegRequest(HIGHER, "buy", 2, "buy_to_open")]
        spread = simulator.place_multileg_order(legs, 2, limit_price=-0.5)
        simulator.fill(spread, 2, [7 + cents, 2 + cents])


def true_figures(simulator: AlpacaSimulator) -> Figures:
    """Return the contract, signed quantity and price of every execution in the ledger."""
    return Counter(
        (one.symbol, one.qty if one.side == "buy" else -one.qty, one.price)
        for one in simulator.ledger().executions
    )


def shown_figures(page: Page) -> Figures:
    """Return the contract, signed quantity and price of every row on the page, except lines with legs."""
    cells = "li.querySelector('.oh-what').title, li.querySelector('.oh-amount').innerText"
    read = f"all => all.map(li => [{cells}])"
    pairs = page.locator(f"{FILLS} ol[aria-label=Fills] li").evaluate_all(read)
    parts = ((symbol, *amount.replace(MINUS, "-").partition(" @ ")) for symbol, amount in pairs)
    return Counter((symbol, Decimal(quantity), Decimal(price)) for symbol, quantity, at, price in parts if at)


def written_figures(path: Path) -> Figures:
    """Return the contract, signed quantity and price of every row of a file, except lines with legs."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["level"] != "parent"]
    signs = {"buy": 1, "sell": -1}
    return Counter(
        (row["symbol"], signs[row["side"].split()[0]] * Decimal(row["quantity"]), Decimal(row["price"]))
        for row in rows
    )


def test_losses_do_not_show_in_the_table(trading_portal: Portal, tmp_path: Path) -> None:
    """After several losses of the fill stream, the page and the CSV equal the ledger."""
    simulator, page = trading_portal.simulator, trading_portal.open()
    simulator.add_history(15, symbols=[PUT], hours=0.2)
    page.get_by_role("button", name="Start", exact=True).click()
    trading_portal.wait(lambda: simulator.open_connections["fills"] == 1, "the fill stream")
    numbers = itertools.count()
    for drop in range(DROPS):
        trade(simulator, next(numbers))
        before = simulator.connections_total["fills"]
        simulator.drop("fills", ("reset", "fin", "close")[drop % 3])
        trade(simulator, next(numbers))
        trading_portal.wait(
            lambda before=before: simulator.connections_total["fills"] > before, "the next connection"
        )
    trade(simulator, next(numbers))
    rows = sum(true_figures(simulator).values())
    assert rows > 30
    expect(page.locator(TITLE)).to_have_text(COMPLETE)
    trading_portal.wait(lambda: shown_figures(page) == true_figures(simulator), "the ledger on the page")
    assert "not confirmed" not in page.locator(FILLS).inner_text()
    with page.expect_download() as download:
        page.get_by_text("Fills as CSV").click()
    download.value.save_as(tmp_path / "fills.csv")
    assert written_figures(tmp_path / "fills.csv") == true_figures(simulator)
    assert page.get_by_test_id("stException").count() == 0


def test_a_gap_lasts_while_rest_fails_and_then_heals(trading_portal: Portal) -> None:
    """The unconfirmed span and its reason stay above the table until REST reports the fill."""
    simulator, page = trading_portal.simulator, trading_portal.open()
    if not simulator.open_connections["fills"]:
        page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(TITLE)).to_have_text(COMPLETE)
    simulator.faults.rest(path="/v2/orders", status=500)
    simulator.faults.set("fills", http_status=503)
    simulator.drop("fills")
    lost = re.compile(r"fills since \d\d:\d\d:\d\d not confirmed$")
    expect(page.locator(TITLE)).to_have_text(lost)
    simulator.fill_now(PUT, "sell", 7, 4.44)
    simulator.faults.clear("fills")
    span = re.compile(r"fills between \d\d:\d\d:\d\d and \d\d:\d\d:\d\d not confirmed$")
    expect(page.locator(TITLE)).to_have_text(span)
    reason = re.compile(r"the server failed \(500\).*Trying again in \d+ s")
    expect(page.locator(FILLS)).to_contain_text(reason)
    simulator.faults.clear("rest")
    expect(page.locator(TITLE)).to_have_text(COMPLETE)
    trading_portal.wait(lambda: shown_figures(page) == true_figures(simulator), "the ledger on the page")


def test_a_long_symbol_does_not_push_figures_out_of_sight(trading_portal: Portal) -> None:
    """However long the symbol and however narrow the page, amount and details stay inside the list."""
    simulator, page = trading_portal.simulator, trading_portal.open()
    if not simulator.open_connections["fills"]:
        page.get_by_role("button", name="Start", exact=True).click()
        trading_portal.wait(lambda: simulator.open_connections["fills"] == 1, "the fill stream")
    symbol = "X" * 60
    simulator.fill_now(symbol, "sell", 2, 1.5)
    row = page.locator(f"{FILLS} ol[aria-label=Fills] li", has_text=symbol)
    expect(row.locator(".oh-amount")).to_have_text(f"{MINUS}2 @ 1.50")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        expect(row).to_be_visible()
        assert row.evaluate("li => li.parentElement.scrollWidth <= li.parentElement.clientWidth")


@pytest.mark.parametrize("height", [900, 500])
def test_a_rows_note_leads_to_the_list_of_its_fills(trading_portal: Portal, height: int) -> None:
    """The click chooses the fills of that position in its detail and brings them into sight."""
    simulator, page = trading_portal.simulator, trading_portal.open()
    page.set_viewport_size({"width": 1440, "height": height})
    if not simulator.open_connections["fills"]:
        page.get_by_role("button", name="Start", exact=True).click()
        trading_portal.wait(lambda: simulator.open_connections["fills"] == 1, "the fill stream")
    document = json.loads((trading_portal.folder / "portfolio.json").read_text())
    put = next(one for one in document["positions"] if one["id"] == "msft-short-put")
    expiry = dt.date.fromisoformat(put["expiry"])
    symbol = f"MSFT{expiry:%y%m%d}P{round(put['strike'] * 1000):08d}"
    for price in (4.01, 4.02, 4.03):
        simulator.fill_now(symbol, "sell", 1, price)
    row = page.locator('tr[data-position-id="msft-short-put"]')
    page.locator(f"{FILLS} [role=tab]", has_text="Orders").click()
    row.locator(".pt-note", has_text="fills today").click()
    tab = page.locator(".st-key-live-detail [role=tab]", has_text="Fills today")
    expect(tab).to_have_attribute("aria-selected", "true")
    rows = page.locator(".st-key-live-detail .pd-fills li")
    expect(rows.first).to_be_in_viewport()
    expect(rows.filter(has_text="4.02").first).to_be_visible()
