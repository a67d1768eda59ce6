"""The routes of the simulator's aiohttp application: the streams and REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from options_helper.simulator.connection import Connection
from options_helper.simulator.rest import account, market_data, reference
from options_helper.simulator.rest.application import RestApi, refuse_method
from options_helper.simulator.streams.data_stream import DataConnection
from options_helper.simulator.streams.trading_stream import TradingConnection
from options_helper.simulator.world import World

_AnyHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STREAM_PATHS = {
    "/v2/{feed:iex|sip|delayed_sip|test}": "stocks",
    "/v1beta1/{feed:boats|overnight}": "stocks",
    "/v1beta1/{feed:indicative|opra}": "options",
    "/stream": "fills",
}
_TRADING_PATHS = {
    "/v2/clock": reference.clock,
    "/v2/calendar": reference.calendar,
    "/v2/options/contracts/{symbol}": reference.contract,
    "/v2/account": account.account,
    "/v2/account/activities": account.activities,
    "/v2/positions": account.positions,
    "/v2/orders": account.orders,
    "/v2/orders/{order_id}": account.order,
}
_DATA_PATHS = {
    "/v1beta1/options/snapshots": market_data.option_snapshots,
    "/v2/stocks/snapshots": market_data.stock_snapshots,
    "/v2/stocks/bars": market_data.daily_bars,
    "/v1beta1/indices/latest/values": market_data.index_values,
    "/v1/corporate-actions": market_data.corporate_actions,
}


def build_application(world: World) -> web.Application:
    """Return an application that serves every endpoint and counts every request."""
    application = web.Application(middlewares=[_count_requests(world)])
    for path, stream in _STREAM_PATHS.items():
        application.router.add_get(path, _stream_handler(world, stream), allow_head=False)
    api = RestApi(world)
    for host, paths in (("trading", _TRADING_PATHS), ("data", _DATA_PATHS)):
        for path, handler in paths.items():
            application.router.add_get(path, api.route(host, handler), allow_head=False)
    return application


def _count_requests(world: World) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def count(request: web.Request, handler: _AnyHandler) -> web.StreamResponse:
        world.requests.append((request.method, request.path_qs))
        if request.method != "GET":
            return refuse_method(request.method)
        return await handler(request)

    return count


def _stream_handler(world: World, stream: str) -> _AnyHandler:
    async def serve(request: web.Request) -> web.StreamResponse:
        connection: Connection | None = None
        world.clients.enter(stream)
        try:
            refusal = await _refuse_upgrade(world, stream)
            if refusal is not None:
                return refusal
            connection = _connection(world, stream, request)
            await connection.open()
            world.clients.connected.append(connection)
            connection.apply_faults()
            await connection.serve()
        finally:
            world.clients.leave(stream, connection)
        await connection.finish_close()
        return connection.socket

    return serve


def _connection(world: World, stream: str, request: web.Request) -> Connection:
    if stream != "fills":
        return DataConnection(stream, request.match_info["feed"], request, world)
    connection = TradingConnection(request, world)
    world.clients.take(connection)
    return connection


async def _refuse_upgrade(world: World, stream: str) -> web.Response | None:
    faults = world.faults.of(stream)
    if faults.hang_on_connect:
        await world.released.wait()
        return web.Response(status=503)
    if faults.http_status is not None:
        return web.Response(status=faults.http_status, text=f"simulated error {faults.http_status}")
    # The trading stream knows the account by its key, so it refuses a second connection before the upgrade.
    if stream == "fills" and (faults.held or world.clients.is_taken(stream)):
        return web.Response(status=429, text="too many connections")
    return None
