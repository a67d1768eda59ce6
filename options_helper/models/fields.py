"""The types of a portfolio file's fields, each with its JSON Schema."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from options_helper.times import NEW_YORK

OptionType = Literal["call", "put"]
Side = Literal["long", "short"]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SYMBOL = re.compile(r"[A-Za-z0-9]+(?:[ ./-][A-Za-z0-9]+)*")
# No stock has six letters, so BTCUSD is a pair too; USD alone is a fund.
_CURRENCIES = ("usd", "usdt", "usdc", "btc", "eth", "eur", "gbp", "jpy", "chf", "aud", "cad")
_PAIR = re.compile(
    rf"[A-Za-z0-9]+[/.-](?:{'|'.join(_CURRENCIES)})|[A-Za-z]{{3,}}USD[TC]?"
    r"|(?:USD|EUR|GBP|AUD|BTC|ETH)(?:JPY|CHF|CAD|EUR|GBP|AUD|BTC)",
    re.IGNORECASE,
)
# Larger than in any account; these limits keep every product of prices and quantities finite.
_MOST_DOLLARS = 1e12
_MOST_UNITS = 1_000_000_000
_MOST_CONTRACTS = 1_000_000


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
    """Return a calendar day; midnight is accepted, because some tools write days that way."""
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


def _time_or_date(value: object) -> object:
    """Return a day or a time; a time without a zone is New York's."""
    if isinstance(value, str):
        text = value.strip()
        value = dt.date.fromisoformat(text) if _DAY.fullmatch(text) else dt.datetime.fromisoformat(text)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=NEW_YORK)
    if value is None or isinstance(value, dt.date):
        return value
    raise ValueError("must be a day such as 2026-11-02, or a time such as 2026-11-02T10:30:00-05:00")


def _any_case(*words: str) -> str:
    """Return a regular expression for words in any case, without flags, which JSON Schema lacks."""
    return "|".join(
        "".join(f"[{one.upper()}{one.lower()}]" if one.isalpha() else one for one in word) for word in words
    )


# JSON Schema cannot contain validators, which are functions; each schema expresses the same rule if it can.
_DAY_SCHEMA = (
    "[0-9]{4}-("
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
)
_ZONE_SCHEMA = "(Z|[+-][0-9]{2}:[0-9]{2})?"
_TIME_SCHEMA = rf"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?{_ZONE_SCHEMA}"
_PAIR_SCHEMA = (
    rf"([A-Za-z0-9]+[/.-]({_any_case(*_CURRENCIES)})"
    r"|[A-Za-z]{3,}[Uu][Ss][Dd][TtCc]?"
    rf"|({_any_case('usd', 'eur', 'gbp', 'aud', 'btc', 'eth')})"
    rf"({_any_case('jpy', 'chf', 'cad', 'eur', 'gbp', 'aud', 'btc')}))\s*$"
)


def _text_schema(pattern: str, longest: int | None = None) -> WithJsonSchema:
    limit = {} if longest is None else {"maxLength": longest}
    return WithJsonSchema({"type": "string", "pattern": pattern, **limit})


def _word_schema(*words: str) -> WithJsonSchema:
    """Return a schema for words in any case, with the lower-case ones for an editor to complete."""
    spelled = {"type": "string", "pattern": rf"^\s*({_any_case(*words)})\s*$"}
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, spelled]})


def _number_schema(kind: str = "number", **limits: float) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **limits})


def _quantity_schema(kind: str, most: float) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "minimum": -most, "maximum": most, "not": {"const": 0}})


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    _text_schema(r"\S", 200),
]
Note = Annotated[str, StringConstraints(max_length=2000)]
Symbol = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=16),
    AfterValidator(_symbol),
    _text_schema(rf"^\s*(?![0-9]+\s*$)(?!{_PAIR_SCHEMA})[A-Za-z0-9]+([ ./-][A-Za-z0-9]+)*\s*$", 16),
]
_Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Dollars = Annotated[
    _Number,
    Field(ge=-_MOST_DOLLARS, le=_MOST_DOLLARS),
    _number_schema(minimum=-_MOST_DOLLARS, maximum=_MOST_DOLLARS),
]
Price = Annotated[_Number, Field(ge=0, le=_MOST_DOLLARS), _number_schema(minimum=0, maximum=_MOST_DOLLARS)]
Positive = Annotated[
    _Number, Field(gt=0, le=_MOST_UNITS), _number_schema(exclusiveMinimum=0, maximum=_MOST_UNITS)
]
Quantity = Annotated[
    _Number,
    Field(ge=-_MOST_UNITS, le=_MOST_UNITS),
    AfterValidator(_not_zero),
    _quantity_schema("number", _MOST_UNITS),
]
_WholeNumber = Annotated[int, BeforeValidator(_number)]
Contracts = Annotated[
    _WholeNumber,
    Field(ge=-_MOST_CONTRACTS, le=_MOST_CONTRACTS),
    AfterValidator(_not_zero),
    _quantity_schema("integer", _MOST_CONTRACTS),
]
LegContracts = Annotated[
    _WholeNumber,
    Field(ge=1, le=_MOST_CONTRACTS),
    _number_schema("integer", minimum=1, maximum=_MOST_CONTRACTS),
]
Currency = Annotated[Text, AfterValidator(_dollars_only), _word_schema("USD")]
Day = Annotated[
    dt.date,
    BeforeValidator(_day),
    _text_schema(rf"^\s*{_DAY_SCHEMA}([T ]00:00(:00([.]0+)?)?{_ZONE_SCHEMA})?\s*$"),
]
Moment = Annotated[
    dt.datetime | dt.date,
    BeforeValidator(_time_or_date),
    _text_schema(rf"^\s*{_DAY_SCHEMA}({_TIME_SCHEMA})?\s*$"),
]
AnyCaseOptionType = Annotated[OptionType, BeforeValidator(_lower), _word_schema("call", "put")]
AnyCaseSide = Annotated[Side, BeforeValidator(_lower), _word_schema("long", "short")]
NoAccount = Annotated[Literal["none"], BeforeValidator(_lower), _word_schema("none")]
