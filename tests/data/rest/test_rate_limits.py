"""Requests over the limit: a 429 and the wait that it asks for."""

from __future__ import annotations

import email.utils

import httpx
import pytest

from options_helper.errors import AlpacaRestError
from tests.data.rest.served import Clock, connect, script


def test_a_429_waits_as_long_as_the_server_says() -> None:
    """The wait is Retry-After's, or lasts until the reset by the server's date; without these, it grows."""
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
    """Without a valid date, the wait lasts until the reset time by this machine's clock."""
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
    reported: list[tuple[str, float]] = []
    rest.when_limited(lambda _host, path, seconds: reported.append((path, round(seconds))))
    rest.clock()
    assert reported == [("/v2/clock", 7), ("/v2/clock", 4)]


def test_endless_429s_end() -> None:
    """A request that is always answered with 429 fails after ten attempts."""
    rest, server, _ = connect(lambda _: httpx.Response(429))
    with pytest.raises(AlpacaRestError, match="too many requests") as caught:
        rest.account()
    assert caught.value.status == 429
    assert len(server.requests) == 10
