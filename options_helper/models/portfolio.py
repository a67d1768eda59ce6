"""The model of the portfolio file: single options, shares and multi-leg structures.

Money: `cost_basis` is in dollars per share (an option's premium as quoted), `net_debit` in total dollars
for the whole structure, negative for a credit. Quantities: `contracts` of a single position and `shares`
are signed (negative is short); a leg's `side` gives its sign.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, model_validator

from options_helper.models.fields import (
    AnyCaseOptionType,
    AnyCaseSide,
    Contracts,
    Currency,
    Day,
    Dollars,
    LegContracts,
    Moment,
    NoAccount,
    Note,
    Positive,
    Price,
    Quantity,
    Symbol,
    Text,
)
from options_helper.times import new_york_date

STANDARD_MULTIPLIER = 100.0


class _Model(BaseModel):
    """A frozen model that ignores unknown keys."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Owned(_Model):
    """The fields that every position has.

    Attributes:
        id: Unique within the portfolio.
        symbol: The underlying (`AAPL`, `BRK-B` or `BRK.B`), or the shares' own symbol.
        opened_at: When it was opened, if known: a day, or a time (in New York if it has no zone).
        account: "none" for a position that is not in the broker's account and not compared with it.
        stream: True to stream its prices before others if not all can stream.
    """

    id: Text
    symbol: Symbol
    opened_at: Moment | None = None
    stream: StrictBool | None = None
    name: Note | None = None
    tag: Annotated[list[Text], Field(max_length=50)] | None = None
    note: Note | None = None
    account: NoAccount | None = None

    @property
    def opened_on(self) -> dt.date | None:
        """The New York date of `opened_at`."""
        if isinstance(self.opened_at, dt.datetime):
            return new_york_date(self.opened_at)
        return self.opened_at


class _OptionTerms(_Model):
    """The terms of one contract, shared by single positions and legs.

    Attributes:
        option_type: "call" or "put" (any case in the file).
        expiry: The date in the contract's symbol, a New York date.
        strike: In dollars, above zero.
        multiplier: Dollars per point of premium if not the standard 100.
        root: The contract's root, if it differs from the underlying's (`SPXW`, `CSGP1`).
    """

    option_type: AnyCaseOptionType
    expiry: Day
    strike: Positive
    multiplier: Positive | None = None
    root: Symbol | None = None


class Position(_OptionTerms, _Owned):
    """A single option.

    Attributes:
        contracts: Signed, not zero; negative is short.
        cost_basis: Dollars per share paid, or received for a short; never negative.
    """

    contracts: Contracts
    cost_basis: Price


class EquityPosition(_Owned):
    """Shares of a stock or fund.

    Attributes:
        shares: Signed, not zero; fractions are allowed.
        cost_basis: Dollars per share.
    """

    shares: Quantity
    cost_basis: Price


class Leg(_OptionTerms):
    """One option of a structure; `contracts` is above zero, and `side` gives the sign."""

    side: AnyCaseSide
    contracts: LegContracts

    @property
    def signed_contracts(self) -> int:
        """The contracts with the side's sign."""
        return self.contracts if self.side == "long" else -self.contracts


class StockLeg(_Model):
    """The shares of a covered call or a collar; `shares` is above zero, and `side` gives the sign."""

    side: AnyCaseSide
    shares: Positive

    @property
    def signed_shares(self) -> float:
        """The shares with the side's sign."""
        return self.shares if self.side == "long" else -self.shares


def _has(value: object, field: str) -> bool:
    return field in value if isinstance(value, dict) else hasattr(value, field)


def _kind_of_leg(value: object) -> str:
    return "stock" if _has(value, "shares") else "option"


def _kind_of_position(value: object) -> str:
    if _has(value, "legs"):
        return "structure"
    return "equity" if _has(value, "shares") else "option"


# The kind is determined from the keys first, so that an error refers only to the intended kind.
AnyLeg = Annotated[
    Annotated[Leg, Tag("option")] | Annotated[StockLeg, Tag("stock")], Discriminator(_kind_of_leg)
]


class MultiLegPosition(_Owned):
    """A structure of two or more legs on one underlying.

    Attributes:
        legs: Options, and shares of the underlying.
        net_debit: Total dollars paid for the whole structure, negative for a credit, None if unknown.
    """

    legs: Annotated[list[AnyLeg], Field(min_length=2, max_length=100)]
    net_debit: Dollars | None = None

    @property
    def option_legs(self) -> list[Leg]:
        """The legs that are options."""
        return [leg for leg in self.legs if isinstance(leg, Leg)]


AnyPosition = Annotated[
    Annotated[Position, Tag("option")]
    | Annotated[MultiLegPosition, Tag("structure")]
    | Annotated[EquityPosition, Tag("equity")],
    Discriminator(_kind_of_position),
]


class Portfolio(_Model):
    """The whole portfolio; ids are unique.

    Attributes:
        cash: Cash in dollars, negative for a debt.
        account: "none" if nothing in the file is in the broker's account or compared with it.
    """

    base_currency: Currency = "USD"
    cash: Dollars = 0.0
    account: NoAccount | None = None
    positions: list[AnyPosition] = Field(default_factory=list)

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        counts = Counter(position.id for position in self.positions)
        twice = [repr(name) for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"more than one position has the id {', '.join(twice)}; every id must be unique")
        return self
