"""Alpaca over HTTP: only GET, only to known hosts, and failures in plain words without a secret."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re

import httpx
import pytest

from options_helper.data.rest.http import Host
from options_helper.errors import AlpacaRestError
from tests.data.rest.served import KEY, SECRET, SETTINGS, Answer, connect, script


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
    """A key is hidden even in lower case in a redirect's host, or in base64 in a message."""
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
    """A refusal that retrying would not change is raised at once and quotes the server's message."""
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
