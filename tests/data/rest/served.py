"""A REST client whose server answers with a function, and whose clock advances only by waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from options_helper.data.rest.client import AlpacaRest
from options_helper.data.settings import AlpacaSettings

KEY, SECRET = "PKMARKERKEY0000000", "MARKERSECRET000000000000"
SETTINGS = AlpacaSettings(KEY, SECRET)
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
    """Return a client, a server that answers it with this function, and the client's clock."""
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
