"""Rows in words: the names of positions, legs and groups, and short forms of their warnings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from apps.streamlit.components.positions.table.records import Record
from options_helper.analysis.text.figures import MINUS, format_bare_price, format_percent, format_strike
from options_helper.analysis.text.wording import format_day
from options_helper.analysis.valuation.quote_state import QuoteState
from options_helper.analysis.valuation.row_warnings import RowWarning, sentences
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Position, StockLeg

STATE_WORDS = {
    QuoteState.LIVE: "\N{BLACK CIRCLE} live",
    QuoteState.QUIET: "\N{CIRCLE WITH LEFT HALF BLACK} quiet",
    QuoteState.STALE: "\N{BLACK UP-POINTING TRIANGLE} stale",
    QuoteState.FROM_YESTERDAY: "\N{WHITE UP-POINTING TRIANGLE} from yesterday",
    QuoteState.CLOSED: "\N{LAST QUARTER MOON} closed",
    QuoteState.EXPIRED: "\N{MULTIPLICATION X} expired",
    QuoteState.NO_DATA: "\N{WHITE CIRCLE} no data",
    QuoteState.NOT_SUBSCRIBED: "\N{CIRCLED DIVISION SLASH} not subscribed",
    QuoteState.HALTED: "\N{CIRCLED DIVISION SLASH} halted",
}
AGED_STATES = frozenset({QuoteState.LIVE, QuoteState.QUIET, QuoteState.STALE, QuoteState.FROM_YESTERDAY})

_UP, _DOWN, _SAME = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}", "="
_NO_CHANGE = "0.00%"
# Beyond this many days to expiry, "18 Dec" could be mistaken for another year's.
_YEAR_IS_CLEAR_DAYS = 330

_FEW_WORDS = {
    RowWarning.SETTLED_AT_CLOSE: "provisional, at the close",
    RowWarning.SETTLED_AT_SPOT: "provisional, at the last price",
    RowWarning.SETTLEMENT_UNKNOWN: "settlement unknown",
    RowWarning.NO_CONTRACT_SYMBOL: "no contract symbol",
    RowWarning.ADJUSTED_CONTRACT: "adjusted contract",
    RowWarning.MISSING_BID: "no bid",
    RowWarning.MISSING_ASK: "no ask",
    RowWarning.ZERO_BID: "nobody bids",
    RowWarning.CROSSED: "bid above ask",
    RowWarning.STUB_QUOTE: "placeholder quote",
    RowWarning.OUTSIDE_SESSION: "quote outside any session",
    RowWarning.WIDE_SPREAD: "wide spread",
    RowWarning.LAST_TRADE_MARK: "mark is the last trade",
    RowWarning.UNKNOWN_AGE: "age unknown",
    RowWarning.CLOCK_SKEW: "clock is behind",
    RowWarning.PREVIOUS_CLOSE_OLD: "P/L Day withheld",
    RowWarning.PREVIOUS_CLOSE_EARLY: "P/L Day withheld, early close",
    RowWarning.PREVIOUS_CLOSE_JUMP: "P/L Day withheld, split?",
    RowWarning.EX_DIVIDEND: "ex-dividend",
    RowWarning.MISSING_LEG: "leg without a mark",
    RowWarning.MISSING_NET_DEBIT: "no net_debit in the file",
    RowWarning.MIXED_AGES: "legs of mixed ages",
    RowWarning.DOUBTFUL_ENTRY: "check the file",
}
# Not repeated below a row's name: states that the Quote column shows with a sign of their own, a difference
# that the row's note gives in figures, and a warning that most structures would carry.
# The end of a note that the row's detail continues.
MORE = "\N{NO-BREAK SPACE}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"

_SAID_BY_STATE = frozenset(
    {
        RowWarning.EXPIRED,
        RowWarning.NOT_SUBSCRIBED,
        RowWarning.HALTED,
        RowWarning.MISSING_QUOTE,
        RowWarning.STALE_QUOTE,
        RowWarning.BROKER_DIFFERS,
        RowWarning.MIXED_AGES,
    }
)


def name_of(position: Position | EquityPosition | MultiLegPosition, structure_name: str | None) -> str:
    """Return a position's name: `250 call`, `Shares`, `Credit iron condor`."""
    match position:
        case Position():
            return f"{format_strike(position.strike)} {position.option_type}"
        case EquityPosition():
            return "Shares"
        case _:
            return structure_name or "Structure"


def terms_of(position: Position | EquityPosition | MultiLegPosition, *, days: float | None) -> str:
    """Return a position's terms: `18 Dec 2026`, or `18 Dec / 15 Jan · 500` for a structure; "" for shares."""
    match position:
        case Position():
            return format_day(position.expiry)
        case EquityPosition():
            return ""
    with_year = is_far(days)
    legs = position.option_legs
    expiries = sorted({leg.expiry for leg in legs})
    strikes = sorted({leg.strike for leg in legs})
    return " · ".join(
        [
            " / ".join(format_day(expiry, with_year=with_year) for expiry in expiries),
            "/".join(format_strike(strike) for strike in strikes),
        ]
    )


def is_far(days: float | None) -> bool:
    """Return whether an expiry in this many days needs its year."""
    return days is not None and days > _YEAR_IS_CLEAR_DAYS


def name_of_leg(leg: Leg | StockLeg, *, with_expiry: bool) -> str:
    """Return a leg's name: `short 260 put`, `short 260 put · 18 Dec` with the expiry, `long shares`."""
    if not isinstance(leg, Leg):
        return f"{leg.side} shares"
    day = f" · {format_day(leg.expiry, with_year=False)}" if with_expiry else ""
    return f"{leg.side} {format_strike(leg.strike)} {leg.option_type}{day}"


def describe_price(price: float | None, change: float | None) -> str:
    """Return an underlying's price and its change since the previous close, `271.53 ▲ 0.62%`."""
    if price is None or change is None:
        return format_bare_price(price)
    percent = format_percent(change, decimals=2)
    sign = _SAME if percent == _NO_CHANGE else _UP if change > 0 else _DOWN
    return f"{format_bare_price(price)} {sign} {percent.removeprefix(MINUS)}"


def split_warnings(codes: Iterable[str], sources: Sequence[Record]) -> tuple[list[str], list[str]]:
    """Split a row's warnings into those shown below its name and those that its state already expresses.

    Args:
        codes: The row's warnings.
        sources: The row and, for a structure, its legs. They supply the details that are added to a code: the
            date of an old close, `previous_close_old:2026-11-18`, and the sentences about a doubtful entry.
    """
    by_state = _SAID_BY_STATE | ({RowWarning.MISSING_LEG} if _nothing_known(sources) else set())
    codes = [detailed for code in codes for detailed in _with_details(code, sources)]
    return [code for code in codes if code not in by_state], [code for code in codes if code in by_state]


def _nothing_known(sources: Sequence[Record]) -> bool:
    """Return whether neither the row nor any leg has a price, so that "no data" says it all."""
    return all(each.get("state") == "no_data" and each.get("mark") is None for each in sources)


def _with_details(code: str, sources: Sequence[Record]) -> list[str]:
    if code == RowWarning.DOUBTFUL_ENTRY:
        doubts = dict.fromkeys(doubt for each in sources for doubt in each.get("doubts") or ())
        sentences_of_all = " ".join(f"{doubt[:1].upper()}{doubt[1:].removesuffix('.')}." for doubt in doubts)
        return [f"{code}:{sentences_of_all}" if doubts else code]
    if code != RowWarning.PREVIOUS_CLOSE_OLD:
        return [code]
    known = [each for each in sources if code in (each.get("warnings") or [])]
    days = [each["previous_close_date"] for each in known if each.get("previous_close_date") is not None]
    return [f"{code}:{min(days)}" if days else code]


def warning_words(codes: Iterable[str]) -> dict[str, list[str]]:
    """Return each code's short form and whole sentence, with the day if the code has one."""
    return {code: _words(code) for code in sorted(set(codes))}


def _words(code: str) -> list[str]:
    name, _, detail = code.partition(":")
    few: dict[str, str] = {str(each): words for each, words in _FEW_WORDS.items()}
    short, sentence = few.get(name, name.replace("_", " ")), sentences([name])[0]
    if not detail:
        return [short, sentence]
    if name == RowWarning.DOUBTFUL_ENTRY:
        return [short, f"{sentence} {detail}"]
    date = dt.date.fromisoformat(detail)
    return [
        f"{short}, close from {format_day(date, with_year=False)}",
        f"{sentence} The close is from {format_day(date)}.",
    ]
