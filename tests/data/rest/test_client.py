"""Alpaca over HTTP: only GET, only to known hosts, within the limits, without a secret in any message."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import json
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from options_helper.data.rest.client import CUT_SHORT, AlpacaRest
from options_helper.data.rest.http import Host, HostReader
from options_helper.data.rest.order_pages import read_pages
from options_helper.data.settings import AlpacaSettings
from options_helper.errors import AlpacaRestError

pytestmark = pytest.mark.integration  # its servers are real

KEY, SECRET = "PKMARKERKEY0000000", "MARKERSECRET000000000000"
SETTINGS = AlpacaSettings(KEY, SECRET)
OPEN = dt.datetime(2026, 11, 20, 14, 30, tzinfo=dt.UTC)
Answer = httpx.Response | Exception


@dataclass
class Clock:
    """A clock that advances only by waits."""

    now: float = 1_000_000.0
    waits: list[float] = field(default_factory=list)
    stopped: bool = False

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        """Advance the clock by the wait."""
        self.waits.append(seconds)
        self.now += seconds
        return self.stopped


@dataclass
class Server:
    """A server that answers with a function and records every request."""

    answer: Callable[[httpx.Request], httpx.Response]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)


def connect(
    answer: Callable[[httpx.Request], httpx.Response], clock: Clock | None = None
) -> tuple[AlpacaRest, Server, Clock]:
    """Return a client, its server that answers with this function, and its clock."""
    clock, server = clock or Clock(), Server(answer)
    rest = AlpacaRest(SETTINGS, transport=httpx.MockTransport(server), clock=clock, pause=clock.pause)
    return rest, server, clock


def script(*answers: Answer) -> Callable[[httpx.Request], httpx.Response]:
    """Return a function that gives these answers in turn, and raises those that are exceptions."""
    waiting = iter(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        one = next(waiting)
        if isinstance(one, Exception):
            raise one
        return one

    return answer


# Reading only


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "TRACE"])
def test_every_method_but_get_is_refused_before_it_is_sent(method: str) -> None:
    """Whatever method the client is asked to use, only GET reaches the network."""
    rest, server, _ = connect(lambda _: httpx.Response(200, json={}))
    request = httpx.Request("GET", f"{SETTINGS.trading_url}/v2/orders")
    request.method = method
    with pytest.raises(AlpacaRestError, match="only reads"):
        rest._readers[Host.TRADING]._client.send(request)
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v2/account",
        "http://paper-api.alpaca.markets/v2/clock",
        "https://api.alpaca.markets:8443/",
    ],
)
def test_keys_go_only_to_the_settings_hosts(url: str) -> None:
    """Another host, scheme or port is refused before a byte is sent."""
    rest, server, _ = connect(lambda _: httpx.Response(200, json={}))
    with pytest.raises(AlpacaRestError, match="nothing was sent"):
        rest._readers[Host.TRADING]._client.get(url)
    assert server.requests == []


def test_redirects_are_not_followed() -> None:
    """A redirect raises an error that names its target, which receives no request."""
    rest, server, _ = connect(lambda _: httpx.Response(302, headers={"Location": "https://example.com/"}))
    words = r"the server redirects to example\.com \(302\); redirects are never followed"
    with pytest.raises(AlpacaRestError, match=words) as caught:
        rest.account()
    assert caught.value.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["//evil.example", "/v2", "javascript:a()", "http://[", "http:evil", "\x01", ""]
)
def test_the_target_of_a_redirect_is_never_parsed_as_a_url(status: int, target: str) -> None:
    """Whatever target a redirect has, it raises an error in words and is tried once."""
    rest, server, _ = connect(lambda _: httpx.Response(status, headers={"Location": target}))
    with pytest.raises(AlpacaRestError, match=rf"the server redirects.* \({status}\); redirects are never"):
        rest.account()
    assert len(server.requests) == 1


def test_a_key_in_another_spelling_is_not_repeated() -> None:
    """A key is also hidden in lower case in a redirect's host, and in base64 in a message."""
    secret = "aB3" * 13
    encoded = base64.b64encode(secret.encode()).decode()
    for answer, words in (
        (
            httpx.Response(302, headers={"Location": f"https://{secret}.example/"}),
            "the server redirects (302)",
        ),
        (httpx.Response(422, json={"message": f"bad {encoded}, AAPL261218C00300000"}), "bad …, AAPL261218C"),
    ):
        rest, _, _ = connect(lambda _, answer=answer: answer)
        with pytest.raises(AlpacaRestError, match=re.escape(words)):
            rest.account()


def test_keys_are_only_in_headers() -> None:
    """Each request carries the keys as headers, and never in its URL."""
    rest, server, _ = connect(lambda _: httpx.Response(200, json={"is_open": True}))
    assert rest.clock() == {"is_open": True}
    (request,) = server.requests
    assert request.headers["APCA-API-KEY-ID"] == KEY
    assert request.headers["APCA-API-SECRET-KEY"] == SECRET
    assert KEY not in str(request.url)
    assert SECRET not in str(request.url)
    assert KEY not in repr(rest)


# Failures


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"message": "request is not authorized."}, "Alpaca refused the key"),
        (403, {"code": 40110000, "message": "access key verification failed"}, r"refused the key \(403\)"),
        (403, {"message": "subscription does not permit querying opra data"}, "querying opra data"),
        (403, {}, "the key or the plan"),
        (404, {"message": "order not found"}, "order not found"),
        (418, None, r"refused \(418\)"),
        (422, {"message": 7}, r"refused \(422\)"),
        (422, ["x"], r"refused \(422\)"),
    ],
)
def test_a_refusal_is_explained_and_not_retried(status: int, body: object, words: str) -> None:
    """A refusal that retrying would not change is tried once and quotes the server's message."""
    content = b"<html>" if body is None else json.dumps(body).encode()
    rest, server, _ = connect(lambda _: httpx.Response(status, content=content))
    with pytest.raises(AlpacaRestError, match=words) as caught:
        rest.account()
    assert caught.value.status == status
    assert caught.value.path == "/v2/account"
    assert len(server.requests) == 1


def test_a_key_that_a_refusal_repeats_is_not_shown() -> None:
    """If a server echoes the keys, the error does not contain them."""
    spaced = "\u200b".join(SECRET)
    rest, _, _ = connect(lambda _: httpx.Response(403, json={"message": f"key {KEY} or {spaced} unknown"}))
    with pytest.raises(AlpacaRestError) as caught:
        rest.account()
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "key … or … unknown" in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.Response(500, json={"message": "internal"}), r"the server failed \(500\): internal"),
        (httpx.Response(503), r"the server failed \(503\)"),
        (httpx.ConnectError("[Errno 111] Connection refused"), "Connection refused"),
        (httpx.ConnectTimeout("slow"), "no connection within"),
        (httpx.ReadTimeout("slow"), "no answer within"),
        (httpx.RemoteProtocolError("cut"), "lost before the answer"),
    ],
)
def test_a_temporary_failure_is_tried_three_times(failure: Answer, words: str) -> None:
    """A temporary failure is retried with growing waits and then raised; a later success is returned."""
    rest, server, clock = connect(script(failure, failure, failure))
    with pytest.raises(AlpacaRestError, match=words):
        rest.account()
    assert len(server.requests) == 3
    assert clock.waits == [0.5, 1.0]
    rest, _, _ = connect(script(failure, failure, httpx.Response(200, json={"status": "ACTIVE"})))
    assert rest.account() == {"status": "ACTIVE"}


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"\xff", b"null"])
def test_an_answer_in_another_form_is_an_error(content: bytes) -> None:
    """A response with status 200 and an unexpected body raises an error."""
    rest, _, _ = connect(lambda _: httpx.Response(200, content=content))
    with pytest.raises(AlpacaRestError, match=r"not JSON|unexpected form"):
        rest.account()


# Limits


def test_a_429_waits_as_long_as_the_server_says() -> None:
    """The wait is that of Retry-After, else the reset time by the server's date, else it grows."""
    clock = Clock()
    date = email.utils.formatdate(5_000, usegmt=True)  # the server's clock is far off ours
    rest, _, _ = connect(
        script(
            httpx.Response(429, headers={"Retry-After": "7"}),
            httpx.Response(
                429, headers={"Retry-After": email.utils.formatdate(5_005, usegmt=True), "Date": date}
            ),
            httpx.Response(429, headers={"X-RateLimit-Reset": "5042", "Date": date}),
            httpx.Response(429, headers={"X-RateLimit-Reset": str(int(clock.now) + 7 + 5 + 42 + 9)}),
            httpx.Response(429),
            httpx.Response(429, headers={"Retry-After": "Fri, 20 Nov 2026"}),
            httpx.Response(200, json={}),
        ),
        clock,
    )
    rest.account()
    assert clock.waits == [7, 5, 42, 9, 16, 30]


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
@pytest.mark.parametrize("value", ["9" * 400, "9" * 5000, "-1", "1e9", "\u0664", "nan"])
@pytest.mark.parametrize("date", ["", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "?"])
def test_a_429_with_a_malformed_time_waits_as_if_without_one(header: str, value: str, date: str) -> None:
    """No invalid number or date from a server raises an exception."""
    headers = {header: value.encode(), "Date": date.encode()}
    rest, _, clock = connect(script(httpx.Response(429, headers=headers), httpx.Response(200, json={})))
    assert rest.account() == {}
    assert clock.waits == [1.0]


def test_without_a_valid_date_the_reset_time_is_compared_with_this_clock() -> None:
    """Without a valid date, the reset time counts by this machine's clock."""
    clock = Clock()
    date = "Mon, 99 Jan 2026 99:99:99 +99999999999999"
    headers = {"X-RateLimit-Reset": str(int(clock.now) + 7), "Date": date}
    rest, _, _ = connect(script(httpx.Response(429, headers=headers), httpx.Response(200, json={})), clock)
    rest.account()
    assert clock.waits == [7]


def test_a_429_reports_how_long_it_waits() -> None:
    """The caller receives the path and the seconds of each wait for the limit, and of no other wait."""
    answers = [httpx.Response(500), httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(429)]
    rest, _, _ = connect(lambda _: answers.pop(0) if answers else httpx.Response(200, json={}))
    told: list[tuple[str, float]] = []
    rest.when_limited(lambda _host, path, seconds: told.append((path, round(seconds))))
    rest.clock()
    assert told == [("/v2/clock", 7), ("/v2/clock", 4)]


def test_endless_429s_end() -> None:
    """A request that is only answered with 429 fails after ten attempts."""
    rest, server, _ = connect(lambda _: httpx.Response(429))
    with pytest.raises(AlpacaRestError, match="too many requests") as caught:
        rest.account()
    assert caught.value.status == 429
    assert len(server.requests) == 10


# Pages


def activity(number: int) -> dict[str, str]:
    """A FILL by its number."""
    return {"id": f"{number:08}::x", "activity_type": "FILL"}


def test_all_pages_of_fills_under_a_limit_with_429s_between() -> None:
    """5,000 activities in pages of 100 arrive complete and in order, within 200 requests a minute."""
    everything = [activity(number) for number in range(5_000)]
    clock = Clock()
    minutes: dict[int, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        minute = int(clock.now // 60)
        minutes[minute] = minutes.get(minute, 0) + 1
        if sum(minutes.values()) % 7 == 0:
            return httpx.Response(429, headers={"Retry-After": "2"})
        query = request.url.params
        assert query["page_size"] == "100"
        assert query["activity_types"] == "FILL"
        assert query["after"] == "2026-11-20T14:29:59Z"
        ids = [row["id"] for row in everything]
        start = ids.index(query["page_token"]) + 1 if "page_token" in query else 0
        return httpx.Response(200, json=everything[start : start + 100])

    rest, server, _ = connect(answer, clock)
    assert [row for page in rest.fill_pages(OPEN) for row in page] == everything
    assert len(server.requests) >= 51
    assert max(minutes.values()) <= 200


def test_a_short_page_of_activities_is_not_mistaken_for_the_last() -> None:
    """Pages are requested until one is empty or cannot be continued."""
    pages = {None: [activity(1)], activity(1)["id"]: [activity(2)], activity(2)["id"]: [activity(2)]}
    rest, server, _ = connect(
        lambda request: httpx.Response(200, json=pages[request.url.params.get("page_token")])
    )
    assert [row["id"] for page in rest.fill_pages(OPEN) for row in page] == [
        activity(number)["id"] for number in (1, 2, 2)
    ]
    assert len(server.requests) == 3


@pytest.mark.parametrize("page", [[7], [{}], [{"id": 7}], [{"id": "same"}]])
def test_pages_that_never_advance_end(page: list[object]) -> None:
    """If a full page cannot be continued, a row says that more is missing."""
    rest, server, _ = connect(lambda _: httpx.Response(200, json=page * 100))
    assert list(rest.fill_pages(OPEN))[-1] == [CUT_SHORT]
    assert len(server.requests) <= 2


def order(number: int, legs: int = 0, **changes: object) -> dict[str, object]:
    """An order by its number, every ten of them submitted at one moment."""
    at = OPEN + dt.timedelta(milliseconds=number // 10)
    return {
        "id": f"o{number}",
        "submitted_at": at.isoformat().replace("+00:00", "Z"),
        "legs": [{"id": f"o{number}l{leg}"} for leg in range(legs)] or None,
        **changes,
    }


@pytest.mark.parametrize("legs_count", [True, False])
def test_all_pages_of_orders_with_equal_times_are_read(legs_count: bool) -> None:
    """No order is lost between pages, whether or not the server's limit counts legs."""
    everything = [order(number, legs=number % 3) for number in range(1_234)]

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        assert (query["status"], query["nested"], query["direction"]) == ("all", "true", "asc")
        after = dt.datetime.fromisoformat(query["after"])
        page, room = [], int(query["limit"])
        for row in everything:
            if dt.datetime.fromisoformat(str(row["submitted_at"])) <= after:
                continue
            room -= 1 + (len(row["legs"] or ()) if legs_count else 0)  # type: ignore[arg-type]
            if room < 0:
                break
            page.append(row)
        return httpx.Response(200, json=page)

    rest, _, _ = connect(answer)
    assert rest.orders(OPEN - dt.timedelta(seconds=1)) == everything


def test_many_orders_with_the_same_time_end_the_paging() -> None:
    """A full page without new orders is the last one, and a row says that more may be missing."""
    page = [order(number, submitted_at="2026-11-20T14:30:00Z") for number in range(500)]
    rest, server, _ = connect(lambda _: httpx.Response(200, json=page))
    assert rest.orders(OPEN) == [*page, CUT_SHORT]
    assert len(server.requests) == 2


def test_the_rows_of_a_page_are_not_compared_with_each_other() -> None:
    """Rows are not compared with each other, which would take hours for a huge answer."""

    class Row(dict[str, object]):
        __hash__ = None  # type: ignore[assignment]  # as a dict

        def __eq__(self, other: object) -> bool:
            raise AssertionError("rows are compared")

    rows: list[object] = [Row(id=str(number)) for number in range(9)]
    assert len(read_pages(lambda _after: [*rows, None], None, size=500)[0]) == 10


@pytest.mark.parametrize("submitted", [None, "soon", "2026-11-20T14:30:00", 7])
def test_orders_without_a_readable_time_end_the_paging(submitted: object) -> None:
    """A full page without a time to continue from is the last one, and a row says that more is missing."""
    page = [order(number, submitted_at=submitted) for number in range(500)]
    rest, server, _ = connect(lambda _: httpx.Response(200, json=[*page, "junk", {"id": None}]))
    assert rest.orders() == [*page, "junk", {"id": None}, CUT_SHORT]  # all are passed on, to be counted
    assert len(server.requests) == 1
    assert "after" not in server.requests[0].url.params


def test_snapshots_are_requested_in_hundreds_and_paged() -> None:
    """No call requests more than 100 contracts, and further pages of an answer are fetched."""

    def answer(request: httpx.Request) -> httpx.Response:
        symbols = request.url.params["symbols"].split(",")
        assert len(symbols) <= 100
        assert request.url.params["feed"] == "opra"
        second = "page_token" in request.url.params
        half = symbols[50:] if second else symbols[:50]
        token = None if second or len(symbols) <= 50 else "more"
        return httpx.Response(
            200, json={"snapshots": {name: {"of": name} for name in half}, "next_page_token": token}
        )

    rest, server, _ = connect(answer)
    symbols = [f"A{number:03}" for number in range(250)]
    assert rest.option_snapshots(symbols, "opra") == {name: {"of": name} for name in symbols}
    assert len(server.requests) == 5


def test_pages_of_market_data_without_an_end_are_an_error() -> None:
    """Endlessly changing page tokens raise an error in words; an empty page does not end the reading."""
    tokens = iter(range(1000))
    rest, server, _ = connect(
        lambda _: httpx.Response(200, json={"snapshots": {}, "next_page_token": str(next(tokens))})
    )
    with pytest.raises(AlpacaRestError, match="more than 100 pages"):
        rest.option_snapshots(["A"], "opra")
    assert len(server.requests) == 100


def test_every_page_of_corporate_actions_is_read() -> None:
    """A split on the second page counts like one on the first."""
    split = {"symbol": "A", "new_rate": 2, "old_rate": 1, "ex_date": "2026-11-20"}
    rest, server, _ = connect(
        script(
            httpx.Response(200, json={"corporate_actions": {}, "next_page_token": "more"}),
            httpx.Response(200, json={"corporate_actions": {"forward_splits": [split]}}),
        )
    )
    assert rest.splits(["A"], OPEN.date(), OPEN.date()) == [split]
    assert server.requests[1].url.query.endswith(b"page_token=more")


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
    """A server that refuses each request that names a bad symbol; `bad` may change."""

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
    """If answers stop after the first chunk, that is raised, and the next fetch requests every symbol."""
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


def test_adjacent_unknown_symbols_do_not_lose_the_others() -> None:
    """Neighbouring unknown symbols, such as those that expired on one day, are all found."""
    bad = set(SYMBOLS[:30])
    rest, _, _ = connect(knowing(bad))
    assert set(rest.stock_snapshots(SYMBOLS, "iex")) == set(SYMBOLS) - bad


def test_an_unknown_symbol_is_searched_for_and_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """Later fetches leave it out without a request or a warning; another route is asked for it."""
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
    """A 403 is raised at once and not tried in halves."""
    rest, server, _ = connect(lambda _: httpx.Response(403, json={"message": "no opra"}))
    with pytest.raises(AlpacaRestError, match="no opra"):
        rest.option_snapshots(["A", "B"], "opra")
    assert len(server.requests) == 1


def test_the_other_routes() -> None:
    """Each route has its own path, host and query."""
    answers = {
        "/v2/calendar": [{"date": "2026-11-20"}],
        "/v2/positions": [],
        "/v2/orders/a%2Fb": {"id": "a/b"},
        "/v2/options/contracts/CSGP1251017P00001000": {"multiplier": "100"},
        "/v1beta1/indices/latest/values": {"values": {"SPX": {"v": 7000.0}}},
    }
    rest, server, _ = connect(
        lambda request: httpx.Response(200, json=answers[request.url.raw_path.decode().partition("?")[0]])
    )
    assert rest.calendar(dt.date(2026, 11, 19), dt.date(2026, 11, 20)) == [{"date": "2026-11-20"}]
    assert rest.positions() == []
    assert rest.order("a/b") == {"id": "a/b"}
    assert rest.option_contract("CSGP1251017P00001000") == {"multiplier": "100"}
    assert rest.index_values(["SPX"]) == {"SPX": {"v": 7000.0}}
    assert dict(server.requests[0].url.params) == {"start": "2026-11-19", "end": "2026-11-20"}
    assert [request.url.host for request in server.requests] == ["paper-api.alpaca.markets"] * 4 + [
        "data.alpaca.markets"
    ]


# Stopping, over real sockets


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def loopback(server: socket.socket) -> AlpacaSettings:
    """Settings that point at a local server."""
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    return AlpacaSettings(KEY, SECRET, trading_url=url, data_url=url)


def ask(rest: AlpacaRest) -> tuple[threading.Thread, list[AlpacaRestError]]:
    """Request the account in a thread, which adds what it raises to the list."""
    raised: list[AlpacaRestError] = []

    def run() -> None:
        try:
            rest.account()
        except AlpacaRestError as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="options-helper-test-ask", daemon=True)
    thread.start()
    return thread, raised


def test_stop_interrupts_a_pending_request(silent: socket.socket) -> None:
    """A hanging read ends at once with an error when the client is stopped."""
    rest = AlpacaRest(loopback(silent))
    thread, raised = ask(rest)
    connection, _ = silent.accept()
    assert connection.recv(10_000).startswith(b"GET /v2/account")
    rest.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == ["GET /v2/account: stopped"]
    connection.close()
    rest.close()
    with pytest.raises(AlpacaRestError, match="stopped"):
        rest.clock()


def test_stop_interrupts_a_wait() -> None:
    """A wait before a retry ends at once when the client is stopped."""
    asked = threading.Event()

    def answer(_request: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(429, headers={"Retry-After": "100"})

    rest = AlpacaRest(SETTINGS, transport=httpx.MockTransport(answer))
    thread, raised = ask(rest)
    assert asked.wait(5)
    rest.stop()
    thread.join(5)
    assert [str(error) for error in raised] == ["GET /v2/account: stopped"]
    rest.close()


def test_a_connection_made_after_stop_is_closed(silent: socket.socket) -> None:
    """A socket opened while the client is being stopped is shut down."""
    rest = AlpacaRest(loopback(silent), pause=lambda _: False)
    rest._readers[Host.TRADING]._transport.cut()
    with pytest.raises(AlpacaRestError, match=r"lost|no connection"):
        rest.account()
    rest.close()


class BusyTransport(httpx.BaseTransport):
    """A transport whose exchange lasts until it is released; notes whether one runs when it is closed."""

    def __init__(self) -> None:
        self.began, self.released = threading.Event(), threading.Event()
        self.closed: list[bool] = []
        self._runs = False

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        """Answer once released."""
        self._runs = True
        self.began.set()
        assert self.released.wait(60)
        self._runs = False
        return httpx.Response(200, json={})

    def close(self) -> None:
        """Note whether an exchange runs."""
        self.closed.append(self._runs)


def test_a_connection_in_use_is_closed_by_its_own_thread() -> None:
    """The system could give a closed socket's number to another one, and the thread would wait for that."""
    transport = BusyTransport()
    reader = HostReader("https://host", (KEY, SECRET), transport=transport)
    thread = threading.Thread(target=lambda: reader.get("/v2/clock", {}, dict), daemon=True)
    thread.start()
    assert transport.began.wait(60)
    reader.close()
    assert transport.closed == []
    transport.released.set()
    thread.join(60)
    assert transport.closed == [False]
    with pytest.raises(AlpacaRestError, match="stopped"):
        reader.get("/v2/clock", {}, dict)


def test_no_log_line_has_a_secret(silent: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG, a request over a real socket leaves no key in the log."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "options_helper"):
        caplog.set_level(logging.DEBUG, logger=name)
    rest = AlpacaRest(loopback(silent))
    thread, _ = ask(rest)
    connection, _ = silent.accept()
    assert KEY.encode() in connection.recv(10_000)
    body = b'{"status": "ACTIVE"}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    thread.join(5)
    connection.close()
    rest.close()
    text = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "receive_response_headers" in text  # the noisiest library was really at DEBUG
    assert KEY not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "the server refused the connection"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection was reset"),
        (socket.gaierror(-2, "Name or service not known"), "the server's name could not be resolved"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "the secure connection could not be set up"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
    ],
)
def test_a_failure_to_connect_is_in_plain_words(
    failure: OSError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever prevents a connection is described as for a stream, without the system's error number."""

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(socket, "create_connection", fail)
    settings = AlpacaSettings(KEY, SECRET, trading_url="http://127.0.0.1:9", data_url="http://127.0.0.1:9")
    with (
        closing(AlpacaRest(settings, pause=lambda _: False)) as rest,
        pytest.raises(AlpacaRestError) as caught,
    ):
        rest.account()
    assert str(caught.value) == f"GET /v2/account: no connection: {words}"


def test_a_server_without_tls_is_a_failure_to_connect(silent: socket.socket) -> None:
    """TLS to a server without it fails as no connection."""
    url = loopback(silent).trading_url.replace("http:", "https:")
    rest = AlpacaRest(AlpacaSettings(KEY, SECRET, trading_url=url, data_url=url), pause=lambda _: True)

    def refuse() -> None:
        connection, _ = silent.accept()
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=refuse, name="options-helper-test-plain", daemon=True)
    thread.start()
    with pytest.raises(AlpacaRestError, match="stopped"):  # the pause before the second try says stop
        rest.account()
    thread.join(5)
    rest.close()
