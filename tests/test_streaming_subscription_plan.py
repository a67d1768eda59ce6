"""The subscription plan of a portfolio."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming import subscriptions
from options_helper.data.streaming.subscriptions import (
    SubscriptionPlan,
    build_subscription_plan,
    positions_not_subscribed,
)
from options_helper.models import (
    EquityPosition,
    Leg,
    MultiLegPosition,
    OptionType,
    Portfolio,
    Position,
    Side,
    StockLeg,
)

TODAY = dt.date(2026, 11, 20)
DECEMBER = dt.date(2026, 12, 18)


def option(name: str, symbol: str = "AAPL", strike: float = 250, **changes: Any) -> Position:
    """A call, in December by default."""
    fields = {"option_type": "call", "expiry": DECEMBER, "contracts": 1, "cost_basis": 1.0}
    return Position(id=name, symbol=symbol, strike=strike, **fields | changes)


def leg(
    strike: float, side: Side = "long", option_type: OptionType = "call", expiry: dt.date = DECEMBER
) -> Leg:
    """One leg of one contract."""
    return Leg(side=side, option_type=option_type, expiry=expiry, strike=strike, contracts=1)


def structure(name: str, *legs: Leg | StockLeg, symbol: str = "SPY") -> MultiLegPosition:
    """A structure of these legs."""
    return MultiLegPosition(id=name, symbol=symbol, legs=list(legs))


def shares(name: str, symbol: str) -> EquityPosition:
    """Ten shares."""
    return EquityPosition(id=name, symbol=symbol, shares=10, cost_basis=1)


def plan(*positions: Position | MultiLegPosition | EquityPosition, **changes: Any) -> SubscriptionPlan:
    """The plan of these positions, with all streams on and room for all."""
    options = {"stream_stocks": True, "stream_options": True, "max_option_contracts": 100, "today": TODAY}
    return build_subscription_plan(Portfolio(positions=list(positions)), **options | changes)


def test_singles_legs_and_shares_are_all_there_once() -> None:
    """Each underlying, share and contract is requested once, in the file's order."""
    got = plan(
        option("a", "MSFT", 400),
        structure("b", leg(600), leg(610, "short"), leg(600, option_type="put")),
        option("c", "MSFT", 400, contracts=-2),
        shares("d", "KO"),
        structure("e", StockLeg(side="long", shares=100), leg(75, "short"), symbol="PEP"),
        option("f", "AAPL"),
    )
    assert got == SubscriptionPlan(
        stocks=["MSFT", "SPY", "KO", "PEP", "AAPL"],
        option_contracts=[
            "MSFT261218C00400000",
            "SPY261218C00600000",
            "SPY261218C00610000",
            "SPY261218P00600000",
            "PEP261218C00075000",
            "AAPL261218C00250000",
        ],
    )


@pytest.mark.parametrize("symbol", ["BRK.B", "BRK-B", "brk/b"])
def test_class_shares_have_alpacas_spelling(symbol: str) -> None:
    """The stock has a dot, and the contract's root has no separator."""
    got = plan(option("a", symbol, 500))
    assert got.stocks == ["BRK.B"]
    assert got.option_contracts == ["BRKB261218C00500000"]


def test_a_contracts_own_root_is_used() -> None:
    """Adjusted contracts and weeklies use their own root, and the stock uses its symbol."""
    got = plan(option("a", "CSGP", 1, root="CSGP1"), option("b", "SPX", 6000, root="SPXW"))
    assert got.stocks == ["CSGP"]
    assert got.option_contracts == ["CSGP1261218C00001000", "SPXW261218C06000000"]


def test_an_empty_portfolio_needs_nothing() -> None:
    """The plan of an empty portfolio has no symbols and no warnings."""
    assert plan() == SubscriptionPlan()


def test_nothing_is_requested_from_a_stream_that_is_off() -> None:
    """If stocks or options are off, they have no symbols or warnings; each position gives the reason."""
    owned = [option("a", expiry=dt.date(2026, 11, 1)), option("b", "SPX"), shares("c", "KO")]
    no_options = plan(*owned, stream_options=False, max_option_contracts=0)
    assert (no_options.stocks, no_options.option_contracts) == (["AAPL", "KO"], [])
    assert (no_options.truncated, no_options.truncated_count) == (False, 0)
    assert [warning for warning in no_options.warnings if "SPX" not in warning] == []
    assert no_options.not_live == {"a": "it has expired", "b": "the option stream is switched off"}
    no_stocks = plan(*owned, stream_stocks=False)
    assert (no_stocks.stocks, no_stocks.option_contracts) == ([], ["SPX261218C00250000"])
    assert not any("index" in warning for warning in no_stocks.warnings)
    assert no_stocks.not_live == {"a": "it has expired", "c": "the stock stream is switched off"}


def test_the_limit_keeps_positions_whole_and_names_the_rest() -> None:
    """A structure that does not fit is left out whole and named; a later one that fits is included."""
    got = plan(
        option("first"),
        structure("condor", leg(500), leg(510), leg(520), leg(530)),
        structure("vertical", leg(600), leg(610)),
        option("last", "MSFT"),
        max_option_contracts=3,
    )
    assert got.option_contracts == ["AAPL261218C00250000", "SPY261218C00600000", "SPY261218C00610000"]
    assert (got.truncated, got.truncated_count) == (True, 5)
    assert got.stocks == ["AAPL", "SPY", "MSFT"]
    [warning] = got.warnings
    assert warning.startswith("5 of 8 option contracts are over the limit of 3;")
    assert warning.endswith("they are polled instead of streamed, in whole positions: condor, last.")
    assert got.polled_contracts == [
        *(f"SPY261218C00{strike}000" for strike in (500, 510, 520, 530)),
        "MSFT261218C00250000",
    ]
    assert set(got.not_live) == {"condor", "last"}


def test_a_contract_held_twice_counts_once() -> None:
    """A position whose contracts are already included costs nothing, wherever it is in the file."""
    got = plan(
        structure("wide", leg(500), leg(510), leg(520)),
        structure("low", leg(500), leg(510)),
        structure("low-again", leg(510, "short"), leg(500, "short")),
        max_option_contracts=2,
    )
    assert got.option_contracts == ["SPY261218C00500000", "SPY261218C00510000"]
    assert got.truncated_count == 1
    assert set(got.not_live) == {"wide"}


def test_a_limit_of_zero_leaves_every_contract_out() -> None:
    """Zero is a valid limit, and a negative one raises."""
    got = plan(option("a"), max_option_contracts=0)
    assert (got.option_contracts, got.truncated_count) == ([], 1)
    with pytest.raises(ValueError, match="0 or more"):
        plan(option("a"), max_option_contracts=-1)


def test_many_names_are_shortened_in_the_warning_only() -> None:
    """The sentence is short, and `not_live` has every position."""
    got = plan(*(option(f"p{number}", strike=number) for number in range(1, 51)), max_option_contracts=10)
    [warning] = got.warnings
    assert warning.endswith("p20 and 20 more.")
    assert len(got.not_live) == 40


def test_expired_contracts_are_left_out_by_name() -> None:
    """A contract that expired before today is left out; on its last day, it is included."""
    yesterday = TODAY - dt.timedelta(days=1)
    got = plan(
        option("gone", expiry=yesterday),
        option("today", "MSFT", expiry=TODAY),
        structure("calendar", leg(600, "short", expiry=yesterday), leg(600)),
    )
    assert got.option_contracts == ["MSFT261120C00250000", "SPY261218C00600000"]
    assert got.warnings == (
        "Expired and left out: AAPL261119C00250000 (gone), SPY261119C00600000 (calendar).",
    )
    assert got.not_live == {"gone": "it has expired"}
    assert not got.truncated


@pytest.mark.parametrize("symbol", ["SPX", "NDX", "VIX", "RUT", "XSP", "DJX", "OEX"])
def test_indexes_do_not_stream(symbol: str) -> None:
    """An index has options but no shares, so only its contracts are requested, with a warning."""
    got = plan(option("a", symbol), option("b", symbol, 260), option("c"))
    assert got.stocks == ["AAPL"]
    assert len(got.option_contracts) == 3
    [warning] = [each for each in got.warnings if "root" not in each]
    assert warning.startswith(f"{symbol} is an index")
    assert got.not_live == {}


def test_several_indexes_are_one_sentence() -> None:
    """The warning lists the indexes once, however many positions there are."""
    got = plan(option("a", "SPX"), option("b", "XSP"), option("c", "SPX", 260))
    [warning] = [each for each in got.warnings if "root" not in each]
    assert warning.startswith("SPX, XSP are indexes, ")


def test_shares_of_an_index_are_never_live() -> None:
    """Shares of an index are a mistake in the file, and the reason says so."""
    assert plan(shares("a", "SPX")).not_live == {"a": "the stock stream does not carry an index"}


def test_a_weekly_under_the_monthly_root_is_questioned() -> None:
    """SPX expires on third Fridays; a contract for another day is requested, with a note about its root."""
    wednesday = dt.date(2026, 12, 16)
    got = plan(option("a", "SPX", expiry=wednesday), option("b", "SPX"), stream_stocks=False)
    assert got.option_contracts[0] == "SPX261216C00250000"
    [warning] = got.warnings
    assert warning.startswith("a: SPX contracts expire once a month")
    assert '"root": "SPXW"' in warning


def test_terms_that_no_symbol_can_express_do_not_stop_the_others() -> None:
    """A position without a contract symbol is named, and the others are planned."""
    got = plan(option("odd", strike=33.33333), option("good"))
    assert got.option_contracts == ["AAPL261218C00250000"]
    assert got.warnings[0].startswith("odd will not be live: ")
    assert got.not_live == {"odd": "no contract symbol can express its terms"}


def test_today_is_new_yorks_date_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 01:00 UTC it is still the previous evening in New York, and that day's contract is included."""
    monkeypatch.setattr(subscriptions, "utc_now", lambda: dt.datetime(2026, 12, 19, 1, tzinfo=dt.UTC))
    assert plan(option("a"), today=None).option_contracts == ["AAPL261218C00250000"]
    assert positions_not_subscribed(Portfolio(positions=[option("a")]), frozenset()) != {}
    monkeypatch.setattr(subscriptions, "utc_now", lambda: dt.datetime(2026, 12, 19, 6, tzinfo=dt.UTC))
    assert plan(option("a"), today=None).option_contracts == []
    assert positions_not_subscribed(Portfolio(positions=[option("a")]), frozenset()) == {}


def test_unstreamed_positions_are_found() -> None:
    """With another subscription, each position lists its missing symbols."""
    portfolio = Portfolio(
        positions=[
            option("live"),
            structure("half", leg(500), leg(510)),
            shares("shares", "KO"),
            structure("covered", StockLeg(side="long", shares=100), leg(75, "short"), symbol="PEP"),
            option("expired", "MSFT", expiry=TODAY - dt.timedelta(days=1)),
        ]
    )
    subscribed = frozenset({"AAPL261218C00250000", "SPY261218C00500000", "PEP261218C00075000", "SPY"})
    assert positions_not_subscribed(portfolio, subscribed, today=TODAY) == {
        "half": ("SPY261218C00510000",),
        "shares": ("KO",),
        "covered": ("PEP",),
    }


strikes = st.lists(st.integers(1, 12), min_size=2, max_size=5).map(
    lambda numbers: [leg(strike) for strike in numbers]
)


@given(st.lists(strikes, max_size=8), st.integers(0, 14))
def test_a_plan_is_within_its_limit_and_keeps_positions_whole(
    structures: list[list[Leg]], limit: int
) -> None:
    """A plan never exceeds the limit, has no duplicates, and its counts add up."""
    positions = [structure(f"p{number}", *legs) for number, legs in enumerate(structures)]
    got = plan(*positions, max_option_contracts=limit)
    chosen = set(got.option_contracts)
    assert len(got.option_contracts) == len(chosen) <= limit
    wanted = {f"SPY261218C{int(each.strike * 1000):08d}" for legs in structures for each in legs}
    assert got.truncated_count == len(wanted - chosen)
    assert got.truncated == (wanted != chosen)
    whole: set[str] = set()
    for position, legs in zip(positions, structures, strict=True):
        own = {f"SPY261218C{int(each.strike * 1000):08d}" for each in legs}
        assert (position.id in got.not_live) == (not own <= chosen)
        whole |= own if own <= chosen else set()
    assert whole == chosen
    assert set(
        positions_not_subscribed(Portfolio(positions=positions), frozenset(chosen), today=TODAY)
    ) == set(got.not_live)


def test_the_soonest_and_largest_positions_stream_unless_the_file_pins_others() -> None:
    """Pinned positions come first, then those that expire within a week, then the largest."""
    owned = [
        option("small", "AAPL", 100),
        option("large", "MSFT", 500, contracts=-9),
        option("near", "KO", 60, expiry=TODAY + dt.timedelta(days=7)),
        option("pinned", "PEP", 10, stream=True),
        option("later", "SPY", 1, expiry=TODAY + dt.timedelta(days=8)),
        shares("stake", "IBM"),
    ]
    order = ["PEP261218C00010000", "KO261127C00060000", "MSFT261218C00500000", "AAPL261218C00100000"]
    for limit in range(5):
        got = plan(*owned, max_option_contracts=limit)
        assert set(got.option_contracts) == set(order[:limit])
        assert set(got.polled_contracts) == {*order, "SPY261128C00001000"} - set(order[:limit])
        assert got.stream_first == ["PEP", "KO", "MSFT", "AAPL", "SPY", "IBM", *order[:limit]]
    assert got.stocks == ["AAPL", "MSFT", "KO", "PEP", "SPY", "IBM"], "the file's order, as ever"


def test_nothing_is_polled_for_a_stream_that_is_off() -> None:
    """If a stream is off, nothing is fetched for it."""
    got = plan(option("a"), shares("b", "KO"), stream_options=False, stream_stocks=False)
    assert (got.polled_contracts, got.stream_first) == ([], [])
