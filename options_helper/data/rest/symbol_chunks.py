"""Fetches symbols in chunks, so that a symbol that Alpaca refuses does not fail the others."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from options_helper.data.rest.http import Json
from options_helper.errors import AlpacaRestError

logger = logging.getLogger(__name__)

SYMBOLS_PER_CALL = 100
_BAD_SYMBOL = frozenset({400, 404, 422})
_MOST_REFUSED = 8  # consecutive refusals without an answer; then the symbols are not the cause


class SymbolChunks:
    """A fetch in chunks; a symbol that a path refuses while it serves others is not requested again."""

    def __init__(self) -> None:
        self._unknown: defaultdict[str, set[str]] = defaultdict(set)

    def fetch(self, path: str, symbols: Sequence[str], ask: Callable[[Sequence[str]], Json]) -> Json:
        """Fetch chunks of symbols, halving a refused chunk until only the symbol at fault is left.

        Raises:
            AlpacaRestError: No request succeeded, or too many in a row were refused for the symbols to be the
                cause.
        """
        found: Json = {}
        refused: dict[str, AlpacaRestError] = {}
        answered, in_a_row = False, 0
        waiting = _chunks_of([symbol for symbol in symbols if symbol not in self._unknown[path]])
        while waiting:
            some = waiting.pop()
            try:
                found |= ask(some)
            except AlpacaRestError as error:
                if error.status not in _BAD_SYMBOL:
                    raise
                if len(some) > 1:
                    waiting += [some[::2], some[1::2]]  # separates bad symbols that are adjacent
                    continue
                refused[some[0]] = error
                in_a_row += 1
                if in_a_row == _MOST_REFUSED or not (answered or waiting):
                    raise
            else:
                answered, in_a_row = True, 0
        for symbol, reason in refused.items():
            logger.warning("Alpaca does not know %s: %s", symbol, reason)
        self._unknown[path].update(refused)
        return found


def _chunks_of(symbols: Sequence[str]) -> list[Sequence[str]]:
    return [symbols[start : start + SYMBOLS_PER_CALL] for start in range(0, len(symbols), SYMBOLS_PER_CALL)]
