"""The warnings of a row, with a sentence and a bit for each.

Rows are computed many at a time, so a row's warnings are one integer (bit n is the n-th member) until the
table is built. The few words below a row's name are in `components/positions/table/row_words.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from options_helper.analysis.arrays.types import Flags, Numbers, Objects


class RowWarning(StrEnum):
    """A warning of a row: the table contains the value, the page shows the `sentence`."""

    EXPIRED = "expired"
    SETTLED_AT_CLOSE = "settled_at_close"
    SETTLED_AT_SPOT = "settled_at_spot"
    SETTLEMENT_UNKNOWN = "settlement_unknown"
    NOT_SUBSCRIBED = "not_subscribed"
    NO_CONTRACT_SYMBOL = "no_contract_symbol"
    ADJUSTED_CONTRACT = "adjusted_contract"
    HALTED = "halted"
    MISSING_QUOTE = "missing_quote"
    MISSING_BID = "missing_bid"
    MISSING_ASK = "missing_ask"
    ZERO_BID = "zero_bid"
    CROSSED = "crossed"
    STUB_QUOTE = "stub_quote"
    OUTSIDE_SESSION = "outside_session"
    WIDE_SPREAD = "wide_spread"
    LAST_TRADE_MARK = "last_trade_mark"
    STALE_QUOTE = "stale_quote"
    UNKNOWN_AGE = "unknown_age"
    CLOCK_SKEW = "clock_skew"
    PREVIOUS_CLOSE_OLD = "previous_close_old"
    PREVIOUS_CLOSE_EARLY = "previous_close_early"
    PREVIOUS_CLOSE_JUMP = "previous_close_jump"
    EX_DIVIDEND = "ex_dividend"
    MISSING_LEG = "missing_leg"
    MISSING_NET_DEBIT = "missing_net_debit"
    MIXED_AGES = "mixed_ages"
    DOUBTFUL_ENTRY = "doubtful_entry"
    BROKER_DIFFERS = "broker_differs"

    @property
    def sentence(self) -> str:
        """The warning as a sentence for the page."""
        return _SENTENCES[self]

    @property
    def bit(self) -> int:
        """The bit that represents this warning."""
        return _BITS[self]


_SENTENCES = {
    RowWarning.EXPIRED: "This contract has expired. It counts in the totals until it leaves the file.",
    RowWarning.SETTLED_AT_CLOSE: "Provisionally settled at the underlying's official close.",
    RowWarning.SETTLED_AT_SPOT: "Provisionally settled at the underlying's last price.",
    RowWarning.SETTLEMENT_UNKNOWN: "The settlement is unknown, so the totals are incomplete.",
    RowWarning.NOT_SUBSCRIBED: "The running streams do not include this symbol.",
    RowWarning.NO_CONTRACT_SYMBOL: "No contract symbol can express these terms, so there is no quote.",
    RowWarning.ADJUSTED_CONTRACT: (
        "Adjusted contract: deliverable unknown. "
        "The multiplier is used only if your file or Alpaca provides it."
    ),
    RowWarning.HALTED: "Trading is halted.",
    RowWarning.MISSING_QUOTE: "No quote has been received.",
    RowWarning.MISSING_BID: "The quote has no bid, so there is no mark.",
    RowWarning.MISSING_ASK: "The quote has no ask, so there is no mark.",
    RowWarning.ZERO_BID: "No bid. Marked at half the ask if the ask is $0.20 or less; otherwise no mark.",
    RowWarning.CROSSED: "The bid is above the ask, so there is no mark.",
    RowWarning.STUB_QUOTE: "The bid and ask are placeholders, too far apart for a mark.",
    RowWarning.OUTSIDE_SESSION: (
        "The quote's date has no session, as with a test price, so there is no mark."
    ),
    RowWarning.WIDE_SPREAD: (
        "The spread is wider than 25 % of the middle (1 % for shares); a fill may be far from the mark."
    ),
    RowWarning.LAST_TRADE_MARK: "The mark is the last trade, not a quote.",
    RowWarning.STALE_QUOTE: "The price is older than the threshold, or its age is unknown.",
    RowWarning.UNKNOWN_AGE: "The price has no usable time, so its age is unknown.",
    RowWarning.CLOCK_SKEW: "The price is dated in the future: this computer's clock is behind.",
    RowWarning.PREVIOUS_CLOSE_OLD: "The previous close is from an older day, so P/L Day is withheld.",
    RowWarning.PREVIOUS_CLOSE_EARLY: (
        "The previous close is a trade from before the session's last half hour, so P/L Day is withheld."
    ),
    RowWarning.PREVIOUS_CLOSE_JUMP: (
        "Since its previous close, the underlying has split, paid a stock dividend, spun off a company "
        "or moved more than 60 %, so P/L Day is withheld."
    ),
    RowWarning.EX_DIVIDEND: (
        "Ex-dividend today: P/L Day counts from the previous close, so it includes the dividend as a loss "
        "for a long position and a gain for a short one."
    ),
    RowWarning.MISSING_LEG: "At least one leg has no mark, so the structure has none.",
    RowWarning.MISSING_NET_DEBIT: "The portfolio file has no net_debit, so there is no P/L.",
    RowWarning.MIXED_AGES: "The legs' quotes are too far apart in time to compare.",
    RowWarning.BROKER_DIFFERS: "The broker's quantity differs from the file's.",
    RowWarning.DOUBTFUL_ENTRY: "The file's entry is valid, but something else was probably meant.",
}
_BITS = {warning: 1 << number for number, warning in enumerate(RowWarning)}
_words_by_bits: dict[int, tuple[str, ...]] = {0: ()}


def flag(mask: Flags, warning: RowWarning) -> Numbers:
    """Return a warning's bit for each row in the mask, and 0 for the others."""
    return np.multiply(mask, warning.bit, dtype=np.int64)


def to_bits(warnings: Iterable[str]) -> int:
    """Return warnings as one integer."""
    bits = 0
    for warning in warnings:
        bits |= RowWarning(warning).bit
    return bits


def to_words(bits: int) -> tuple[str, ...]:
    """Return the values of the warnings in an integer, in the enum's order."""
    words = _words_by_bits.get(bits)
    if words is None:
        words = tuple(str(warning.value) for warning in RowWarning if bits & warning.bit)
        _words_by_bits[bits] = words
    return words


def to_tuples(bits: Numbers) -> Objects:
    """Return a column of tuples of values; rows with the same warnings share a tuple."""
    rows = bits.tolist()
    words = {each: to_words(each) for each in set(rows)}  # there are many rows but few combinations
    return np.fromiter(map(words.__getitem__, rows), dtype=object, count=len(rows))


def to_lists(bits: Numbers) -> Objects:
    """Return a column of lists of values, with a separate list for each row."""
    rows = bits.tolist()
    words = {each: list(to_words(each)) for each in set(rows)}
    return np.fromiter([words[each].copy() for each in rows], dtype=object, count=len(rows))


def sentences(warnings: Iterable[str]) -> list[str]:
    """Return the sentence of each warning; other words are returned unchanged."""
    known = RowWarning._value2member_map_
    return [RowWarning(word).sentence if word in known else word for word in warnings]
