"""The file against the account: quantities of both sides, and the cause of each difference."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings

from options_helper.analysis.account.causes import CauseKind
from options_helper.analysis.account.compare import (
    AccountComparison,
    Agreement,
    BrokerSide,
    Comparison,
    compare_account,
)
from options_helper.analysis.text.figures import MINUS
from options_helper.files.account_portfolio import write_account_portfolio
from options_helper.market import (
    BrokerEvent,
    BrokerFill,
    BrokerPosition,
    EventKind,
    LiveSnapshot,
    Split,
)
from options_helper.models import Portfolio
from options_helper.portfolio_file import parse_portfolio
from tests.ledger import Ledger, ledgers

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)  # a Friday, 10:00 in New York
TODAY = dt.date(2026, 11, 20)
SAVED = NOW - dt.timedelta(hours=12)
CALL, PUT, TWIN = "AAPL261218C00250000", "AAPL261218P00240000", "CSGP261218C00100000"
ADJUSTED = "CSGP1261218C00033330"
EXPIRED = "AAPL261113C00250000"


def option(symbol: str, contracts: int, name: str = "one", **more: Any) -> dict[str, Any]:
    """A single option in the file, by its symbol."""
    root, date = symbol[:-15], symbol[-15:-9]
    return {
        "id": name,
        "symbol": root,
        "option_type": "call" if symbol[-9] == "C" else "put",
        "expiry": f"20{date[:2]}-{date[2:4]}-{date[4:]}",
        "strike": int(symbol[-8:]) / 1000,
        "contracts": contracts,
        "cost_basis": 1,
        **more,
    }


def shares(symbol: str, quantity: float, name: str = "shares") -> dict[str, Any]:
    """Shares in the file."""
    return {"id": name, "symbol": symbol, "shares": quantity, "cost_basis": 1}


def condor(units: int) -> dict[str, Any]:
    """A structure of two options in the file."""
    legs = [
        {"side": "short", "option_type": "call", "expiry": "2026-12-18", "strike": 250, "contracts": units},
        {"side": "short", "option_type": "put", "expiry": "2026-12-18", "strike": 240, "contracts": units},
    ]
    return {"id": "two", "symbol": "AAPL", "net_debit": -100, "legs": legs}


def fill(symbol: str, quantity: int, *, hours_ago: float, price: str = "3.10") -> BrokerFill:
    """Return an execution from a few hours ago."""
    at = NOW - dt.timedelta(hours=hours_ago)
    return BrokerFill(symbol=symbol, quantity=Decimal(quantity), price=Decimal(price), at=at, order_id="o")


def event(
    kind: EventKind,
    symbol: str,
    quantity: int,
    date: dt.date,
    *,
    price: int | None = None,
    group: str | None = None,
) -> BrokerEvent:
    """An option event, or the shares that it delivers."""
    cost = None if price is None else Decimal(price)
    return BrokerEvent(
        kind=kind, symbol=symbol, quantity=Decimal(quantity), date=date, price=cost, group_id=group
    )


def portfolio(*positions: dict[str, Any], **more: Any) -> Portfolio:
    """A file with these positions."""
    return parse_portfolio("p", json.dumps({"positions": list(positions), **more}).encode(), today=TODAY)


def broker(quantities: dict[str, float], *changes: BrokerFill | BrokerEvent, **more: Any) -> BrokerSide:
    """An account with these quantities and changes."""
    return BrokerSide(
        quantities={symbol: Decimal(str(quantity)) for symbol, quantity in quantities.items()},
        as_of=NOW,
        fills=[one for one in changes if isinstance(one, BrokerFill)],
        events=[one for one in changes if isinstance(one, BrokerEvent)],
        **more,
    )


def only(comparison: AccountComparison) -> Comparison:
    """The one difference."""
    [row] = comparison.differences
    return row


class Case(NamedTuple):
    """One difference: the file, the account, and the expected row."""

    file: list[dict[str, Any]]
    account: BrokerSide
    symbol: str
    agreement: Agreement
    kind: CauseKind | None
    words: str


CASES = {
    "sold today": Case(
        [option(CALL, 5)],
        broker({CALL: 2}, fill(CALL, -3, hours_ago=0.5)),
        CALL,
        Agreement.DIFFERS,
        CauseKind.FILLED_TODAY,
        "sold 3 @ 3.10 today at 09:30 New York, after the file was saved",
    ),
    "bought today in two executions": Case(
        [],
        broker({CALL: 3}, fill(CALL, 1, hours_ago=0.5), fill(CALL, 2, hours_ago=0.25, price="3.2")),
        CALL,
        Agreement.ONLY_AT_BROKER,
        CauseKind.FILLED_TODAY,
        "bought 1 @ 3.10 today at 09:30 New York and bought 2 @ 3.20 today at 09:45 New York, "
        "after the file was saved",
    ),
    "closed on an earlier day": Case(
        [option(CALL, 2)],
        broker({}, fill(CALL, 2, hours_ago=24 * 9), fill(CALL, -2, hours_ago=24 * 3)),
        CALL,
        Agreement.ONLY_IN_FILE,
        CauseKind.EARLIER_FILL,
        "sold 2 @ 3.10 on 17 Nov 2026",
    ),
    "opened on an earlier day": Case(
        [],
        broker({CALL: -1}, fill(CALL, -1, hours_ago=24 * 3)),
        CALL,
        Agreement.ONLY_AT_BROKER,
        CauseKind.EARLIER_FILL,
        "sold 1 @ 3.10 on 17 Nov 2026",
    ),
    "assigned": Case(
        [option(PUT, -2)],
        broker({PUT: -1}, event(EventKind.ASSIGNMENT, PUT, 1, TODAY)),
        PUT,
        Agreement.DIFFERS,
        CauseKind.ASSIGNED,
        "1 assigned today, after the file was saved",
    ),
    "exercised": Case(
        [option(CALL, 1)],
        broker({}, event(EventKind.EXERCISE, CALL, -1, TODAY - dt.timedelta(days=1))),
        CALL,
        Agreement.ONLY_IN_FILE,
        CauseKind.EXERCISED,
        "1 exercised on 19 Nov 2026",
    ),
    "expired, with its activity": Case(
        [option(EXPIRED, 1)],
        broker({}, event(EventKind.EXPIRY, EXPIRED, -1, dt.date(2026, 11, 13))),
        EXPIRED,
        Agreement.ONLY_IN_FILE,
        CauseKind.EXPIRED,
        "1 expired on 13 Nov 2026",
    ),
    "expired, by its date": Case(
        [option(EXPIRED, 1)],
        broker({}),
        EXPIRED,
        Agreement.ONLY_IN_FILE,
        CauseKind.EXPIRED,
        "expired on 13 Nov 2026",
    ),
    "shares of an assignment": Case(
        [],
        broker(
            {"AAPL": 100},
            event(EventKind.ASSIGNMENT, PUT, 1, TODAY, group="g"),
            event(EventKind.SHARES, "AAPL", 100, TODAY, price=240, group="g"),
        ),
        "AAPL",
        Agreement.ONLY_AT_BROKER,
        CauseKind.SHARES,
        "+100 shares: AAPL 18 Dec 2026 240 put assigned today, after the file was saved",
    ),
    "shares delivered for an exercise without its group": Case(
        [shares("AAPL", 100)],
        broker({}, event(EventKind.SHARES, "AAPL", -100, TODAY, price=250)),
        "AAPL",
        Agreement.ONLY_IN_FILE,
        CauseKind.SHARES,
        f"{MINUS}100 shares from an assignment or exercise today, after the file was saved",
    ),
    "a split": Case(
        [shares("AAPL", 10)],
        broker(
            {"AAPL": 40},
            splits=[Split(symbol="AAPL", new=Decimal(4), old=Decimal(1), date=dt.date(2026, 11, 18))],
        ),
        "AAPL",
        Agreement.DIFFERS,
        CauseKind.SPLIT,
        "split 4:1 on 18 Nov 2026",
    ),
    "a split of what was bought before it, and a sale since": Case(
        [shares("AAPL", 10)],
        broker(
            {"AAPL": 16},
            fill("AAPL", 10, hours_ago=24 * 7),
            fill("AAPL", -4, hours_ago=0.5),
            splits=[Split(symbol="AAPL", new=Decimal(2), old=Decimal(1), date=dt.date(2026, 11, 18))],
        ),
        "AAPL",
        Agreement.DIFFERS,
        CauseKind.FILLED_TODAY,
        "split 2:1 on 18 Nov 2026 and sold 4 @ 3.10 today at 09:30 New York",
    ),
    "nothing explains it": Case(
        [option(CALL, 2)],
        broker({CALL: 5}, fill(CALL, 1, hours_ago=2)),
        CALL,
        Agreement.DIFFERS,
        None,
        "",
    ),
    "the other side": Case([option(CALL, 2)], broker({CALL: -2}), CALL, Agreement.DIFFERS, None, ""),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_difference_has_its_cause(case: Case) -> None:
    """Each row has the quantities, agreement and cause of the table above."""
    row = only(compare_account(portfolio(*case.file), case.account, saved_at=SAVED))
    assert (row.symbol, row.agreement) == (case.symbol, case.agreement)
    assert row.at_broker == case.account.quantities.get(case.symbol, 0)
    if case.kind is None:
        assert row.cause is None
    else:
        assert row.cause is not None
        assert (row.cause.kind, row.cause.words) == (case.kind, case.words)


def test_an_adjusted_contract_replaces_another() -> None:
    """If the broker's contract has the file's root plus a digit, an adjustment explains both rows."""
    compared = compare_account(portfolio(option(TWIN, 3)), broker({ADJUSTED: 3}))
    assert {row.cause.words for row in compared.differences if row.cause} == {"adjusted: CSGP became CSGP1"}


@pytest.mark.parametrize(
    ("traded", "quantity", "left", "words"),
    [
        (ADJUSTED, -1, 2, "sold 1 @"),
        (ADJUSTED, -3, 0, "sold 3 @"),
        (ADJUSTED, 2, 5, "bought 2 @"),
        (TWIN, 1, 4, "bought 1 @"),
    ],
)
def test_a_fill_of_an_adjusted_contract_explains_the_rest(
    traded: str, quantity: int, left: int, words: str
) -> None:
    """The adjustment and the fill are both named, even if the fill closed the contract."""
    change = fill(traded, quantity, hours_ago=1)
    held = {ADJUSTED: left} if left else {}
    compared = compare_account(portfolio(option(TWIN, 3)), broker(held, change))
    causes = [row.cause.words if row.cause else None for row in compared.differences]
    assert causes
    assert all(cause and cause.startswith(f"adjusted: CSGP became CSGP1; {words}") for cause in causes)


def test_an_adjustment_that_does_not_add_up_explains_nothing() -> None:
    """A fill of another quantity leaves the difference without a cause."""
    compared = compare_account(
        portfolio(option(TWIN, 3)), broker({ADJUSTED: 1}, fill(ADJUSTED, -1, hours_ago=1))
    )
    assert [row.cause for row in compared.differences] == [None, None]
    assert len(compared.differences) == 2


def test_without_the_files_time_no_cause_refers_to_it() -> None:
    """The words "after the file was saved" appear only if every execution is known to be later than that."""
    account = broker({CALL: 4}, fill(CALL, 1, hours_ago=30), fill(CALL, 1, hours_ago=1))
    for saved_at in (None, NOW - dt.timedelta(hours=2)):
        cause = only(compare_account(portfolio(option(CALL, 2)), account, saved_at=saved_at)).cause
        assert cause is not None
        assert "saved" not in cause.words


def test_legs_and_singles_of_one_contract_are_summed() -> None:
    """The file's quantity of a contract is the sum over all its positions."""
    file = portfolio(condor(2), option(CALL, 1, "single"))
    compared = compare_account(file, broker({CALL: -1, PUT: -2}))
    assert compared.differences == ()
    assert compared.rows[0].position_ids == ("two", "single")
    assert compared.discrepancies == {}


@pytest.mark.parametrize(
    ("held", "words", "not_held"),
    [
        ({CALL: -2, PUT: -2}, "", False),
        ({CALL: -1, PUT: -1}, "broker holds 1 of 2", False),
        ({CALL: -2, PUT: -1}, "1 of 2 legs differ from the broker", False),
        ({CALL: 2}, "2 of 2 legs differ from the broker", False),
        ({}, "not held at the broker", True),
    ],
)
def test_a_position_has_its_discrepancy(held: dict[str, float], words: str, *, not_held: bool) -> None:
    """The discrepancy says how much of the position the broker holds."""
    compared = compare_account(portfolio(condor(2)), broker(held))
    assert compared.discrepancies.get("two", "") == words
    assert compared.not_held == ({"two"} if not_held else set())


def test_more_than_the_file_names_is_marked() -> None:
    """The discrepancy has both quantities if the broker holds more of a single position."""
    compared = compare_account(portfolio(option(CALL, 2)), broker({CALL: 5}))
    assert compared.discrepancies == {"one": "broker holds 5, the file 2"}
    assert compared.not_held == set()


def test_the_opposite_side_is_a_difference_as_in_the_account_panel() -> None:
    """The panel says that -1 and +2 differ, so the row must not say that the broker holds nothing."""
    compared = compare_account(portfolio(option(CALL, -1)), broker({CALL: 2}))
    assert [row.agreement for row in compared.rows] == [Agreement.DIFFERS]
    assert compared.discrepancies == {"one": f"broker holds +2, the file {MINUS}1"}
    assert compared.not_held == set()


@pytest.mark.parametrize(("long", "short"), [(3, -1), (1, -1)])
def test_two_positions_that_offset_each_other_are_both_held(long: int, short: int) -> None:
    """If the broker holds the sum of two opposite positions, neither differs from the account."""
    compared = compare_account(
        portfolio(option(CALL, long), option(CALL, short, "other")), broker({CALL: long + short})
    )
    assert (compared.differences, compared.discrepancies, compared.not_held) == ((), {}, set())


def test_positions_that_the_file_excludes_are_not_compared() -> None:
    """A position or a whole file marked `"account": "none"` appears neither as equal nor as different."""
    apart = option(CALL, 2, account="none")
    compared = compare_account(portfolio(apart, option(PUT, 1, "here")), broker({PUT: 1}))
    assert ([row.symbol for row in compared.rows], compared.left_out) == ([PUT], 1)
    whole = compare_account(portfolio(option(CALL, 2), account="none"), broker({PUT: 1}))
    assert (whole.rows, whole.left_out, whole.not_held) == ((), 1, frozenset())


def test_nothing_is_compared_before_the_positions_are_known() -> None:
    """An unknown account is not the same as an account that holds nothing."""
    assert BrokerSide.of(LiveSnapshot()) is None
    empty = BrokerSide.of(LiveSnapshot(broker_positions_at=NOW))
    assert empty is not None
    assert empty.quantities == {}
    held = BrokerSide.of(
        LiveSnapshot(broker_positions_at=NOW, broker_positions={"A": BrokerPosition("A", 0.1)})
    )
    assert held is not None
    assert held.quantities == {"A": Decimal("0.1")}


@pytest.mark.parametrize(
    ("unread", "agreements"),
    [
        ({CALL}, [Agreement.UNKNOWN, Agreement.ONLY_IN_FILE]),
        ({""}, [Agreement.UNKNOWN, Agreement.UNKNOWN]),
        (set(), [Agreement.ONLY_IN_FILE, Agreement.ONLY_IN_FILE]),
    ],
)
def test_a_row_that_could_not_be_read_is_not_zero(unread: set[str], agreements: list[Agreement]) -> None:
    """A position with an unknown quantity has no discrepancy and does not count as not held."""
    seen = LiveSnapshot(broker_positions_at=NOW, broker_unread=frozenset(unread))
    side = BrokerSide.of(seen)
    assert side is not None
    compared = compare_account(portfolio(option(CALL, 2, "a"), option(PUT, 1, "b")), side)
    by_symbol = {row.symbol: row.agreement for row in compared.rows}
    assert [by_symbol[CALL], by_symbol[PUT]] == agreements
    sure = {name for name, one in zip("ab", agreements, strict=True) if one is Agreement.ONLY_IN_FILE}
    assert (set(compared.discrepancies), compared.not_held) == (sure, sure)
    assert len(compared.differences) + len(compared.unsure) == 2


@given(ledgers())
@settings(max_examples=60, deadline=None)
def test_the_accounts_own_file_agrees_everywhere(ledger: Ledger) -> None:
    """A file written from an account agrees with it in every contract and stock."""
    history = ledger.history()
    file = parse_portfolio("p", write_account_portfolio(history).text.encode())
    quantities = {holding.symbol: holding.quantity for holding in history.holdings}
    compared = compare_account(file, BrokerSide(quantities=quantities, as_of=NOW))
    assert {row.agreement for row in compared.rows} <= {Agreement.EQUAL}
    assert {row.symbol for row in compared.rows} == set(quantities)
    assert (compared.discrepancies, compared.not_held) == ({}, frozenset())


def test_a_fill_that_the_positions_do_not_include_yet_explains_nothing() -> None:
    """A fill after the positions were read explains no difference, and the account's day ignores it too."""
    live = LiveSnapshot(
        as_of=NOW,
        broker_positions={CALL: BrokerPosition(CALL, 3.0)},
        broker_positions_at=NOW,
        broker_fills=[fill(CALL, 1, hours_ago=1), fill(CALL, 5, hours_ago=-0.01)],
    )
    side = BrokerSide.of(live)
    assert side is not None
    cause = only(compare_account(portfolio(option(CALL, 2)), side)).cause
    assert cause is not None
    assert cause.words.startswith("bought 1 @ 3.10 today")
