"""One connection between a test's server and an SDK class that only does the handshake."""

from __future__ import annotations

import asyncio
import contextlib
import select
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("websockets", reason="needs websockets (pip install -e '.[alpaca]')")
pytest.importorskip("msgpack", reason="msgpack comes with alpaca-py and with the dev extra")

from collections.abc import Callable, Iterator

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.server import serve

from options_helper.data.streaming.connection.connection import one_connection
from options_helper.data.streaming.connection.decoder import MarketBatch
from options_helper.data.streaming.connection.market_data import DataConnection, seconds_until_turn
from options_helper.data.streaming.connection.observer import ConnectionTimes, SilentObserver
from options_helper.data.streaming.connection.order_updates import TradingConnection
from options_helper.data.streaming.connection.protocol import websocket_params
from options_helper.errors import StreamError, StreamRejected

ACK = {"T": "subscription", "quotes": ["C1"], "trades": ["C1"]}


class HandshakeOnly:
    """The parts of the SDK's streams that a connection needs; it connects and requests nothing."""

    def __init__(self, url: str) -> None:
        self._url = self._endpoint = url
        self._api_key = "key"
        self._ws: Any = None

    async def _connect(self) -> None:
        from websockets.legacy.client import connect

        self._ws = await connect(self._url, **websocket_params())

    async def _auth(self) -> None:
        pass

    async def _send_subscribe_msg(self) -> None:
        pass

    async def _subscribe_trade_updates(self) -> None:
        pass


@contextlib.contextmanager
def _server(talk: Callable[[Any], None]) -> Iterator[str]:
    with serve(talk, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def _connection(kind: Any, url: str, deliver: Any) -> Any:
    connection = one_connection(kind, HandshakeOnly)(url)
    connection.stream_name = "options"
    connection.deliver = deliver
    connection.asked = frozenset({"C1"})
    connection.prepare(observer=SilentObserver(), times=ConnectionTimes())
    return connection


def _quote(bid: float) -> dict[str, Any]:
    return {"T": "q", "S": "C1", "bp": bid, "ap": bid + 0.1, "bs": 1, "as": 1}


def test_the_servers_message_counts_before_the_broken_connection_that_follows() -> None:
    """Quotes before an error frame are delivered, and its code is the reason even if the socket closes too.

    A quote that was not requested is ignored, because such quotes would fill the memory.
    """
    batches: list[MarketBatch] = []

    async def deliver(batch: MarketBatch) -> None:
        batches.append(batch)

    def talk(websocket: Any) -> None:
        cut = {"T": "error", "code": 407, "msg": "slow client"}
        for message in (ACK, _quote(1.0), _quote(2.0), {**_quote(3.0), "S": "X"}, cut):
            websocket.send(msgpack.packb([message]))

    with _server(talk) as url:
        connection = _connection(DataConnection, url, deliver)
        with pytest.raises(StreamError) as raised:
            connection.run()
    assert raised.value.code == 407
    assert [quote.bid_price for batch in batches for quote in batch.quotes][-1] == 2.0
    assert {quote.symbol for batch in batches for quote in batch.quotes} == {"C1"}
    assert sum(batch.messages for batch in batches) == 2
    assert sum(batch.malformed for batch in batches) == 0


REFUSED = {"T": "error", "code": 409, "msg": "insufficient subscription"}
STATUSES_TOO = {**ACK, "statuses": ["C1"]}


@pytest.mark.parametrize(
    ("answers", "delivered"),
    [
        ([STATUSES_TOO, REFUSED], False),
        ([REFUSED, REFUSED], False),
        ([REFUSED, _quote(1.0)], True),
    ],
)
def test_only_the_request_for_statuses_may_be_refused(answers: list[dict[str, Any]], delivered: bool) -> None:
    """If the request for statuses is refused, quotes continue; a refusal after the answer ends the stream."""
    batches: list[MarketBatch] = []

    async def deliver(batch: MarketBatch) -> None:
        batches.append(batch)

    async def deliver_statuses(_statuses: list[dict[str, Any]]) -> None:
        pass

    def talk(websocket: Any) -> None:
        websocket.send(msgpack.packb([ACK]))
        assert "statuses" in msgpack.unpackb(websocket.recv())
        for answer in answers:
            websocket.send(msgpack.packb([answer]))

    with _server(talk) as url:
        connection = _connection(DataConnection, url, deliver)
        connection.deliver_statuses = deliver_statuses
        with pytest.raises(StreamError) as raised:
            connection.run()
    assert (raised.value.code, isinstance(raised.value, StreamRejected)) == (
        (None, False) if delivered else (409, True)
    )
    assert bool(batches) is delivered


class Waits(SilentObserver):
    """Records how long the oldest message of each batch waited."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def counted(self, *, waited: float = 0.0, **_counts: int) -> None:
        """Record the wait."""
        self.seen.append(waited)


def test_messages_that_collect_in_the_socket_count_as_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote delivered at once did not wait; one sent during the pause waited no longer than the pause."""
    now, waits, pauses = [100.0], Waits(), list[float]()
    pausing, sent = threading.Event(), threading.Event()

    def pause(seconds: float) -> None:
        if not waits.seen or pausing.is_set():  # the pauses after the acknowledgement and at the end
            return
        pausing.set()
        assert sent.wait(20)
        socket = connection._ws.transport.get_extra_info("socket")
        assert select.select([socket], [], [], 20)[0]
        now[0] += seconds
        pauses.append(seconds)

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=pause)
    for module in ("connection.market_data", "connection.decoder"):
        monkeypatch.setattr(f"options_helper.data.streaming.{module}.time", clock)

    async def deliver(_batch: MarketBatch) -> None:
        pass

    def talk(websocket: Any) -> None:
        for message in (ACK, _quote(1.0)):
            websocket.send(msgpack.packb([message]))
        assert pausing.wait(20)
        websocket.send(msgpack.packb([_quote(2.0)]))
        sent.set()

    with _server(talk) as url:
        connection = _connection(DataConnection, url, deliver)
        connection.prepare(observer=waits, times=ConnectionTimes(flush=0.02))
        with pytest.raises(StreamError, match="closed the connection"):
            connection.run()
    assert waits.seen == pytest.approx([0.0, *pauses])


def test_a_busy_stream_delivers_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 400 messages within 0.03 s, the pause is longer; after a quiet pause, it is short again."""
    pauses: list[float] = []
    was_busy = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if seconds >= 0.05:
            was_busy.set()

    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pause)
    monkeypatch.setattr("options_helper.data.streaming.connection.market_data.time", clock)

    async def deliver(_batch: MarketBatch) -> None:
        pass

    def talk(websocket: Any) -> None:
        for messages in ([ACK], [_quote(1.0)] * 400):
            websocket.send(msgpack.packb(messages))
        assert was_busy.wait(20)
        websocket.send(msgpack.packb([_quote(2.0)]))

    with _server(talk) as url:
        connection = _connection(DataConnection, url, deliver)
        connection.prepare(observer=Waits(), times=ConnectionTimes())
        with pytest.raises(StreamError, match="closed the connection"):
            connection.run()
    (busy,) = [place for place, seconds in enumerate(pauses) if seconds >= 0.05]
    assert pauses[busy] < 0.15
    assert pauses[busy + 1 :]
    assert all(0.01 <= seconds < 0.03 for seconds in (*pauses[:busy], *pauses[busy + 1 :]))


@given(st.floats(0, 1e6), st.sampled_from([0.02, 0.1]), st.sampled_from([0.0, 0.5]))
def test_streams_take_turns(now: float, period: float, turn: float) -> None:
    """A stream's next turn is half to one and a half periods ahead, at its own place within each period."""
    wait = seconds_until_turn(turn, period, now)
    assert 0.5 * period <= wait <= 1.5 * period
    place = (now + wait) / period - turn
    assert place == pytest.approx(round(place), abs=1e-6)


def test_all_order_updates_before_a_broken_connection_are_delivered_in_order() -> None:
    """Messages sent before the server closed, binary or text, reach the handler before the end does."""
    got: list[int] = []

    async def deliver(message: dict[str, Any]) -> None:
        got.append(message["data"]["number"])

    def talk(websocket: Any) -> None:
        websocket.send(b'{"stream": "listening", "data": {"streams": ["trade_updates"]}}')
        for number in range(40):
            update = f'{{"stream": "trade_updates", "data": {{"number": {number}}}}}'
            websocket.send(update if number >= 30 else update.encode())

    with _server(talk) as url:
        connection = _connection(TradingConnection, url, deliver)
        with pytest.raises(StreamError, match="closed the connection"):
            connection.run()
    assert got == list(range(40))


HALF = '{"stream": "trade_updates", "data": {"order": {"symbol": "\\ud83d"}}}'  # of a surrogate pair
NAN = '{"stream": "trade_updates", "data": {"price": NaN}}'


@pytest.mark.parametrize("frame", ["not JSON", b"\xff\xfe", "[]", '{"data": {}}', "null", '"x"', HALF, NAN])
def test_an_unreadable_frame_of_the_trading_stream_is_passed_on(frame: str | bytes) -> None:
    """A frame that might have been a fill reaches the listener as an update without data."""
    got: list[dict[str, Any]] = []

    async def deliver(message: dict[str, Any]) -> None:
        got.append(message)

    def talk(websocket: Any) -> None:
        websocket.send(b'{"stream": "listening", "data": {"streams": ["trade_updates"]}}')
        websocket.send(frame)

    with _server(talk) as url:
        connection = _connection(TradingConnection, url, deliver)
        with pytest.raises(StreamError, match="closed the connection"):
            connection.run()
    assert got == [{"stream": "trade_updates", "data": None}]


def test_a_stop_that_meets_a_pong_is_not_lost() -> None:
    """If a stop and a pong coincide, the pings end too, so the stream does not live on unseen."""

    async def stop_with_the_pong() -> bool:
        asked, pong = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def ping() -> asyncio.Future[None]:
            asked.set()
            return pong

        connection = _connection(DataConnection, "ws://nobody", None)
        connection.prepare(observer=SilentObserver(), times=ConnectionTimes(ping_interval=0))
        connection._ws = SimpleNamespace(ping=ping)
        pings = asyncio.ensure_future(connection._keep_alive())
        await asked.wait()
        pong.set_result(None)
        pings.cancel()
        await asyncio.wait([pings], timeout=1)
        return pings.cancelled()

    assert asyncio.run(stop_with_the_pong())
