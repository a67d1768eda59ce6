"""The account panel's sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from options_helper.analysis.account.closed_today import ClosedToday
from options_helper.analysis.account.compare import AccountComparison, Agreement, Comparison
from options_helper.analysis.account.day_result import AccountDay
from options_helper.analysis.account.equity import EquityBridge
from options_helper.analysis.text.figures import MINUS, MISSING, format_pnl
from options_helper.analysis.text.order_words import contract_words, plain
from options_helper.analysis.text.wording import count, format_day, join_words

_MOST_NAMES = 3
_NO_CAUSE = "no execution or activity since {day} explains it"


def difference_cells(row: Comparison, history_since: dt.date | None) -> tuple[str, str, str, str, str]:
    """Return a row's cells: contract, quantity in the file, quantity at the broker, agreement, cause."""
    return (
        contract_words(row.symbol),
        _quantity(row.in_file),
        MISSING if row.is_unsure else _quantity(row.at_broker),
        row.agreement.value,
        cause_words(row, history_since),
    )


def cause_words(row: Comparison, history_since: dt.date | None) -> str:
    """Return why a row differs, or that no known change explains it."""
    if row.cause is not None:
        return row.cause.words
    if row.agreement is Agreement.EQUAL:
        return ""
    if row.is_unsure:
        return "the broker's row could not be read"
    if history_since is None:
        return "the account's recent history is incomplete"
    return _NO_CAUSE.format(day=format_day(history_since))


def summary(compared: AccountComparison) -> str:
    """Return the counts, such as `3 of 14 contracts and stocks differ`."""
    number, total = len(compared.differences), len(compared.rows)
    if not total:
        return "nothing to compare"
    apart = f" · {count(compared.left_out, 'position')} excluded" if compared.left_out else ""
    unsure = len(compared.unsure)
    if unsure:
        apart += f" · {unsure:,} unknown because the broker's response could not be read in full"
    if not number and unsure:
        return f"{total - unsure:,} of {total:,} contracts and stocks agree{apart}"
    if not number:
        return f"all {total:,} contracts and stocks agree{apart}"
    return f"{number:,} of {total:,} contracts and stocks differ{apart}"


def note_line(compared: AccountComparison, file_name: str) -> str:
    """Return the note above the totals, or "" if the file and the account agree."""
    number = len(compared.differences)
    if not number:
        return ""
    where = "contract or stock" if number == 1 else "contracts and stocks"
    return f"{file_name} and the broker's account differ in {number:,} {where}: see Account."


def not_held_words(compared: AccountComparison, counted: float) -> str:
    """Return a note about positions that the broker does not hold, or "" if there are none.

    Args:
        compared: The comparison of the file with the account.
        counted: The P/L Open of those positions in dollars, as counted in the totals.
    """
    number = len(compared.not_held)
    if not number:
        return ""
    verb, whose = ("is", "its") if number == 1 else ("are", "their")
    held = f"{count(number, 'position')} {verb} not held at the broker"
    return f"{held}; P/L Open includes {whose} {format_pnl(counted)}"


def bridge_lines(bridge: EquityBridge) -> list[tuple[str, str]]:
    """Return the explanation of the difference in equity as pairs of label and dollars with cents."""
    parts = [
        ("Our marks minus the broker's prices", bridge.marks),
        ("Only in the file", bridge.only_in_file),
        ("Only at the broker", bridge.only_at_broker),
        ("Without a mark here", bridge.unmarked),
        ("Cash in the file minus the broker's", bridge.cash),
        ("Moved between the broker's two responses", bridge.between),
        ("Unexplained", bridge.rest),
    ]
    return [
        ("Portfolio value", cents(bridge.portfolio_value)),
        ("Broker's equity", cents(bridge.equity)),
        ("Difference", cents(bridge.difference, signed=True)),
        *((label, cents(amount, signed=True)) for label, amount in parts),
    ]


def day_words(day: AccountDay | None) -> str:
    """Return a line with the account's result today, its coverage, and the cash moved without a trade."""
    if day is None:
        return f"P/L today {MISSING} until the account's positions and recent history are complete"
    parts = [f"P/L {day.name} {_money(day.known)} at the broker's prices", day_coverage(day)]
    unknown = [contract_words(one.symbol) for one in day.symbols if one.result is None]
    if unknown:
        more = [f"{len(unknown) - _MOST_NAMES:,} more"] if len(unknown) > _MOST_NAMES else []
        parts.append(f"unknown for {join_words([*unknown[:_MOST_NAMES], *more])}")
    if day.cash is None:
        parts.append("fees and deposits unknown")
    if day.cash:
        parts.append(f"includes fees, dividends and interest of {cents(day.cash, signed=True)}")
    if day.deposits:
        parts.append(f"excludes net deposits of {cents(day.deposits, signed=True)}")
    return " · ".join(parts)


def day_coverage(day: AccountDay) -> str:
    """Return the number of symbols covered, such as `11 of 12 contracts and stocks`."""
    total = len(day.symbols)
    words = "contract or stock" if total == 1 else "contracts and stocks"
    return f"{total:,} {words}" if day.covered == total else f"{day.covered:,} of {total:,} {words}"


def closed_lines(closed: Iterable[ClosedToday]) -> list[tuple[str, str, str, str]]:
    """Return the cells of each closed symbol: contract, quantity, P/L at average cost, P/L today."""
    return [
        (contract_words(one.symbol), _quantity(one.quantity), _money(one.realized), _money(one.of_today))
        for one in closed
    ]


def _money(amount: Decimal | None) -> str:
    return MISSING if amount is None else cents(amount, signed=True)


def cents(amount: Decimal, *, signed: bool = False) -> str:
    """Return dollars with cents and a true minus sign, such as `$12,400.00`, or `+$3.10` if signed."""
    rounded = amount.quantize(Decimal("0.01"))
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}${abs(rounded):,}"


def _quantity(value: Decimal | None) -> str:
    if value is None:
        return MISSING
    if not value:
        return "0"
    return f"{MINUS if value < 0 else '+'}{plain(float(abs(value)))}"
