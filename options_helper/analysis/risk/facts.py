"""Facts about early exercise, assignment and a leg's last day, without advice.

From about 15:15 New York time on the last day, Alpaca may close positions that the account cannot exercise.
Source: Alpaca's help page on the expiry of options.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from options_helper.analysis.risk.live_risk import LiveRisk
from options_helper.analysis.text.figures import format_count, format_price
from options_helper.analysis.text.wording import format_day
from options_helper.times import NEW_YORK, new_york_date, to_microseconds

SMALL_EXTRINSIC = 0.05
_DEADLINE = dt.time(15, 15)


def find_facts(risk: LiveRisk, number: int) -> Iterator[str]:
    """Yield the facts about one leg as sentences."""
    terms, prices = risk.terms, risk.prices
    if terms.is_stock[number] or prices.expired[number]:
        return
    extrinsic = float(risk.legs["extrinsic"].iloc[number])
    is_short, is_american = terms.quantity[number] < 0, not terms.european[number]
    inside = float(risk.legs["moneyness"].iloc[number])
    if is_short and is_american and not terms.is_put[number]:
        yield from _dividend_facts(risk, number, extrinsic, inside)
        yield from _cover_facts(risk, number)
    if is_short and extrinsic < SMALL_EXTRINSIC:
        yield f"{_extrinsic_words(risk, number, extrinsic, inside)}."
    yield from _last_day_facts(risk, number)


def _dividend_facts(risk: LiveRisk, number: int, extrinsic: float, inside: float) -> Iterator[str]:
    """Yield a sentence about the next dividend that exceeds the call's extrinsic value."""
    stock, today = risk.terms.stocks[number], new_york_date(risk.at.as_of)
    last = dt.date.fromordinal(int(risk.terms.expiry_days[number]))
    for each in sorted(risk.at.dividends or (), key=lambda one: one.ex_date):
        if (
            each.symbol == stock
            and today < each.ex_date <= last
            and inside > 0
            and extrinsic < float(each.amount)
        ):
            words = _extrinsic_words(risk, number, extrinsic, inside)
            amount, day = format_price(float(each.amount)), format_day(each.ex_date)
            yield f"{words}, less than the dividend of {amount}; ex-date {day}."
            return


def _extrinsic_words(risk: LiveRisk, number: int, extrinsic: float, inside: float) -> str:
    side = "in" if inside > 0 else "out of"
    held = f"{risk.terms.symbols[number]} is short and {side} the money"
    return f"{held}, with {format_price(max(extrinsic, 0.0))} of extrinsic value"


def _cover_facts(risk: LiveRisk, number: int) -> Iterator[str]:
    """Yield a sentence about the shares in the same position that cover a short call."""
    terms, prices = risk.terms, risk.prices
    together = terms.position_codes == terms.position_codes[number]
    shares = float(np.sum(prices.scale[together & terms.is_stock]))
    calls = together & ~terms.is_stock & ~terms.is_put & (prices.scale < 0)
    taken = -float(np.sum(prices.scale[:number][calls[:number]]))  # each share covers one call only
    if shares > 0 and not terms.adjusted[number]:
        needed, shares = abs(float(prices.scale[number])), max(shares - taken, 0.0)
        covered = f"{format_count(min(shares, needed))} of {format_count(needed)} shares"
        yield f"{covered} that {terms.symbols[number]} would deliver are held in the same position."


def _last_day_facts(risk: LiveRisk, number: int) -> Iterator[str]:
    now = risk.at.as_of.astimezone(NEW_YORK)
    if now.date().toordinal() != risk.terms.expiry_days[number]:
        return
    deadline = dt.datetime.combine(now.date(), _DEADLINE, NEW_YORK)
    if risk.prices.expires_at[number] <= to_microseconds(deadline):
        return  # settled at the open, or an early close
    passed = ", which has passed" if now.time() >= _DEADLINE else ""
    yield f"Last day: Alpaca may close the position from about 15:15 New York time{passed}."
