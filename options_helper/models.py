"""What you own: a portfolio of single options, shares and multi-leg structures.

Money: `cost_basis` is in dollars per share (an option's premium as quoted), `net_debit` in total dollars
for the whole structure, negative for a credit. Quantities: `contracts` of a single position and `shares`
are signed (negative is short); a leg carries its sign in `side`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

OptionType = Literal["call", "put"]
Side = Literal["long", "short"]

STANDARD_MULTIPLIER = 100.0

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Symbol = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=16)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class _Model(BaseModel):
    """Frozen; unknown keys are kept out of the way, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _OptionTerms(_Model):
    """The terms of one contract, shared by single positions and legs.

    Attributes:
        option_type: "call" or "put" (any case in the file).
        expiry: The last trading day, a New York date.
        strike: Dollars, above zero.
        multiplier: Dollars per point of premium where it is not the standard 100.
        root: The contract's root where it is not the underlying's own (`SPXW`, `CSGP1`).
    """

    option_type: OptionType
    expiry: dt.date
    strike: _Positive
    multiplier: _Positive | None = None
    root: _Symbol | None = None

    @field_validator("option_type", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value


def _refuse_zero(value: int) -> int:
    if value == 0:
        raise ValueError("must not be 0; a positive number is long, a negative one short")
    return value


class Position(_OptionTerms):
    """A single option.

    Attributes:
        id: Unique within the portfolio.
        symbol: The underlying (`AAPL`, `BRK-B` or `BRK.B`).
        contracts: Signed, not zero; negative is a short single.
        cost_basis: Dollars per share paid, or received for a short; never negative.
        opened_at: When it was opened, if known.
    """

    id: _Text
    symbol: _Symbol
    contracts: _Count
    cost_basis: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    opened_at: dt.datetime | dt.date | None = None

    _contracts = field_validator("contracts")(_refuse_zero)


class EquityPosition(_Model):
    """Shares of a stock or fund.

    Attributes:
        shares: Signed, not zero; fractions are allowed.
        cost_basis: Dollars per share.
    """

    id: _Text
    symbol: _Symbol
    shares: _Finite
    cost_basis: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    opened_at: dt.datetime | dt.date | None = None

    @field_validator("shares")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if value == 0:
            raise ValueError("must not be 0; a positive number is long, a negative one short")
        return value


class Leg(_OptionTerms):
    """One option of a structure; `contracts` is above zero, the sign is in `side`."""

    side: Side
    contracts: Annotated[int, Field(ge=1, le=1_000_000)]

    @field_validator("side", mode="before")
    @classmethod
    def _lower_side(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @property
    def signed_contracts(self) -> int:
        """Contracts with the side's sign."""
        return self.contracts if self.side == "long" else -self.contracts


class StockLeg(_Model):
    """The shares of a covered call, a collar or the like; `shares` is above zero, the sign is in `side`."""

    side: Side
    shares: _Positive

    @field_validator("side", mode="before")
    @classmethod
    def _lower_side(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @property
    def signed_shares(self) -> float:
        """Shares with the side's sign."""
        return self.shares if self.side == "long" else -self.shares


class MultiLegPosition(_Model):
    """A structure of two or more legs on one underlying.

    Attributes:
        net_debit: Total dollars paid for the whole structure, negative for a credit, None if unknown.
    """

    id: _Text
    symbol: _Symbol
    legs: Annotated[list[Leg | StockLeg], Field(min_length=2, max_length=100)]
    net_debit: _Finite | None = None
    opened_at: dt.datetime | dt.date | None = None

    @property
    def option_legs(self) -> list[Leg]:
        """The legs that are options."""
        return [leg for leg in self.legs if isinstance(leg, Leg)]


class Portfolio(_Model):
    """Everything in the file; ids are unique."""

    base_currency: str = "USD"
    cash: _Finite = 0.0
    positions: list[Position | MultiLegPosition | EquityPosition] = Field(default_factory=list)

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        seen: set[str] = set()
        for position in self.positions:
            if position.id in seen:
                raise ValueError(f"two positions have the id {position.id!r}; every id must be unique")
            seen.add(position.id)
        return self
