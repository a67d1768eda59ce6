"""The REST hosts of a recording, which answer the product's own requests in the order of the file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

import httpx

from options_helper.errors import OptionsHelperError
from options_helper.recording.records import NO_ANSWER, Answer
from options_helper.recording.ring import request_key

_PATIENCE_SECONDS = 60.0  # for the product's code between two requests
_NOT_RECORDED = b'{"message": "this request is not in the recording"}'
_FAILURES: dict[str, Callable[[str], httpx.HTTPError]] = {
    "no connection within the time allowed": httpx.ConnectTimeout,
    "no answer within the time allowed": httpx.ReadTimeout,
}
Query: TypeAlias = Mapping[str, str]
_NO_QUERY: Query = {}
_NO_CONNECTION = "no connection: "


class _State(Enum):
    IDLE = "no part is fetched"
    BUSY = "the product's code runs"
    ASKING = "a request waits for its answer"


class RecordedHost:
    """One host, whose parts are fetched in a thread; every method returns once that thread waits.

    Args:
        name: "trading" or "data".
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._fetch: Callable[[str], None] = _nothing
        self._known: dict[tuple[str, ...], Answer] = {}
        self._state, self._changed = _State.IDLE, threading.Condition()
        self._part: str | None = None
        self._path, self._query = "", _NO_QUERY
        self._reply: httpx.Response | httpx.HTTPError | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"options-helper-replay-{name}", daemon=True)

    def start(self, fetch: Callable[[str], None]) -> None:
        """Start the thread, in which `fetch` is called with the name of each part."""
        self._fetch = fetch
        self._thread.start()

    def know(self, answer: Answer) -> None:
        """Keep an answer from before the recording's beginning, for `fetch_known`."""
        self._known[request_key(answer.path, answer.query)] = answer

    def fetch_known(self, part: str) -> None:
        """Fetch a part with the newest known answers."""
        self.begin(part)
        while self._state is _State.ASKING:
            self._answer(self._known_answer())

    def begin(self, part: str) -> None:
        """Fetch a part until its first request."""
        while self._state is _State.ASKING:  # the recording knows nothing of this request
            self._answer(self._known_answer())
        with self._changed:
            self._part = part
            self._wait_for_thread()

    def answer(self, answer: Answer) -> None:
        """Give a recorded answer to the request that waits for it."""
        while self._state is _State.ASKING and self._path != answer.path:
            self._answer(self._known_answer())
        self.know(answer)
        if self._state is _State.ASKING:
            self._answer(answer)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE_SECONDS)

    def answer_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded answer once its time has come; called in the host's thread."""
        with self._changed:
            self._path, self._query = request.url.path, dict(request.url.params)
            self._park(_State.ASKING)
            self._changed.wait_for(lambda: self._reply is not None or self._is_closed)
            reply, self._reply = self._reply, None
        if isinstance(reply, httpx.Response):
            return reply
        raise reply or httpx.ConnectError("the replay has ended")

    def _known_answer(self) -> Answer | None:
        return self._known.get(request_key(self._path, self._query))

    def _answer(self, answer: Answer | None) -> None:
        with self._changed:
            self._reply = httpx.Response(404, content=_NOT_RECORDED) if answer is None else _reply(answer)
            self._wait_for_thread()

    def _wait_for_thread(self) -> None:
        self._state = _State.BUSY
        self._changed.notify_all()
        if not self._changed.wait_for(lambda: self._state is not _State.BUSY, _PATIENCE_SECONDS):
            raise OptionsHelperError(f"The replay's {self.name} host does not answer.")

    def _park(self, state: _State) -> None:
        self._state = state
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._part is not None or self._is_closed)
                part, self._part = self._part, None
                if part is None or self._is_closed:
                    return
            self._fetch(part)
            with self._changed:
                self._park(_State.IDLE)


class RecordedHosts(httpx.BaseTransport):
    """The hosts of a recording, by the host of a request's URL."""

    def __init__(self, hosts: Mapping[str, RecordedHost]) -> None:
        self._hosts = hosts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of the request's host."""
        return self._hosts[request.url.host].answer_request(request)


def _nothing(_part: str) -> None:
    """Fetch nothing."""


def _reply(answer: Answer) -> httpx.Response | httpx.HTTPError:
    words = answer.words
    if answer.status == NO_ANSWER:
        if words.startswith(_NO_CONNECTION):
            return httpx.ConnectError(words.removeprefix(_NO_CONNECTION))
        return _FAILURES.get(words, httpx.ReadError)(words)
    headers = {} if answer.retry_after is None else {"Retry-After": f"{answer.retry_after:.0f}"}
    return httpx.Response(answer.status, headers=headers, content=answer.body)
