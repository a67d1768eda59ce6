"""Symbols that Alpaca refuses are found and left out; the others are answered."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from options_helper.errors import AlpacaRestError
from tests.data.rest.served import connect


def test_one_unknown_symbol_does_not_lose_the_others() -> None:
    """A refused chunk is halved until the symbol at fault is alone and left out."""

    def answer(request: httpx.Request) -> httpx.Response:
        symbols = request.url.params["symbols"].split(",")
        if "BAD" in symbols:
            return httpx.Response(400, json={"message": "invalid symbol: BAD"})
        return httpx.Response(200, json={name: {} for name in symbols})

    rest, server, _ = connect(answer)
    symbols = [*(f"A{number}" for number in range(60)), "BAD", *(f"B{number}" for number in range(60))]
    assert set(rest.stock_snapshots(symbols, "iex")) == set(symbols) - {"BAD"}
    assert len(server.requests) < 20


def knowing(bad: set[str]) -> Callable[[httpx.Request], httpx.Response]:
    """A server that refuses each request for a bad symbol; `bad` may change."""

    def answer(request: httpx.Request) -> httpx.Response:
        symbols = request.url.params["symbols"].split(",")
        if bad.intersection(symbols):
            return httpx.Response(400, json={"message": "invalid symbol"})
        return httpx.Response(200, json={name: {} for name in symbols})

    return answer


SYMBOLS = [f"A{number:03}" for number in range(250)]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_route_that_refuses_everything_is_an_error(status: int) -> None:
    """If no symbol is answered, the refusal is raised after a few requests."""
    rest, server, _ = connect(lambda _: httpx.Response(status, json={"message": "no such route"}))
    for fetch in (rest.index_values, lambda some: rest.option_snapshots(some, "opra")):
        for symbols in (SYMBOLS, ["A", "B", "C"], ["A"]):
            server.requests.clear()
            with pytest.raises(AlpacaRestError, match="no such route") as caught:
                fetch(symbols)
            assert caught.value.status == status
            assert len(server.requests) <= 30


def test_a_route_that_fails_during_the_search_blames_no_symbol(caplog: pytest.LogCaptureFixture) -> None:
    """If only the first chunk is answered, an error is raised, and the next fetch requests every symbol."""
    answered: list[bool] = []

    def answer(request: httpx.Request) -> httpx.Response:
        answered.append(True)
        return knowing(set() if len(answered) == 1 else set(SYMBOLS))(request)

    rest, server, _ = connect(answer)
    with pytest.raises(AlpacaRestError, match="invalid symbol"):
        rest.stock_snapshots(SYMBOLS, "iex")
    assert len(server.requests) <= 30
    server.answer = knowing(set())
    assert set(rest.stock_snapshots(SYMBOLS, "iex")) == set(SYMBOLS)
    assert "does not know" not in caplog.text


@pytest.mark.slow
def test_adjacent_unknown_symbols_do_not_lose_the_others() -> None:
    """Neighbouring unknown symbols, such as those that expired on one day, are all found."""
    bad = set(SYMBOLS[:30])
    rest, _, _ = connect(knowing(bad))
    assert set(rest.stock_snapshots(SYMBOLS, "iex")) == set(SYMBOLS) - bad


def test_an_unknown_symbol_is_searched_for_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """Later fetches skip the symbol without a request or a warning; another route is still asked for it."""
    rest, server, _ = connect(knowing({"BAD"}))
    symbols = [*SYMBOLS[:40], "BAD"]
    assert set(rest.stock_snapshots(symbols, "iex")) == set(symbols) - {"BAD"}
    server.requests.clear()
    assert set(rest.stock_snapshots(symbols, "iex")) == set(symbols) - {"BAD"}
    assert len(server.requests) == 1
    assert caplog.text.count("Alpaca does not know BAD") == 1
    rest.option_snapshots(symbols, "opra")
    assert caplog.text.count("Alpaca does not know BAD") == 2


def test_a_refusal_of_the_feed_is_not_mistaken_for_a_bad_symbol() -> None:
    """A 403 is raised at once, and the symbols are not tried in halves."""
    rest, server, _ = connect(lambda _: httpx.Response(403, json={"message": "no opra"}))
    with pytest.raises(AlpacaRestError, match="no opra"):
        rest.option_snapshots(["A", "B"], "opra")
    assert len(server.requests) == 1
