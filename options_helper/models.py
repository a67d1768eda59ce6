"""The portfolio file's model: a portfolio of single options, shares and multi-leg structures.

Money: `cost_basis` is in dollars per share (an option's premium as quoted), `net_debit` in total dollars
for the whole structure, negative for a credit. Quantities: `contracts` of a single position and `shares`
are signed (negative is short); a leg carries its sign in `side`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from options_helper.times import NEW_YORK, new_york_date

OptionType = Literal["call", "put"]
Side = Literal["long", "short"]

STANDARD_MULTIPLIER = 100.0

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SYMBOL = re.compile(r"[A-Za-z0-9]+(?:[ ./-][A-Za-z0-9]+)*")
_PAIR = re.compile(r"[A-Za-z0-9]+[/-](?:USD|USDT|USDC|BTC|EUR|GBP|JPY)", re.IGNORECASE)
_MOST_DOLLARS = 1e12  # beyond any account; keeps every product of prices and quantities finite


def _number(value: object) -> object:
    """Reject values that pydantic would accept as numbers: true, and "250" in quotes."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("must be a number, without quotes")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("must not be 0; a positive number is long, a negative one short")
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _symbol(value: str) -> str:
    if not _SYMBOL.fullmatch(value) or value.isdigit():
        raise ValueError("must be letters and digits, such as AAPL or BRK-B")
    if _PAIR.fullmatch(value):
        raise ValueError("must be a stock, a fund or an index, not a pair of currencies")
    return value.upper()


def _dollars_only(value: str) -> str:
    if value.upper() != "USD":
        raise ValueError("must be USD; amounts in other currencies are not converted")
    return value.upper()


def _day(value: object) -> dt.date:
    """Return a calendar day; midnight is accepted, because some tools write a day that way."""
    if isinstance(value, str):
        text = value.strip()
        value = dt.date.fromisoformat(text) if _DAY.fullmatch(text) else dt.datetime.fromisoformat(text)
    if isinstance(value, dt.datetime):
        if value.time() != dt.time.min:
            raise ValueError("must be a day without a time")
        return value.date()
    if isinstance(value, dt.date):
        return value
    raise ValueError("must be a day such as 2026-12-18")


def _moment(value: object) -> object:
    """A day stays a day; a time without a zone is New York's."""
    if isinstance(value, str):
        text = value.strip()
        value = dt.date.fromisoformat(text) if _DAY.fullmatch(text) else dt.datetime.fromisoformat(text)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=NEW_YORK)
    if value is None or isinstance(value, dt.date):
        return value
    raise ValueError("must be a day such as 2026-11-02, or a time such as 2026-11-02T10:30:00-05:00")


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Note = Annotated[str, StringConstraints(max_length=2000)]
_Symbol = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=16),
    AfterValidator(_symbol),
]
_Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
_Dollars = Annotated[_Number, Field(ge=-_MOST_DOLLARS, le=_MOST_DOLLARS)]
_Price = Annotated[_Number, Field(ge=0, le=_MOST_DOLLARS)]
_Positive = Annotated[_Number, Field(gt=0, le=1_000_000_000)]
_Quantity = Annotated[_Number, Field(ge=-1_000_000_000, le=1_000_000_000), AfterValidator(_not_zero)]
_Contracts = Annotated[int, BeforeValidator(_number), Field(ge=-1_000_000, le=1_000_000)]
_Day = Annotated[dt.date, BeforeValidator(_day)]
_Moment = Annotated[dt.datetime | dt.date | None, BeforeValidator(_moment)]
_OptionType = Annotated[OptionType, BeforeValidator(_lower)]
_Side = Annotated[Side, BeforeValidator(_lower)]


class _Model(BaseModel):
    """Frozen; unknown keys are kept out of the way, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Owned(_Model):
    """The fields of every position.

    Attributes:
        id: Unique within the portfolio.
        symbol: The underlying (`AAPL`, `BRK-B` or `BRK.B`), or the shares' own symbol.
        opened_at: When it was opened, if known: a day, or a time (in New York time if it names no zone).
    """

    id: _Text
    symbol: _Symbol
    opened_at: _Moment = None
    name: _Note | None = None
    tag: Annotated[list[_Text], Field(max_length=50)] | None = None
    note: _Note | None = None

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
        strike: Dollars, above zero.
        multiplier: Dollars per point of premium if not the standard 100.
        root: The contract's root if not the underlying's own (`SPXW`, `CSGP1`).
    """

    option_type: _OptionType
    expiry: _Day
    strike: _Positive
    multiplier: _Positive | None = None
    root: _Symbol | None = None


class Position(_OptionTerms, _Owned):
    """A single option.

    Attributes:
        contracts: Signed, not zero; negative is a short single.
        cost_basis: Dollars per share paid, or received for a short; never negative.
    """

    contracts: Annotated[_Contracts, AfterValidator(_not_zero)]
    cost_basis: _Price


class EquityPosition(_Owned):
    """Shares of a stock or fund.

    Attributes:
        shares: Signed, not zero; fractions are allowed.
        cost_basis: Dollars per share.
    """

    shares: _Quantity
    cost_basis: _Price


class Leg(_OptionTerms):
    """One option of a structure; `contracts` is above zero, the sign is in `side`."""

    side: _Side
    contracts: Annotated[_Contracts, Field(ge=1)]

    @property
    def signed_contracts(self) -> int:
        """Contracts with the side's sign."""
        return self.contracts if self.side == "long" else -self.contracts


class StockLeg(_Model):
    """The shares of a covered call, a collar or the like; `shares` is above zero, the sign is in `side`."""

    side: _Side
    shares: _Positive

    @property
    def signed_shares(self) -> float:
        """Shares with the side's sign."""
        return self.shares if self.side == "long" else -self.shares


def _has(value: object, field: str) -> bool:
    return field in value if isinstance(value, dict) else hasattr(value, field)


def _kind_of_leg(value: object) -> str:
    return "stock" if _has(value, "shares") else "option"


def _kind_of_position(value: object) -> str:
    if _has(value, "legs"):
        return "structure"
    return "equity" if _has(value, "shares") else "option"


# The kind is read off the keys first, so that an error speaks of the one kind that was meant.
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
    net_debit: _Dollars | None = None

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
    """Everything in the file; ids are unique.

    Attributes:
        cash: Dollars beside the positions, negative for a debt.
    """

    base_currency: Annotated[_Text, AfterValidator(_dollars_only)] = "USD"
    cash: _Dollars = 0.0
    positions: list[AnyPosition] = Field(default_factory=list)

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        counts = Counter(position.id for position in self.positions)
        twice = [repr(name) for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"more than one position has the id {', '.join(twice)}; every id must be unique")
        return self
