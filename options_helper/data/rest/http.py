"""GET requests to the account's two hosts: keys in headers, one rate limiter a host, bounded retries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import httpx
import msgspec

from options_helper.data.rest.rate_limit import TOO_MANY, RateLimiter
from options_helper.data.rest.read_only import ReadOnlyTransport
from options_helper.data.rest.refusals import describe_failure, describe_status, is_worth_retrying
from options_helper.data.settings import AlpacaSettings
from options_helper.errors import AlpacaRestError

Json = dict[str, Any]
Answer = TypeVar("Answer", Json, list[Any])

TRADING_PER_MINUTE, DATA_PER_MINUTE = 200, 200  # Alpaca's plans, Basic; headers tell of more

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_TRIES, _TRIES_WHEN_LIMITED = 3, 10
_RETRY_SECONDS = 0.5
_STOPPED = "stopped"


class Host(StrEnum):
    """Alpaca's two REST hosts, each with its own limit and its own opinion of the keys."""

    TRADING = "trading"
    DATA = "data"


class HttpReader:
    """GET requests to the account's two hosts.

    Args:
        settings: Keys and hosts; keys go into headers only.
        transport: What sends, for tests; wrapped so that only GET to the settings' hosts passes.
        clock: Seconds since 1970.
        monotonic: Seconds that only grow.
        pause: Waits up to the given seconds and says whether the client was stopped meanwhile.
        limiters: By host.
    """

    def __init__(
        self,
        settings: AlpacaSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
        limiters: Mapping[Host, RateLimiter] | None = None,
    ) -> None:
        self._urls = {Host.TRADING: settings.trading_url, Host.DATA: settings.data_url}
        self._secrets = (settings.key_id, settings.secret_key)
        self._transport = ReadOnlyTransport(
            transport or httpx.HTTPTransport(http2=False), self._urls.values()
        )
        # trust_env is off: a proxy or .netrc of the environment must not see or change what is sent.
        self._client = httpx.Client(
            transport=self._transport,
            headers={
                "APCA-API-KEY-ID": settings.key_id,
                "APCA-API-SECRET-KEY": settings.secret_key,
                "Accept": "application/json",
            },
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )
        self._tell_limited: Callable[[str, float], None] = _tell_nobody
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._limiters = limiters or {
            Host.TRADING: RateLimiter(TRADING_PER_MINUTE, monotonic=monotonic, clock=clock),
            Host.DATA: RateLimiter(DATA_PER_MINUTE, monotonic=monotonic, clock=clock),
        }

    def when_limited(self, tell: Callable[[str, float], None]) -> None:
        """Call `tell` with the path and the seconds to wait whenever the server says "too many requests"."""
        self._tell_limited = tell

    def stop(self) -> None:
        """End whatever is under way, from any thread: waits and requests raise at once, as later ones do."""
        self._stopped.set()
        self._transport.cut()

    def close(self) -> None:
        """Give the connections back; legal any number of times."""
        self.stop()
        self._client.close()

    def get(self, host: Host, path: str, query: Mapping[str, Any], kind: type[Answer]) -> Answer:
        """The decoded answer of one route, asked again a few times where that may help.

        Raises:
            AlpacaRestError: No usable answer, or the client was stopped.
        """
        tries = limited = 0
        while True:
            self._wait_for_turn(host, path)
            failure, is_limit = self._try(host, path, query)
            if isinstance(failure, httpx.Response):
                return self._decode(failure, path, kind)
            tries, limited = tries + (not is_limit), limited + is_limit
            if tries >= _TRIES or limited >= _TRIES_WHEN_LIMITED or not _may_help(failure):
                raise failure
            if is_limit:
                self._tell_limited(path, self._limiters[host].blocked_seconds)
            else:
                self._wait(_RETRY_SECONDS * 2 ** (tries - 1), path)

    def _try(
        self, host: Host, path: str, query: Mapping[str, Any]
    ) -> tuple[httpx.Response | AlpacaRestError, bool]:
        """An answer, or the failure and whether it was the rate limit."""
        try:
            response = self._client.get(self._urls[host] + path, params=query)
        except httpx.HTTPError as error:
            reason = _STOPPED if self._stopped.is_set() else describe_failure(error)
            return AlpacaRestError(path, reason), False
        limiter = self._limiters[host]
        limiter.observe(response.status_code, response.headers)
        if response.is_success:
            return response, False
        reason = describe_status(response.status_code, response.content, self._secrets)
        status = response.status_code
        return AlpacaRestError(path, reason, status=status), status == TOO_MANY

    def _decode(self, response: httpx.Response, path: str, kind: type[Answer]) -> Answer:
        try:
            answer = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise AlpacaRestError(path, "the answer is not JSON", status=response.status_code) from None
        if not isinstance(answer, kind):
            raise AlpacaRestError(path, "the answer has another form", status=response.status_code)
        return answer

    def _wait_for_turn(self, host: Host, path: str) -> None:
        while (seconds := self._limiters[host].take()) > 0:
            self._wait(seconds, path)
        if self._stopped.is_set():
            raise AlpacaRestError(path, _STOPPED)

    def _wait(self, seconds: float, path: str) -> None:
        if self._pause(seconds):
            raise AlpacaRestError(path, _STOPPED)


def _tell_nobody(_path: str, _seconds: float) -> None:
    """For a reader whose waits nobody asked about."""


def _may_help(failure: AlpacaRestError) -> bool:
    return failure.status is None or is_worth_retrying(failure.status)
