"""The positions that the reader leaves out of curves and scenarios, chosen by name or found by a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import streamlit as st

from apps.streamlit.components.charts.charts import say
from apps.streamlit.components.plain_text import visible
from options_helper.analysis.risk import LiveRisk
from options_helper.analysis.text.wording import count
from options_helper.models import Portfolio

_MOST_LISTED = 100  # positions; longer lists are slow to send, and nobody reads them


def choose_kept(risk: LiveRisk, portfolio: Portfolio, numbers: Sequence[int], key: str) -> list[int]:
    """Draw the choice of positions to leave out, and return the legs of the others."""
    named = _named_positions(risk, portfolio, numbers)
    chosen = st.multiselect(
        "Leave out",
        list(named),
        key=key,
        placeholder="Choose, or type to search",
        help="Leaves out whole positions. What you type is searched for in their ids, tags and contract "
        "symbols. The detail of a position can switch off individual legs.",
        accept_new_options=True,
        filter_mode="contains",
        select_all=False,
    )
    if not chosen:
        return list(numbers)
    out = set[int]()
    for words in chosen:
        found = named[words] if words in named else _search(risk, portfolio, numbers, words)
        if not found:
            say(f"“{visible(words)}” matches no position here.")
        out |= found
    codes = risk.terms.position_codes[list(numbers)].tolist()
    say(f"{len(out):,} of {count(len(set(codes)), 'position')} left out.")
    return [number for number, code in zip(numbers, codes, strict=True) if code not in out]


def _named_positions(risk: LiveRisk, portfolio: Portfolio, numbers: Sequence[int]) -> Mapping[str, set[int]]:
    """Return the positions that each listed name stands for: single positions if few, underlyings and tags.

    Positions are indices in the file.
    """
    codes, firsts = np.unique(risk.terms.position_codes[list(numbers)], return_index=True)
    stocks, tags = dict[str, set[int]](), dict[str, set[int]]()
    for code, first in zip(codes.tolist(), firsts.tolist(), strict=True):
        stocks.setdefault(risk.terms.stocks[numbers[first]], set()).add(code)
        for tag in portfolio.positions[code].tag or ():
            tags.setdefault(tag, set()).add(code)
    few = codes.tolist() if len(codes) <= _MOST_LISTED else []
    several = sorted(stocks) if len(stocks) > 1 else []
    return {
        **{visible(portfolio.positions[code].id): {code} for code in few},
        **{f"All of {stock}": stocks[stock] for stock in several},
        **{visible(f"Tag {tag}"): tags[tag] for tag in sorted(tags)},
    }


def _search(risk: LiveRisk, portfolio: Portfolio, numbers: Iterable[int], words: str) -> set[int]:
    """Return the positions whose id, tags, underlying or contract symbols contain every word."""
    texts = dict[int, list[str]]()
    for number in numbers:
        code = int(risk.terms.position_codes[number])
        position = portfolio.positions[code]
        own = texts.setdefault(code, [position.id, *(position.tag or ())])
        own += (risk.terms.stocks[number], risk.terms.symbols[number])
    wanted = words.casefold().split()
    return {code for code, own in texts.items() if all(word in " ".join(own).casefold() for word in wanted)}
