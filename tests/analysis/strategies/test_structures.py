"""Names of structures, and their profit and loss at expiry."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.analysis.holdings.portfolio_arrays import count_units
from options_helper.analysis.strategies.structures import StructureKind, describe_structure
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Position, StockLeg

DEC, JAN, JUN = dt.date(2026, 12, 18), dt.date(2027, 1, 15), dt.date(2027, 6, 18)


def leg(text: str) -> Leg | StockLeg:
    """A leg written as `+2 c100` (December), `-1 p95'` (January), `-1 p95"` (June), `+100 shares`."""
    amount, what = text.split()
    side = "long" if amount.startswith("+") else "short"
    if what == "shares":
        return StockLeg(side=side, shares=abs(float(amount)))
    expiry = {"'": JAN, '"': JUN}.get(what[-1], DEC)
    return Leg(
        side=side,
        option_type="call" if what[0] == "c" else "put",
        expiry=expiry,
        strike=float(what[1:].rstrip("'\"")),
        contracts=abs(int(amount)),
    )


def structure(legs: str, net_debit: float | None = 0.0) -> MultiLegPosition:
    """A structure of legs separated by commas."""
    return MultiLegPosition(
        id="s", symbol="XYZ", legs=[leg(part.strip()) for part in legs.split(",")], net_debit=net_debit
    )


@pytest.mark.parametrize(
    ("legs", "name", "kind", "width"),
    [
        ("+1 c100, -1 c105", "Debit call vertical", "vertical", 5.0),
        ("-1 c100, +1 c105", "Credit call vertical", "vertical", 5.0),
        ("+1 p105, -1 p100", "Debit put vertical", "vertical", 5.0),
        ("+1 p100, -1 p105", "Credit put vertical", "vertical", 5.0),
        ("-1 c100, +1 c100'", "Long call calendar", "calendar", None),
        ("+2 p100, -2 p100'", "Short put calendar", "calendar", None),
        ("-1 c105, +1 c100'", "Long call diagonal", "diagonal", 5.0),
        ("-1 c105, +2 c100'", "Custom", "custom", None),
        ('-1 c105, +1 c80"', "Poor man's covered call", "diagonal", 25.0),
        ('-1 c80, +1 c105"', "Long call diagonal", "diagonal", 25.0),
        ("-1 p95, -1 c105, +1 c110", "Jade lizard", "jade lizard", 5.0),
        ("-1 p95, -2 c105, +2 c110", "Custom", "custom", None),
        ("-1 p108, -1 c105, +1 c110", "Custom", "custom", None),
        ("+1 p90, -1 p95, -1 c105", "Custom", "custom", None),
        ("+1 c100, +1 p100", "Long straddle", "straddle", None),
        ("-2 c105, -2 p95", "Short strangle", "strangle", 10.0),
        ("+1 c105, +2 p95", "Custom", "custom", None),
        ("+1 c105, -2 p95", "Custom", "custom", None),
        ("+1 c100, -1 p100", "Long synthetic stock", "synthetic", None),
        ("-1 c105, +1 p95", "Short risk reversal", "risk reversal", 10.0),
        ("+1 c100, -2 c105", "Call ratio 1\N{MULTIPLICATION SIGN}2", "ratio", 5.0),
        ("-2 p100, +4 p90", "Put ratio 2\N{MULTIPLICATION SIGN}1", "ratio", 10.0),
        ("+1 c100, +1 c105", "Custom", "custom", None),
        ("+1 c100, -2 c105, +1 c110", "Long call butterfly", "butterfly", 5.0),
        ("-1 p100, +2 p105, -1 p110", "Short put butterfly", "butterfly", 5.0),
        ("+1 c100, -2 c105, +1 c115", "Long broken-wing call butterfly", "butterfly", 10.0),
        ("+1 c100, -1 c105, -1 c105, +1 c110", "Long call butterfly", "butterfly", 5.0),
        ("+1 c100, -3 c105, +1 c110", "Custom", "custom", None),
        ("+1 c100, -1 c105, -1 c110, +1 c115", "Long call condor", "condor", 5.0),
        ("-1 c100, -1 c105, +1 c110, +1 c115", "Custom", "custom", None),
        ("+1 p95, -1 p100, -1 c110, +1 c115", "Credit iron condor", "iron condor", 5.0),
        ("-1 p90, +1 p100, +1 c110, -1 c115", "Debit iron condor", "iron condor", 10.0),
        ("+1 p95, -1 p100, -1 c100, +1 c105", "Credit iron butterfly", "iron butterfly", 5.0),
        ("+1 p95, -1 p110, -1 c100, +1 c115", "Custom", "custom", None),
        ("+1 p95, -1 p100, -2 c110, +1 c115", "Custom", "custom", None),
        ("+1 c95, -1 c100, -1 c110, +1 p115", "Custom", "custom", None),
        ("+1 c100, -1 c110, -1 p100, +1 p110", "Long box", "box", 10.0),
        ("-1 c100, +1 c110, +1 p100, -1 p110", "Short box", "box", 10.0),
        ("+100 shares, -1 c105", "Covered call", "covered call", None),
        ("+300 shares, -2 c105", "Covered call", "covered call", None),
        ("+100 shares, -2 c105", "Custom", "custom", None),
        ("-100 shares, -1 p95", "Covered put", "covered put", None),
        ("+100 shares, +1 p95", "Protective put", "protective put", None),
        ("+300 shares, +1 p95", "Custom", "custom", None),
        ("-100 shares, +1 c105", "Protective call", "protective call", None),
        ("+100 shares, +1 c105", "Custom", "custom", None),
        ("+100 shares, +1 p95, -1 c105", "Collar", "collar", 10.0),
        ("+100 shares, -1 p95, -1 c105", "Covered strangle", "covered strangle", 10.0),
        ("+100 shares, -2 p95, -2 c105", "Custom", "custom", None),
        ("+50 shares, +1 p95, -1 c105", "Custom", "custom", None),
        ("+100 shares, +1 c95, -1 c105", "Custom", "custom", None),
        ("+100 shares, -1 p95, +1 c105", "Custom", "custom", None),
        ("+100 shares, +1 p95, -1 c105, +1 c110", "Custom", "custom", None),
        ("+1 c100, -1 c100", "Custom", "custom", None),
        ("+1 c90, -1 c95, +1 c100, -1 c105, +1 c110", "Custom", "custom", None),
    ],
)
def test_structures_have_the_names_that_traders_use(
    legs: str, name: str, kind: str, width: float | None
) -> None:
    """The legs give the expected name, family and width, in any order."""
    position = structure(legs)
    backwards = position.model_copy(update={"legs": position.legs[::-1]})
    for each in (position, backwards):
        found = describe_structure(each)
        assert (found.name, found.kind, found.width) == (name, kind, width)


@pytest.mark.parametrize(
    ("legs", "net_debit", "profit", "loss", "break_evens"),
    [
        ("+1 c100, -1 c105", 200, 300, 200, (102,)),
        ("+1 p95, -1 p100, -1 c110, +1 c115", -162, 162, 338, (98.38, 111.62)),
        ("+2 p95, -2 p100, -2 c110, +2 c115", -324, 324, 676, (98.38, 111.62)),
        ("+1 c100, +1 p100", 800, math.inf, 800, (92, 108)),
        ("-1 c105, -1 p95", -300, 300, math.inf, (92, 108)),
        ("+1 c100, -2 c105", 0, 500, math.inf, (100, 110)),
        ("+100 shares, -1 c105", 9_800, 700, 9_800, (98,)),
        ("+100 shares, +1 p95, -1 c105", 10_000, 500, 500, (100,)),
        ("-100 shares, -1 p95", -10_200, 700, math.inf, (102,)),
        ("+1 c100, -1 c110, -1 p100, +1 p110", 990, 10, -10, ()),
        ("+1 c100, -2 c105, +1 c110", 100, 400, 100, (101, 109)),
    ],
)
def test_extremes_and_break_evens_at_expiry(
    legs: str, net_debit: float, profit: float, loss: float, break_evens: tuple[float, ...]
) -> None:
    """Profit, loss and break-evens equal those computed by hand."""
    found = describe_structure(structure(legs, net_debit))
    assert found.max_profit == pytest.approx(profit)
    assert found.max_loss == pytest.approx(loss)
    assert found.break_evens == pytest.approx(break_evens)


@pytest.mark.parametrize(("legs", "net_debit"), [("-1 c100, +1 c100'", 150.0), ("+1 c100, -1 c105", None)])
def test_undefined_figures_are_none(legs: str, net_debit: float | None) -> None:
    """With two expiries or an unknown cost, profit, loss and payoff are undefined."""
    position = structure(legs, net_debit)
    found = describe_structure(position)
    assert (found.max_profit, found.max_loss, found.payoff, found.break_evens) == (None, None, None, ())
    assert found.kind != StructureKind.CUSTOM


@pytest.mark.parametrize("multipliers", [None, [100, 100]])
@pytest.mark.parametrize("terms", [{"root": "XYZ1"}, {"root": "XYZ1", "multiplier": 100.0}])
def test_the_payoff_of_an_adjusted_contract_is_unknown(
    terms: dict[str, object], multipliers: list[float] | None
) -> None:
    """An adjusted root, not its multiplier, makes profit, loss and break-evens unknown."""
    vertical = structure("+1 c100, -1 c105", 200)
    legs = [vertical.legs[0], vertical.legs[1].model_copy(update=terms)]
    single = Position(
        id="a", symbol="XYZ", option_type="call", expiry=DEC, strike=100, contracts=1, cost_basis=2, **terms
    )
    for position in (vertical.model_copy(update={"legs": legs}), single):
        found = describe_structure(position, multipliers)
        assert (found.max_profit, found.max_loss, found.payoff, found.break_evens) == (None, None, None, ())
        assert found.adjusted


def test_an_adjusted_root_in_the_symbol_is_found_too() -> None:
    """A `symbol` that is an adjusted root makes the contract adjusted; shares remain shares."""
    terms = {"symbol": "XYZ1", "cost_basis": 2}
    call = Position(id="a", option_type="call", expiry=DEC, strike=100, contracts=1, **terms)
    assert (describe_structure(call).adjusted, describe_structure(call).break_evens) == (True, ())
    standard = describe_structure(call.model_copy(update={"root": "XYZ"}))
    assert (standard.adjusted, standard.break_evens) == (False, (102,))
    assert describe_structure(EquityPosition(id="b", shares=1, **terms)).break_evens == (2,)


def test_singles_and_shares_are_described_too() -> None:
    """A short put's loss is limited at a price of zero; that of a short call or short shares is not."""
    terms = {"symbol": "XYZ", "expiry": DEC, "strike": 100.0}
    put = describe_structure(Position(id="a", option_type="put", contracts=-2, cost_basis=3.0, **terms))
    assert (put.name, put.kind, put.max_profit, put.max_loss) == ("Short put", "single", 600, 19_400)
    assert put.break_evens == (97.0,)
    call = describe_structure(Position(id="b", option_type="call", contracts=1, cost_basis=3.0, **terms))
    assert (call.name, call.max_profit, call.max_loss, call.break_evens) == (
        "Long call",
        math.inf,
        300,
        (103.0,),
    )
    long = describe_structure(EquityPosition(id="c", symbol="XYZ", shares=10, cost_basis=50))
    assert (long.name, long.max_profit, long.max_loss, long.break_evens) == (
        "Long shares",
        math.inf,
        500,
        (50.0,),
    )
    short = describe_structure(EquityPosition(id="d", symbol="XYZ", shares=-10, cost_basis=50))
    assert (short.name, short.max_profit, short.max_loss) == ("Short shares", 500, math.inf)


def test_multipliers_of_the_vendor_scale_the_dollars() -> None:
    """A leg's own multiplier replaces the standard one, and legs may differ."""
    vertical = structure("+1 c100, -1 c105", 20)
    assert describe_structure(vertical, [10, 10]).max_profit == pytest.approx(30)
    mini = Position(
        id="m", symbol="XYZ", option_type="call", expiry=DEC, strike=100, contracts=1, cost_basis=2
    )
    assert describe_structure(mini, [10]).max_loss == pytest.approx(20)
    assert describe_structure(mini.model_copy(update={"multiplier": 50.0})).max_loss == pytest.approx(100)
    # Contracts that deliver different amounts do not cancel out.
    assert describe_structure(structure("+1 c100, -1 c100"), [100, 150]).max_loss == math.inf


def test_payoff_of_a_covered_call_by_price() -> None:
    """Below the strike, the shares determine the P/L; above it, the call limits it."""
    payoff = describe_structure(structure("+100 shares, -1 c105", 9_800)).payoff
    assert payoff is not None
    assert payoff.at([0, 98, 105, 200]).tolist() == [-9_800, 0, 700, 700]


LEGS = st.lists(
    st.builds(
        Leg,
        side=st.sampled_from(["long", "short"]),
        option_type=st.sampled_from(["call", "put"]),
        expiry=st.just(DEC),
        strike=st.integers(1, 40).map(lambda n: n * 2.5),
        contracts=st.integers(1, 5),
    ),
    min_size=2,
    max_size=6,
)


@given(LEGS, st.integers(-50_000, 50_000).map(lambda cents: cents / 100))
def test_no_price_gives_more_or_less_than_the_extremes(legs: list[Leg], net_debit: float) -> None:
    """On a grid of prices, the P/L stays within its extremes, reaches them, and is zero at break-evens."""
    position = MultiLegPosition(id="s", symbol="XYZ", legs=legs, net_debit=net_debit)
    found = describe_structure(position)
    assert found.max_profit is not None
    assert found.max_loss is not None
    grid = np.arange(0, 300, 0.5)  # holds every strike
    assert found.payoff is not None
    values = found.payoff.at(grid)
    assert values.max() <= found.max_profit + 1e-6
    assert values.min() >= -found.max_loss - 1e-6
    if math.isfinite(found.max_profit):
        assert values.max() == pytest.approx(found.max_profit)
    if math.isfinite(found.max_loss):
        assert values.min() == pytest.approx(-found.max_loss)
    assert found.payoff.at(found.break_evens) == pytest.approx(0, abs=1e-5)
    crossings = int((np.sign(values[1:]) * np.sign(values[:-1]) < 0).sum())
    assert len(found.break_evens) >= crossings
    assert list(found.break_evens) == sorted(set(found.break_evens))


def test_the_same_strike_under_two_roots_is_not_a_butterfly() -> None:
    """Contracts with different roots are different contracts, even at the same strike."""
    position = structure("+1 c100, -2 c100, +1 c110")
    low, body, high = position.legs
    other = body.model_copy(update={"root": "XYZW"})
    assert describe_structure(position.model_copy(update={"legs": [low, other, high]})).name == "Custom"


@pytest.mark.parametrize(
    ("legs", "units"),
    [
        ("+2 c100, -2 c105", 2),
        ("+2 c100, -4 c105", 2),
        ("+300 shares, -3 c105", 3),
        ("+250 shares, -2 c105", 1),
        ("+100 shares, +200 shares", 1),
    ],
)
def test_units_count_how_many_times_a_structure_is_held(legs: str, units: int) -> None:
    """The units are the greatest common divisor of the contracts; a hundred shares count as one."""
    assert count_units(structure(legs)) == units
