"""Figures in words: money, percentages and spans as every part of the product writes them.

A true minus sign, "—" where a figure is missing, and no sign on zero.
"""

from __future__ import annotations

import math

MISSING = "—"
MINUS = "\N{MINUS SIGN}"

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def format_price(value: float | None) -> str:
    """Dollars and cents, `$23.37`, or `$1.18` behind a minus sign; four decimals below a cent."""
    if value is None or not math.isfinite(value):
        return MISSING
    decimals = 4 if 0 < abs(value) < 0.01 else 2  # noqa: PLR2004 - a cent
    return f"{MINUS if round(value, decimals) < 0 else ''}${abs(value):,.{decimals}f}"


def format_pnl(value: float | None) -> str:
    """Whole dollars with a sign, `+$1,491`; `$0` has none."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{_sign(round(value))}${abs(round(value)):,}"


def format_dollars(value: float | None) -> str:
    """Whole dollars without a plus, `$51,269`."""
    return format_pnl(value).removeprefix("+")


def format_percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction as a percentage with one decimal, `3.0%` or, signed, `+27.2%`."""
    if value is None or not math.isfinite(value):
        return MISSING
    rounded = round(value * 100, 1)
    sign = _sign(rounded) if signed else (MINUS if rounded < 0 else "")
    return f"{sign}{abs(rounded):,.1f}%"


def format_quantity(value: float | None) -> str:
    """A signed count, `+3`, with decimals only where there are any."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{_sign(value)}{abs(value):,g}"


def format_span(seconds: float | None) -> str:
    """A span in its largest units: `4 s`, `3 m 12 s`, `2 h 14 m`, `3 d 4 h`."""
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


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def _sign(value: float) -> str:
    return "+" if value > 0 else MINUS if value < 0 else ""
