"""Figures as text, with one writer for each kind of figure.

| kind | writer | example |
| --- | --- | --- |
| price | `format_price`, bare `format_bare_price` | `$23.37`, `23.37` |
| money | `format_pnl`, unsigned `format_dollars` | `+$1,491`, `$51,269` |
| percent | `format_percent` | `+27.2%` |
| quantity | `format_quantity`, unsigned `format_count` | `+1,234,567`, `250.5` |
| strike | `format_strike` | `262.5` |
| time | `wording` | `13:45:10` |
| span | `format_span` | `3 m 12 s` |

All writers use a true minus sign, "—" for a missing figure, and no sign on zero. Halves round away from zero,
as in the browser's table. Money is rounded to cents before it is rounded to dollars, so a row, its group, the
bars and the totals show the same dollars.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

import numpy as np

from options_helper.analysis.arrays.types import Flags, Floats

MISSING = "—"
MINUS = "\N{MINUS SIGN}"

CENT = 0.01
_SMALL_DIGITS = 6  # significant digits of a price below one cent
_SMALL_DECIMALS = 4  # least decimals of such a price
_LEAST_PRICE = 1e-12  # smaller ones are left over from sums of larger ones
_QUANTITY_DECIMALS = 9  # Alpaca's smallest quantity
_STRIKE_DECIMALS = 3
_EXACT = Context(prec=700, rounding=ROUND_HALF_UP)  # room for every float
_FRACTION_DECIMALS = 5  # a fraction is rounded to these before it becomes a percentage
# The limits within which floats round as decimals do.
_CERTAIN, _MOST_FRACTION, _MOST_DECIMALS = 1e9, 1e3, 15
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def round_half_up(value: float, decimals: int) -> float:
    """Round the shortest decimal form of a finite number, halves away from zero: 1.005 becomes 1.01."""
    # Float arithmetic gives the same result at a tenth of the cost, except for large numbers: the larger of
    # two floats is written as the larger decimal, and a quotient of small integers is the float written so.
    size, scale = abs(value), 10**decimals
    if decimals <= _MOST_DECIMALS and size * scale < _CERTAIN:
        whole = math.floor(size * scale)
        return math.copysign((whole + (size >= (whole + 0.5) / scale)) / scale, value)
    return float(_rounded(value, decimals))


def round_half_up_all(values: Floats, decimals: int) -> tuple[Floats, Flags]:
    """Round a column as `round_half_up` does, and return which of its figures are certain to be."""
    sizes, scale = np.abs(values), 10**decimals
    whole = np.floor(sizes * scale)
    rounded = (whole + (sizes >= (whole + 0.5) / scale)) / scale
    is_whole = (sizes < _CERTAIN) & (sizes == np.floor(sizes))  # numbers of contracts, for instance
    return np.where(is_whole, values, np.copysign(rounded, values)), is_whole | (sizes * scale < _CERTAIN)


def round_price_all(values: Floats, decimals: int) -> tuple[Floats, Flags]:
    """Round a column as `round_price` does; return what `round_half_up_all` returns."""
    rounded, certain = round_half_up_all(values, decimals)
    return rounded, certain & ((np.abs(values) >= CENT) | (values == 0))


def round_dollars_all(values: Floats) -> tuple[Floats, Flags]:
    """Round a column as `round_dollars` does; return what `round_half_up_all` returns."""
    cents, certain = round_half_up_all(values, 2)
    dollars, also = round_half_up_all(cents, 0)
    return dollars, certain & also


def round_percent_all(values: Floats, decimals: int = 1) -> tuple[Floats, Flags]:
    """Round a column as `round_percent` does; return what `round_half_up_all` returns."""
    fractions, certain = round_half_up_all(values, _FRACTION_DECIMALS)
    percentages, also = round_half_up_all(np.rint(fractions * 1e5) / 1000, decimals)
    return percentages, certain & also & (np.abs(values) <= _MOST_FRACTION)


def round_price(value: float, decimals: int) -> float:
    """Round a finite price to these decimals, but a price below one cent to six significant digits."""
    return round_half_up(value, max(decimals, price_decimals(value)))


def price_decimals(value: float) -> int:
    """Return a finite price's number of decimals: 2, but below one cent those of six significant digits.

    What is left of a sum of legs that cancel out, such as 3e-17, counts as zero.
    """
    if abs(value) < _LEAST_PRICE or abs(value) >= CENT:
        return 2
    exact = _rounded(value, _SMALL_DIGITS - 1 - math.floor(math.log10(abs(value)))).normalize()
    return max(_SMALL_DECIMALS, -int(exact.as_tuple().exponent))


def format_price(value: float | None) -> str:
    """Return dollars and cents, such as `$23.37`; below one cent six significant digits: `$0.000008765`."""
    if value is None or not math.isfinite(value):
        return MISSING
    number = _rounded(value, price_decimals(value))
    return f"{MINUS if number < 0 else ''}${abs(number):,f}"


def format_bare_price(value: float | None, *, most_decimals: int = 2) -> str:
    """Return a price without its currency, such as `271.53`, or `1.625` with `most_decimals=4`."""
    if value is None or not math.isfinite(value):
        return MISSING
    number = _rounded(value, max(most_decimals, price_decimals(value)))
    whole, _, decimals = f"{abs(number):,f}".partition(".")
    return f"{MINUS if number < 0 else ''}{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def round_dollars(value: float) -> int:
    """Round finite dollars to cents and then to whole dollars."""
    cents = round_half_up(value, 2)
    return int(round_half_up(cents, 0) if abs(cents) < _CERTAIN else _rounded(cents, 0))


def round_percent(value: float, decimals: int = 1) -> float:
    """Return a finite fraction as a rounded percentage: 0.2719 becomes 27.2."""
    if abs(value) > _MOST_FRACTION:
        return float(_percent(value, decimals))
    thousandths = round(round_half_up(value, _FRACTION_DECIMALS) * 1e5)
    return round_half_up(thousandths / 1000, decimals)


def format_pnl(value: float | None) -> str:
    """Return whole dollars with a sign, such as `+$1,491`; `$0` has none."""
    if value is None or not math.isfinite(value):
        return MISSING
    dollars = round_dollars(value)
    return f"{_sign(dollars)}${abs(dollars):,}"


def format_dollars(value: float | None) -> str:
    """Return whole dollars without a plus sign, such as `$51,269`."""
    return format_pnl(value).removeprefix("+")


def format_percent(value: float | None, *, signed: bool = False, decimals: int = 1) -> str:
    """Return a fraction as a percentage, such as `3.0%`, or `+27.2%` if signed."""
    if value is None or not math.isfinite(value):
        return MISSING
    percent = _percent(value, decimals)
    sign = _sign(percent) if signed else (MINUS if percent < 0 else "")
    return f"{sign}{abs(percent):,f}%"


def format_quantity(value: float | None) -> str:
    """Return a signed quantity, such as `+3` or `+1,234,567`, without trailing zeros."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = _trimmed(value, _QUANTITY_DECIMALS)
    return text if text == "0" else f"{_sign(value)}{text}"


def format_count(value: float | None) -> str:
    """Return a quantity without a plus sign, such as `250` or `1,250.5`."""
    text = format_quantity(value)
    return text.removeprefix("+")


@lru_cache(maxsize=4096)  # every refresh formats the same strikes
def format_strike(strike: float) -> str:
    """Return a strike without trailing zeros, such as `250`, `262.5` or `1,250`."""
    return _trimmed(strike, _STRIKE_DECIMALS)


def format_span(seconds: float | None) -> str:
    """Return a span in its two largest units, such as `4 s`, `3 m 12 s`, `2 h 14 m` or `3 d 4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "m", whole % _MINUTE, "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "m")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _percent(value: float, decimals: int) -> Decimal:
    return _rounded(_rounded(value, _FRACTION_DECIMALS) * 100, decimals)


def _rounded(value: float | Decimal, decimals: int) -> Decimal:
    # Use the float's shortest decimal form, not its binary value: 1.005 means 1.005.
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _trimmed(value: float, decimals: int) -> str:
    text = f"{abs(_rounded(value, decimals)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def _sign(value: float | Decimal) -> str:
    return "+" if value > 0 else MINUS if value < 0 else ""
