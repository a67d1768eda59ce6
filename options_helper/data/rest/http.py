"""GET requests to one of Alpaca's hosts, with keys in headers, bounded exchanges and bounded retries."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache, partial
from typing import TypeVar

import httpx
import msgspec
import tenacity

from options_helper.data.rest.bounded import (
    EXCHANGE_SECONDS,
    LOCATION,
    BoundedTransport,
    DeadlineExceeded,
)
from options_helper.data.rest.read_only import ReadOnlyTransport
from options_helper.data.rest.refusals import (
    TOO_MANY,
    describe_failure,
    describe_status,
    is_worth_retrying,
    without_secrets,
)
from options_helper.errors import AlpacaRestError
from options_helper.recording.records import NO_ANSWER
from options_helper.recording.taps import AnswerTap
from options_helper.times import elapsed_seconds

Json = dict[str, object]
Query = Mapping[str, str | int]
Answer = TypeVar("Answer", Json, list[object])

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_TRIES, _TRIES_WHEN_LIMITED = 3, 10
_RETRY_SECONDS = 0.5
_FIRST_WAIT, _WAIT_CAP = 1.0, 30.0  # after a 429 without a time
_LONGEST_WAIT = 120.0  # whatever a header says
_STOPPED = "stopped"
_COUNT = re.compile(r"[0-9]{1,12}")  # seconds or a time; a longer number is neither


@cache
def _trusted() -> ssl.SSLContext:
    """Return the trusted certificates; reading them takes tens of milliseconds of CPU."""
    return httpx.create_ssl_context()


class Host(StrEnum):
    """Alpaca's two REST hosts, each with its own request limit and its own check of the keys."""

    TRADING = "trading"
    DATA = "data"


class HostReader:
    """A client for GET requests to one host, for use by one thread at a time.

    Args:
        url: The host's URL.
        keys: Key id and secret, sent as headers to this host only.
        transport: Sends the requests in tests; it is wrapped so that only bounded GETs to `url` pass.
        clock: Returns seconds since 1970; used with a reset time if the response has no date.
        pause: Waits up to the given seconds and returns whether the reader was stopped.
        exchange_seconds: The longest time that one whole exchange may take.
        tap: Records each exchange.
    """

    def __init__(
        self,
        url: str,
        keys: tuple[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], bool] | None = None,
        exchange_seconds: float = EXCHANGE_SECONDS,
        tap: AnswerTap | None = None,
    ) -> None:
        self._url, self._keys, self._clock = url, keys, clock
        self._seconds = exchange_seconds
        self._tap = tap
        self._stopped, self._closing = threading.Event(), threading.Event()
        self._in_use = threading.Lock()  # held during an exchange
        self._pause = pause or self._stopped.wait
        self._on_limit: Callable[[str, float], None] = _ignore
        self._transport = BoundedTransport(
            transport or httpx.HTTPTransport(verify=_trusted(), http2=False), seconds=exchange_seconds
        )
        # trust_env is off because a proxy or .netrc in the environment must not see or change requests.
        self._client = httpx.Client(
            transport=ReadOnlyTransport(self._transport, url),
            headers=_headers(*keys),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def when_limited(self, call: Callable[[str, float], None]) -> None:
        """Register a callback for "too many requests"; it receives the path and the seconds to wait."""
        self._on_limit = call

    def stop(self) -> None:
        """End waits and requests now; callable from any thread. Later requests raise."""
        self._stopped.set()
        self._transport.cut()

    def close(self) -> None:
        """Stop, and close the connections; if one is in use, its thread closes them at once; idempotent.

        If another thread closed it, the system might give its number to a new file or connection, and the
        thread would wait for that instead.
        """
        self.stop()
        self._closing.set()
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._in_use.acquire(blocking=False):
            try:
                self._client.close()
            finally:
                self._in_use.release()

    def get(self, path: str, query: Query, kind: type[Answer]) -> Answer:
        """Return a route's decoded response, retrying if that may help.

        Raises:
            AlpacaRestError: No usable response, or the reader was stopped.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_help),
            stop=_is_enough,
            wait=_seconds_until_next,
            before_sleep=partial(self._report_limit, path),
            sleep=partial(self._wait, path),
            reraise=True,
        )
        return self._decode(retrying(self._exchange, path, query), path, kind)

    def _exchange(self, path: str, query: Query) -> httpx.Response:
        self._wait_for_others()
        began = elapsed_seconds()
        try:
            response = self._send(path, query)
        except httpx.HTTPError as error:
            reason = _STOPPED if self._stopped.is_set() else describe_failure(error, self._seconds)
            if self._tap is not None:
                self._tap.take(path, query, began=began, status=NO_ANSWER, words=reason)
            raise AlpacaRestError(path, reason) from error
        status = response.status_code
        wait = _read_wait(response.headers, self._clock) if status == TOO_MANY else None
        if self._tap is not None:
            body = response.content if response.is_success else without_secrets(response.content, self._keys)
            self._tap.take(path, query, began=began, status=status, body=body, retry_after=wait)
        if response.is_success:
            return response
        words = describe_status(status, response.content, self._keys, response.extensions[LOCATION])
        raise AlpacaRestError(path, words, status=status, retry_after=wait)

    def _send(self, path: str, query: Query) -> httpx.Response:
        try:
            with self._in_use:
                if self._stopped.is_set():
                    raise AlpacaRestError(path, _STOPPED)
                return self._client.get(self._url + path, params=query)
        finally:
            if self._closing.is_set():
                self._close_if_unused()

    def _decode(self, response: httpx.Response, path: str, kind: type[Answer]) -> Answer:
        try:
            answer = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise AlpacaRestError(path, "the answer is not JSON", status=response.status_code) from None
        if not isinstance(answer, kind):
            raise AlpacaRestError(path, "the answer has an unexpected form", status=response.status_code)
        return answer

    def _report_limit(self, path: str, state: tenacity.RetryCallState) -> None:
        if _failure(state).status == TOO_MANY and state.next_action is not None:
            self._on_limit(path, state.next_action.sleep)

    def _wait_for_others(self) -> None:
        if self._tap is not None:
            self._tap.waiting()

    def _wait(self, path: str, seconds: float) -> None:
        self._wait_for_others()
        if self._pause(seconds):
            raise AlpacaRestError(path, _STOPPED)


def _headers(key_id: str, secret: str) -> dict[str, str]:
    return {
        "APCA-API-KEY-ID": key_id,
        "APCA-API-SECRET-KEY": secret,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",  # the only encoding that the transport decodes within bounds
    }


def _ignore(_path: str, _seconds: float) -> None:
    """Do nothing; the default callback for waits."""


# When to try again


def _failure(state: tenacity.RetryCallState) -> AlpacaRestError:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, AlpacaRestError) else AlpacaRestError("", "")


def _may_help(error: BaseException) -> bool:
    # A retry after a full timeout would block its thread for as long again.
    if not isinstance(error, AlpacaRestError) or isinstance(error.__cause__, DeadlineExceeded):
        return False
    if error.status is None:
        return error.__cause__ is not None  # a failed exchange, not one of our own refusals
    return is_worth_retrying(error.status)


def _is_enough(state: tenacity.RetryCallState) -> bool:
    most = _TRIES_WHEN_LIMITED if _failure(state).status == TOO_MANY else _TRIES
    return state.attempt_number >= most


def _seconds_until_next(state: tenacity.RetryCallState) -> float:
    failure, number = _failure(state), state.attempt_number
    if failure.status != TOO_MANY:
        return float(_RETRY_SECONDS * 2 ** (number - 1))
    if failure.retry_after is not None:
        return min(failure.retry_after, _LONGEST_WAIT)
    return float(min(_WAIT_CAP, _FIRST_WAIT * 2 ** (number - 1)))


def _read_wait(headers: Mapping[str, str], clock: Callable[[], float]) -> float | None:
    """Return the seconds to wait after a 429, from Retry-After (a number or a date) or X-RateLimit-Reset.

    Source: Alpaca's OpenAPI, `components.headers`.
    """
    after = headers.get("Retry-After")
    seconds = _whole(after)
    if seconds is not None:
        return float(seconds)
    reset = _date(after) or _whole(headers.get("X-RateLimit-Reset"))
    if reset is None:
        return None
    # The answer's date is truncated to whole seconds, so the wait is never too short.
    return max(0.0, reset - (_date(headers.get("Date")) or clock()))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and _COUNT.fullmatch(text) else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
