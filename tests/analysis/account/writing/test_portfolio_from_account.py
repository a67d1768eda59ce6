"""The account as a portfolio file: quantities and costs to the cent, groups by evidence, noted guesses."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.analysis.account.file_parts import parts_of
from options_helper.analysis.account.records import AccountHistory, Holding
from options_helper.analysis.account.writing.words import NOTHING
from options_helper.files.account_portfolio import AccountPortfolio, ExistingFile, write_account_portfolio
from options_helper.market import EventKind
from options_helper.models import EquityPosition, MultiLegPosition, Portfolio, Position
from options_helper.portfolio_file import parse_portfolio
from tests.ledger import BEGAN, OPTIONS, Ledger, ledgers, trade

CALL, HIGHER, PUT, *_ = OPTIONS
MINUTE = dt.timedelta(minutes=1)


def written(history: AccountHistory, document: dict[str, Any] | None = None) -> AccountPortfolio:
    """The account as a file, merged into a document if one is given."""
    if document is None:
        return write_account_portfolio(history)
    content = json.dumps(document).encode()
    return write_account_portfolio(history, ExistingFile(content, parse_portfolio("p", content)))


def entries(ledger: Ledger, document: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The entries of an account's file."""
    return list(json.loads(written(ledger.history(), document).text)["positions"])


def quantities(portfolio: Portfolio) -> Counter[str]:
    """Signed quantity by symbol."""
    sums: Counter[str] = Counter()
    for position in portfolio.positions:
        for part in parts_of(position):
            sums[part.symbol] += part.quantity
    return sums


def held(ledger: Ledger) -> dict[str, Decimal]:
    """Signed quantity by symbol, according to the ledger."""
    return {symbol: quantity for symbol, (quantity, _) in ledger.held.items() if quantity}


def cost(portfolio: Portfolio) -> tuple[Decimal, Decimal]:
    """Return a file's cost, and the largest error of its rounding: half a cent per structure."""
    total, tolerance = Decimal(0), Decimal("0.001")
    for position in portfolio.positions:
        if isinstance(position, MultiLegPosition):
            total += Decimal(str(position.net_debit))
            tolerance += Decimal("0.005")
        elif isinstance(position, EquityPosition):
            total += Decimal(str(position.shares)) * Decimal(str(position.cost_basis))
        elif isinstance(position, Position):
            total += 100 * position.contracts * Decimal(str(position.cost_basis))
    return total, tolerance


@given(ledgers())
@settings(max_examples=80, deadline=None)
def test_the_file_holds_what_the_account_holds(ledger: Ledger) -> None:
    """For any history, the file has the broker's quantities, and the broker's cost to the cent."""
    portfolio = parse_portfolio("p", written(ledger.history()).text.encode())
    assert quantities(portfolio) == held(ledger)
    total, tolerance = cost(portfolio)
    assert abs(total - ledger.cost()) <= tolerance
    assert portfolio.cash == 10_000


@given(ledgers(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_merge_changes_what_differs_and_nothing_else(ledger: Ledger, data: st.DataObject) -> None:
    """A merged file agrees with the account and keeps equal entries; merging it again changes nothing."""
    first = json.loads(written(ledger.history()).text)
    first["positions"] = [entry | {"tag": ["mine"], "own": 1} for entry in first["positions"]]
    assert json.loads(written(ledger.history(), first).text) == first
    for _ in range(data.draw(st.integers(1, 3))):
        trade(data.draw, ledger)
    merged = written(ledger.history(), first)
    portfolio = parse_portfolio("p", merged.text.encode())
    assert quantities(portfolio) == held(ledger)
    after = json.loads(merged.text)
    again = written(ledger.history(), after)
    assert (json.loads(again.text), again.changes) == (after, [NOTHING])
    old = {entry["id"]: entry for entry in first["positions"]}
    for entry in after["positions"]:
        if entry["id"] in old:
            assert entry["tag"] == ["mine"]


def test_a_multi_leg_order_makes_a_structure() -> None:
    """The legs of one order become one structure with its total cost, and no note."""
    ledger = Ledger()
    ledger.order([(CALL, 2, Decimal("4.10")), (HIGHER, -2, Decimal("1.35"))], parts=2)
    [entry] = entries(ledger)
    assert entry == {
        "id": "aapl-debit-call-vertical-2026-12-18",
        "symbol": "AAPL",
        "legs": [
            {
                "side": "long",
                "option_type": "call",
                "expiry": "2026-12-18",
                "strike": 250,
                "contracts": 2,
            },
            {
                "side": "short",
                "option_type": "call",
                "expiry": "2026-12-18",
                "strike": 260,
                "contracts": 2,
            },
        ],
        # One of the two contracts of each leg was filled a cent higher.
        "net_debit": 550,
        "opened_at": "2026-11-02T10:00:00-05:00",
    }


def test_the_same_structure_bought_twice_is_one() -> None:
    """Two orders for the same legs in the same ratio become one structure, which the first order opened."""
    ledger = Ledger()
    for units, price in ((1, "4.00"), (2, "4.30")):
        ledger.order([(CALL, units, Decimal(price)), (HIGHER, -units, Decimal(1))])
        ledger.now += dt.timedelta(days=1)
    [entry] = entries(ledger)
    assert [leg["contracts"] for leg in entry["legs"]] == [3, 3]
    assert entry["net_debit"] == 300 + 660
    assert entry["opened_at"].startswith("2026-11-02")


def test_legs_of_one_minute_are_grouped_and_the_guess_is_named() -> None:
    """Single orders on one underlying within a minute become a structure; later ones do not."""
    ledger = Ledger()
    ledger.order([(CALL, 1, Decimal(4))])
    ledger.now = BEGAN + MINUTE
    ledger.order([(HIGHER, -1, Decimal(1))])
    [entry] = entries(ledger)
    assert "within one minute, on 2 Nov 2026" in entry["note"]
    later = Ledger()
    later.order([(CALL, 1, Decimal(4))])
    later.now = BEGAN + MINUTE + dt.timedelta(seconds=1)
    later.order([(HIGHER, -1, Decimal(1))])
    assert ["legs" in entry for entry in entries(later)] == [False, False]


def test_shares_join_a_call_that_they_cover() -> None:
    """100 shares bought with a call sold in the same minute are a covered call; 90 shares are not."""
    for shares, structures in ((100, 1), (90, 0)):
        ledger = Ledger()
        ledger.order([("AAPL", shares, Decimal(230))])
        ledger.order([(CALL, -1, Decimal(4))])
        assert sum("legs" in entry for entry in entries(ledger)) == structures


def test_a_closing_order_takes_from_its_own_structure() -> None:
    """If an option and a vertical share a contract, the vertical's closing order closes the vertical."""
    ledger = Ledger()
    ledger.order([(CALL, 1, Decimal(5))])
    ledger.now += dt.timedelta(days=1)
    ledger.order([(CALL, 1, Decimal(4)), (HIGHER, -1, Decimal(1))])
    ledger.now += dt.timedelta(days=1)
    ledger.order([(CALL, -1, Decimal(6)), (HIGHER, 1, Decimal(2))])
    [entry] = entries(ledger)
    assert (entry["contracts"], entry["opened_at"][:10]) == (1, "2026-11-02")
    # The broker averages the day's trades, so the price is its own and not the first execution's.
    assert entry["cost_basis"] == 4.5
    assert "broker's average price" in entry["note"]


def test_a_rolled_leg_stays_in_its_structure() -> None:
    """An order that closes one leg and opens another keeps the structure, and the note says so."""
    ledger = Ledger()
    ledger.order([(CALL, 1, Decimal(4)), (PUT, -1, Decimal(3))])
    ledger.now += dt.timedelta(days=1)
    ledger.order([(CALL, -1, Decimal(5)), (HIGHER, 1, Decimal(2))])
    [entry] = entries(ledger)
    assert {leg["strike"] for leg in entry["legs"]} == {260, 240}
    assert entry["net_debit"] == 200 - 300
    assert "A leg was rolled" in entry["note"]


def test_shares_of_a_split_cost_what_the_broker_says() -> None:
    """25 shares at 640 plus 25 without an execution are 50 shares at the broker's 320."""
    document = {"positions": [{"id": "spy", "symbol": "SPY", "shares": 25, "cost_basis": 640}]}
    holding = Holding(symbol="SPY", quantity=Decimal(50), entry_price=Decimal(320))
    [entry] = json.loads(written(AccountHistory(holdings=[holding]), document).text)["positions"]
    assert (entry["shares"], entry["cost_basis"]) == (50, 320)
    assert entry["note"].startswith("The executions found do not open all of SPY")


def test_assigned_shares_name_their_source() -> None:
    """Assigned shares cost the strike, and the note says where they came from."""
    ledger = Ledger()
    ledger.order([(PUT, -1, Decimal(3))])
    ledger.settle(EventKind.ASSIGNMENT, PUT, 1, Decimal(240))
    [entry] = entries(ledger)
    assert (entry["shares"], entry["cost_basis"], entry["opened_at"]) == (100, 240, "2026-11-02")
    assert "assignment or exercise" in entry["note"]


def test_a_position_without_executions_is_single_at_the_average() -> None:
    """A holding without executions has the broker's average price, no opening date, and a note."""
    ledger = Ledger()
    ledger.receive("SPXW261218C06000000", -2, Decimal("12.5"))
    [entry] = entries(ledger)
    assert (entry["symbol"], entry["root"], entry["contracts"]) == ("SPX", "SPXW", -2)
    assert "opened_at" not in entry
    assert "The executions found do not open all" in entry["note"]


def test_a_share_class_is_spelled_by_its_underlying() -> None:
    """A contract with the root BRKB is written under BRK.B, so that its shares are found."""
    ledger = Ledger()
    ledger.order([("BRKB261218P00500000", 1, Decimal(9))])
    [entry] = entries(ledger)
    assert (entry["symbol"], entry["id"]) == ("BRK.B", "brk.b-put-500-2026-12-18")
    assert "root" not in entry


def file_with(*positions: dict[str, Any]) -> dict[str, Any]:
    """A file's document with these positions."""
    return {"cash": 10_000, "positions": list(positions)}


STRANGLE: dict[str, Any] = {
    "id": "mine",
    "symbol": "AAPL",
    "net_debit": 700.0,
    "tag": ["own"],
    "note": "Keep.",
    "legs": [
        {"side": "long", "option_type": "put", "expiry": "2027-01-15", "strike": 240, "contracts": 2},
        {"side": "long", "option_type": "call", "expiry": "2026-12-18", "strike": 250, "contracts": 2},
    ],
}


def test_an_existing_group_wins_over_orders() -> None:
    """Legs that the file groups stay grouped, and the entry is unchanged."""
    ledger = Ledger()
    ledger.order([(PUT, 2, Decimal(1))])
    ledger.now += dt.timedelta(days=2)
    ledger.order([(CALL, 2, Decimal(3)), (HIGHER, -2, Decimal(1))])
    after = entries(ledger, file_with(STRANGLE))
    assert after[0] == STRANGLE
    assert [entry["strike"] for entry in after[1:]] == [260]


def test_a_smaller_structure_costs_its_share() -> None:
    """With half of every leg left, net_debit is halved, and a note says so."""
    ledger = Ledger()
    ledger.receive(PUT, 1, Decimal(1))
    ledger.receive(CALL, 1, Decimal(3))
    [entry] = entries(ledger, file_with(STRANGLE))
    assert ([leg["contracts"] for leg in entry["legs"]], entry["net_debit"]) == ([1, 1], 350)
    assert entry["note"].startswith("Keep. net_debit changed with the number")
    assert (entry["id"], entry["tag"]) == ("mine", ["own"])


def test_the_last_leg_becomes_a_single() -> None:
    """A structure with one leg left becomes a single option with the same id, at the broker's price."""
    ledger = Ledger()
    ledger.receive(CALL, 2, Decimal("3.25"))
    [entry] = entries(ledger, file_with(STRANGLE))
    assert (entry["id"], entry["contracts"], entry["cost_basis"]) == ("mine", 2, 3.25)
    assert "legs" not in entry
    assert "no longer held" in entry["note"]


def test_more_of_a_single_is_averaged_with_what_the_file_says() -> None:
    """The old part of a position that grew keeps its cost."""
    ledger = Ledger()
    ledger.order([(CALL, 1, Decimal(4))])
    document = {"positions": entries(ledger)}
    document["positions"][0] |= {"id": "mine", "cost_basis": 5}
    ledger.now += dt.timedelta(days=1)
    ledger.order([(CALL, 1, Decimal(2))])
    [entry] = entries(ledger, document)
    # The broker's average is $3; the file's owner knows better about the first one.
    assert (entry["id"], entry["contracts"], entry["cost_basis"]) == ("mine", 2, 3.5)


def test_a_merge_after_a_part_was_closed_costs_what_the_account_does() -> None:
    """The remaining structure keeps the prices of its own lots, and new lots have theirs."""
    ledger = Ledger()
    ledger.order([(CALL, 3, Decimal("7.1")), (HIGHER, -2, Decimal("3.3"))])
    before = file_with(*entries(ledger))
    ledger.now += dt.timedelta(days=1)
    ledger.order([(CALL, -1, Decimal(8))])
    ledger.order([(HIGHER, -1, Decimal("2.9"))])
    structure, added = entries(ledger, before)
    assert (structure["net_debit"], added["cost_basis"]) == (760, 2.9)
    assert round(ledger.cost(), 2) == 760 - 290


def test_a_merge_during_an_order_over_days_costs_what_the_account_does() -> None:
    """An order that was partly filled when the file was made has one lot per day, as in Alpaca's average."""
    ledger = Ledger()
    for quantity, price in ((2, "7"), (3, "7.25"), (2, "7.31")):
        ledger._fill("AAPL", Decimal(quantity), Decimal(price), "one")
        if quantity == 2 and price == "7":
            before = file_with(*entries(ledger))
        ledger.now += dt.timedelta(days=1)
    [entry] = entries(ledger, before)
    assert entry["shares"] == 7
    assert round(Decimal(str(entry["cost_basis"])) * 7, 2) == ledger.cost()


def test_entries_that_no_account_holds_are_left_alone() -> None:
    """A position marked `"account": "none"` stays unchanged, and takes no holding from the account."""
    ledger = Ledger()
    ledger.order([(CALL, 2, Decimal(4))])
    elsewhere = STRANGLE | {"account": "none"}
    after = entries(ledger, file_with(elsewhere))
    assert after[0] == elsewhere
    assert after[1]["contracts"] == 2


def test_the_changes_are_described_in_words() -> None:
    """Each removed, added or changed position has a line, and so does cash."""
    ledger = Ledger(cash=Decimal("-12.5"))
    ledger.order([(CALL, 1, Decimal(4))])
    document = file_with(
        {"id": "gone", "symbol": "KO", "shares": 5, "cost_basis": 60},
        {"id": "call", **entries(ledger)[0], "contracts": 3} | {"id": "call"},
    )
    assert written(ledger.history(), document).changes == [
        "- gone: long 5 shares of KO, paid $60.00 a share = $300.00; the account does not hold it",
        "~ call: long 3 \u00d7 AAPL 250 call, 18 Dec 2026, paid $4.00 a share = $1,200.00",
        "  → long 1 \u00d7 AAPL 250 call, 18 Dec 2026, paid $4.00 a share = $400.00",
        "~ cash: $10,000.00 → \u2212$12.50",
    ]
