"""Portfolios: the values they hold, and those refused at construction."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position, StockLeg
from options_helper.times import NEW_YORK

DECEMBER = dt.date(2026, 12, 18)
OPTION: dict[str, Any] = {
    "id": "a",
    "symbol": "AAPL",
    "option_type": "call",
    "expiry": DECEMBER,
    "strike": 250,
    "contracts": 1,
    "cost_basis": 3.15,
}
LEG: dict[str, Any] = {"side": "long", "option_type": "put", "expiry": DECEMBER, "strike": 90, "contracts": 2}


def reason(cls: type[Any], fields: dict[str, Any]) -> str:
    """The text of the error that refuses these fields."""
    with pytest.raises(ValidationError) as caught:
        cls(**fields)
    return str(caught.value)


def test_a_file_entry_becomes_a_position() -> None:
    """Text is trimmed, words may have any case, a day is a date, and unknown keys are ignored."""
    position = Position.model_validate(
        OPTION | {"symbol": " brk-b ", "option_type": " CALL", "expiry": "2026-12-18", "risk_profile": "high"}
    )
    assert position == Position(
        id="a",
        symbol="BRK-B",
        option_type="call",
        expiry=DECEMBER,
        strike=250.0,
        contracts=1,
        cost_basis=3.15,
    )
    assert not hasattr(position, "risk_profile")


def test_an_empty_portfolio_has_dollars_and_no_cash() -> None:
    """Every field of the portfolio has a default."""
    assert Portfolio() == Portfolio(base_currency="USD", cash=0.0, positions=[])


def test_a_portfolio_is_frozen() -> None:
    """A loaded portfolio cannot be changed."""
    with pytest.raises(ValidationError, match="frozen"):
        Position(**OPTION).strike = 1.0


@pytest.mark.parametrize(
    "day",
    [DECEMBER, "2026-12-18", " 2026-12-18 ", dt.datetime(2026, 12, 18), "2026-12-18T00:00:00Z"],  # noqa: DTZ001
)
def test_an_expiry_is_a_day(day: object) -> None:
    """A date, its ISO text, and midnight of the day are the same expiry."""
    assert Position(**OPTION | {"expiry": day}).expiry == DECEMBER


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-30",
        "12/18/2026",
        "18 Dec 2026",
        "2026-12",
        "2026-12-18T10:30:00",
        dt.datetime(2026, 12, 18, 16, tzinfo=NEW_YORK),
        1797552000,
        True,
        None,
        "",
        ["2026-12-18"],
    ],
)
def test_an_expiry_must_be_a_day(day: object) -> None:
    """Impossible days, other formats, times of day and numbers are refused."""
    assert "expiry" in reason(Position, OPTION | {"expiry": day})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strike", 0),
        ("strike", -1),
        ("strike", float("nan")),
        ("strike", float("inf")),
        ("strike", "250"),
        ("strike", True),
        ("strike", 1e10),
        ("contracts", 0),
        ("contracts", 1.5),
        ("contracts", True),
        ("contracts", "2"),
        ("contracts", 10**30),
        ("contracts", float("nan")),
        ("cost_basis", -0.01),
        ("cost_basis", float("inf")),
        ("cost_basis", None),
        ("multiplier", 0),
        ("option_type", "straddle"),
        ("option_type", 1),
        ("symbol", ""),
        ("symbol", "   "),
        ("symbol", "A_B"),
        ("symbol", "123"),
        ("symbol", "STRAßE"),
        ("symbol", "A" * 17),
        ("root", "SPX W!"),
        ("id", ""),
        ("id", 7),
        ("id", "x" * 201),
        ("id", "\ud800"),
        ("opened_at", "yesterday"),
        ("opened_at", 17),
        ("opened_at", "2026-02-30"),
    ],
)
def test_bad_terms_are_refused_by_name(field: str, value: object) -> None:
    """Wrong types, zero, NaN and nonsense are refused, and the error names the field."""
    assert field in reason(Position, OPTION | {field: value})


def test_a_short_single_has_negative_contracts() -> None:
    """A single position's sign is in its contracts, and a whole float is accepted."""
    assert Position(**OPTION | {"contracts": -3}).contracts == -3
    assert Position(**OPTION | {"contracts": 2.0}).contracts == 2


def test_a_contract_may_name_its_root_and_multiplier() -> None:
    """Index weeklies and adjusted contracts override the underlying's root and multiplier."""
    position = Position(**OPTION | {"symbol": "SPX", "root": "spxw", "multiplier": 100})
    assert (position.root, position.multiplier) == ("SPXW", 100.0)


@pytest.mark.parametrize(
    ("opened", "kept", "day"),
    [
        (None, None, None),
        ("2026-11-02", dt.date(2026, 11, 2), dt.date(2026, 11, 2)),
        (dt.date(2026, 11, 2), dt.date(2026, 11, 2), dt.date(2026, 11, 2)),
        (
            "2026-11-02T20:30:00",
            dt.datetime(2026, 11, 2, 20, 30, tzinfo=NEW_YORK),
            dt.date(2026, 11, 2),
        ),
        (
            "2026-11-03T01:30:00Z",
            dt.datetime(2026, 11, 3, 1, 30, tzinfo=dt.UTC),
            dt.date(2026, 11, 2),
        ),
    ],
)
def test_opened_at_is_a_day_or_a_time(opened: object, kept: object, day: dt.date | None) -> None:
    """A day stays a day, a time without a zone is New York's, and both have a New York date."""
    position = Position(**OPTION | {"opened_at": opened})
    assert type(position.opened_at) is type(kept)
    assert position.opened_at == kept
    assert position.opened_on == day


@pytest.mark.parametrize(("side", "signed"), [("long", 2), ("SHORT", -2)])
def test_a_leg_is_signed_by_its_side(side: str, signed: int) -> None:
    """A leg's contracts or shares are always positive; its side gives the sign."""
    assert Leg(**LEG | {"side": side}).signed_contracts == signed
    assert StockLeg(side=side, shares=2).signed_shares == signed


@pytest.mark.parametrize("contracts", [0, -1, 1.5, False])
def test_a_leg_has_at_least_one_contract(contracts: object) -> None:
    """A negative or zero leg is refused, because its side gives the sign."""
    assert "contracts" in reason(Leg, LEG | {"contracts": contracts})


def test_a_structure_has_two_legs_or_more() -> None:
    """A structure with one leg is refused."""
    assert "legs" in reason(MultiLegPosition, {"id": "a", "symbol": "AAPL", "legs": [LEG]})


def test_a_structure_may_hold_shares() -> None:
    """Legs are distinguished by their keys, and `option_legs` excludes the shares."""
    call = Leg(**LEG | {"side": "short"})
    covered = MultiLegPosition.model_validate(
        {"id": "cc", "symbol": "AAPL", "legs": [{"side": "long", "shares": 200}, call], "net_debit": -120.5}
    )
    assert covered.legs == [StockLeg(side="long", shares=200), call]
    assert covered.option_legs == [call]
    assert covered.net_debit == -120.5


@pytest.mark.parametrize("shares", [0, float("nan"), "10", True])
def test_shares_are_a_number_other_than_zero(shares: object) -> None:
    """An equity position of zero shares is refused."""
    assert "shares" in reason(EquityPosition, {"id": "a", "symbol": "A", "shares": shares, "cost_basis": 1})


def test_each_kind_of_position_is_recognized_by_its_keys() -> None:
    """Legs make a structure, shares an equity position, anything else a single option."""
    portfolio = Portfolio.model_validate(
        {
            "positions": [
                OPTION,
                {"id": "b", "symbol": "AAPL", "shares": -10.5, "cost_basis": 200},
                {"id": "c", "symbol": "AAPL", "legs": [LEG, LEG]},
            ]
        }
    )
    assert [type(position) for position in portfolio.positions] == [
        Position,
        EquityPosition,
        MultiLegPosition,
    ]
    assert Portfolio(positions=portfolio.positions) == portfolio


def test_errors_concern_only_the_kind_that_was_meant() -> None:
    """A structure with a bad leg causes only errors about structures."""
    with pytest.raises(ValidationError) as caught:
        Portfolio.model_validate({"positions": [{"id": "c", "symbol": "AAPL", "legs": [LEG, {}]}]})
    places = {error["loc"][:3] for error in caught.value.errors()}
    assert places == {("positions", 0, "structure")}


def test_ids_are_unique() -> None:
    """Two positions with the same id are refused, and the error names it."""
    single = Position(**OPTION)
    assert "'a'" in reason(Portfolio, {"positions": [single, single, Position(**OPTION | {"id": "b"})]})
