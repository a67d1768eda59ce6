"""Reads all pages of a market data route by following its page tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from options_helper.data.rest.http import Json, Query
from options_helper.errors import AlpacaRestError

_MOST_PAGES = 100  # a request for at most 100 symbols, or 1,000 rows, needs a few


def read_data_pages(get: Callable[[str, Query], Json], path: str, query: Query, name: str) -> Iterator[Json]:
    """Yield one named part of every page.

    Args:
        get: Returns the decoded answer for a path and a query.
        path: The route.
        query: Its parameters, without the page token.
        name: The key of the part that holds the rows.

    Raises:
        AlpacaRestError: A page has an unexpected form, or there are too many pages.
    """
    token: str | None = None
    for _ in range(_MOST_PAGES):
        answer = get(path, query if token is None else {**query, "page_token": token})
        yield part_of(answer, name, path)
        following = answer.get("next_page_token")
        if not isinstance(following, str) or following in {"", token}:
            return
        token = following
    raise AlpacaRestError(path, f"the answer has more than {_MOST_PAGES} pages")


def part_of(answer: Json, name: str, path: str) -> Json:
    """Return an object within an answer; empty if it is null or missing."""
    part = answer.get(name) or {}
    if not isinstance(part, dict):
        raise AlpacaRestError(path, "the answer has an unexpected form")
    return part
