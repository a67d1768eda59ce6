"""The framework of the REST routes: GET only, keys in headers, a request limit, faults on command."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from options_helper.simulator.world import World

Handler = Callable[["World", Mapping[str, str], Mapping[str, str]], object]


class RestError(Exception):
    """An answer other than 200, with the body that Alpaca's APIs send."""

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message} if code is None else {"code": code, "message": message}


class RequestLimit:
    """The count of requests in the current window, and the X-RateLimit headers."""

    def __init__(
        self, per_window: int, window_seconds: int = 60, clock: Callable[[], float] = time.time
    ) -> None:
        self._per_window = per_window
        self._seconds = window_seconds
        self._clock = clock
        self._window = 0
        self._used = 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Return whether one more request is within the limit, and the headers for its answer."""
        window = int(self._clock() // self._seconds)
        if window != self._window:
            self._window, self._used = window, 0
        self._used += 1
        return self._used <= self._per_window, {
            "X-RateLimit-Limit": str(self._per_window),
            "X-RateLimit-Remaining": str(max(self._per_window - self._used, 0)),
            "X-RateLimit-Reset": str((window + 1) * self._seconds),
        }


class RestApi:
    """The wrapper that makes aiohttp handlers of plain functions of world, path parts and query."""

    def __init__(self, world: World) -> None:
        self._world = world
        plan = world.plan
        self._limits = {
            "data": RequestLimit(plan.data_requests_per_minute, plan.request_window_seconds),
            "trading": RequestLimit(plan.trading_requests_per_minute, plan.request_window_seconds),
        }

    def route(self, host: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of a route on the "data" or the "trading" host."""

        async def answer(request: web.Request) -> web.StreamResponse:
            within, headers = self._limits[host].take()
            try:
                await self._misbehave(request)
                self._check_keys(request, host)
                _check_limit(within=within)
                body = handler(self._world, request.match_info, request.query)
            except RestError as refusal:
                return _json(refusal.body, refusal.status, headers)
            except _Instead as instead:
                return instead.response
            return _json(body, 200, headers)

        return answer

    async def _misbehave(self, request: web.Request) -> None:
        fault = self._world.faults.take_rest(request.path)
        if fault is None:
            return
        if fault.hang:
            await self._world.released.wait()
            raise RestError(503, "the simulator has ended")
        await asyncio.sleep(fault.delay_seconds)
        if fault.body is not None:
            raise _Instead(
                web.Response(text=fault.body, status=fault.status or 200, content_type="application/json")
            )
        if fault.status:
            raise RestError(fault.status, f"simulated error {fault.status}")

    def _check_keys(self, request: web.Request, host: str) -> None:
        key_id, secret = (
            request.headers.get(name, "") for name in ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY")
        )
        if self._world.keys.accept(key_id, secret):
            return
        if host == "trading":
            raise RestError(401, "request is not authorized.", 40110000)
        raise RestError(403 if key_id else 401, "forbidden." if key_id else "authentication required.")


def _check_limit(*, within: bool) -> None:
    if not within:
        raise RestError(429, "too many requests.")


class _Instead(Exception):
    """Raised with the response that a fault sends instead of the handler's."""

    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response


def _json(body: object, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json"
    )


def refuse_method(method: str) -> web.Response:
    """Answer any request other than GET."""
    return web.Response(
        text=json.dumps({"message": f"{method} is not simulated"}),
        status=405,
        headers={"Allow": "GET"},
        content_type="application/json",
    )


def read_count(query: Mapping[str, str], name: str, default: int, largest: int) -> int:
    """Return a whole number from a query, at least 1.

    Raises:
        RestError: 422 if it is not a number or exceeds the maximum.
    """
    try:
        count = int(query.get(name, default))
    except ValueError:
        count = 0
    if not 1 <= count <= largest:
        raise RestError(422, f"{name} must be between 1 and {largest}", 40010001)
    return count


def read_symbols(query: Mapping[str, str], largest: int | None = None) -> list[str]:
    """Return the symbols of a query.

    Raises:
        RestError: 400 if there are none, or too many.
    """
    symbols = [symbol for symbol in query.get("symbols", "").split(",") if symbol]
    if not symbols:
        raise RestError(400, "symbols is required")
    if largest is not None and len(symbols) > largest:
        raise RestError(400, f"at most {largest} symbols are allowed")
    return symbols
