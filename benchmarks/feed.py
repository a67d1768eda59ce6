"""A feed server for measurements: just enough of Alpaca's streams, in its own process.

It shares nothing with the product. Market data is encoded in advance, so that only the receiver is measured.
Commands arrive as lines on stdin; answers and events are printed as JSON lines on stdout:

    go        send on every market data connection: `--messages` flat out, or at `--rate` until `pause`
    pause     stop sending at `--rate`
    fill      send one order update on every trading connection
    (EOF)     exit

A flat-out burst ends with a final quote (`FINAL_BID`) of every symbol, and then one of `END_SYMBOL`.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass

import msgpack
from server_side import Connection, accept_websocket, encode_frame

POOL_MESSAGES = 4000
FINAL_BID = 777.25
END_SYMBOL = "ZZZZ"
_UNSET = msgpack.Timestamp(seconds=0x2_90AB_CDEF, nanoseconds=123_456_789)  # a placeholder for a time
_MARK = _UNSET.to_bytes()

_saying = threading.Lock()


class FramePool:
    """Frames of `per_frame` quotes of randomly drawn symbols, always the same for the same symbols.

    Attributes:
        blob: All frames of the pool, one after the other, ready for the socket.
        messages: The number of messages in the pool.
    """

    def __init__(self, symbols: list[str], per_frame: int) -> None:
        self._symbols = [symbol for symbol in symbols if symbol != END_SYMBOL]
        self._per_frame = per_frame
        self._random = random.Random(20261118)  # noqa: S311 - the same load each time, not a secret
        self._payloads = [self._payload() for _ in range(max(1, POOL_MESSAGES // per_frame))]
        self._places = [_places(payload) for payload in self._payloads]
        self.messages = len(self._payloads) * per_frame
        now = _stamp()  # one time for all: the blob is sent repeatedly, and times must not go back
        self.blob = b"".join(encode_frame(self.stamped(number, now)) for number in range(len(self._payloads)))

    def stamped(self, number: int, at: int | None = None) -> bytes:
        """Return the payload of one frame, its messages stamped with a time, by default the current one."""
        number %= len(self._payloads)
        payload, stamp = self._payloads[number], at or _stamp()
        for place in self._places[number]:
            struct.pack_into(">Q", payload, place, stamp)
        return bytes(payload)

    def final_blob(self) -> bytes:
        """Return the last quote of every symbol, then the quote of `END_SYMBOL` in its own frame."""
        final = [_quote(symbol, FINAL_BID) for symbol in self._symbols]
        frames = [final[at : at + self._per_frame] for at in range(0, len(final), self._per_frame)]
        frames.append([_quote(END_SYMBOL, FINAL_BID)])
        blobs = []
        for frame in frames:
            payload = bytearray(msgpack.packb(frame))
            for place in _places(payload):
                struct.pack_into(">Q", payload, place, _stamp())
            blobs.append(encode_frame(bytes(payload)))
        return b"".join(blobs)

    def _payload(self) -> bytearray:
        draw = self._random
        messages = [
            _quote(draw.choice(self._symbols), round(draw.uniform(0.05, 30), 2))
            for _ in range(self._per_frame)
        ]
        return bytearray(msgpack.packb(messages))


def _quote(symbol: str, bid: float) -> dict[str, object]:
    return {
        "T": "q",
        "S": symbol,
        "t": _UNSET,
        "bx": "C",
        "bp": bid,
        "bs": 11,
        "ax": "N",
        "ap": round(bid + 0.05, 2),
        "as": 7,
        "c": "A",
    }


def _stamp() -> int:
    """Return the current time as msgpack writes it."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return nanoseconds << 34 | seconds


def _places(payload: bytearray) -> list[int]:
    places, at = [], payload.find(_MARK)
    while at >= 0:
        places.append(at)
        at = payload.find(_MARK, at + 8)
    return places


@dataclass(frozen=True)
class Plan:
    """The messages that one `go` sends on each market data connection."""

    per_frame: int
    messages: int
    rate: float


class Feed:
    """All open connections, and the threads that send on them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._market: list[tuple[Connection, FramePool]] = []
        self._trading: list[Connection] = []
        self._pause = threading.Event()
        self._orders = 0

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the process ends."""
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else Nagle's algorithm is measured
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        connection = accept_websocket(sock)
        if connection is None:
            return
        try:
            if connection.path == "/stream":
                self._talk_orders(connection)
            else:
                self._talk_market(connection)
        except OSError:
            say(event="closed", path=connection.path)
        finally:
            self._market = [entry for entry in self._market if entry[0] is not connection]
            self._trading = [entry for entry in self._trading if entry is not connection]

    def _talk_market(self, connection: Connection) -> None:
        connection.send_msgpack([{"T": "success", "msg": "connected"}])
        for request in connection.requests():
            if request["action"] == "auth":
                connection.send_msgpack([{"T": "success", "msg": "authenticated"}])
            elif "quotes" in request:  # other channels have separate requests and are not served
                quotes, trades = list(request["quotes"]), list(request.get("trades", ()))
                connection.send_msgpack([{"T": "subscription", "quotes": quotes, "trades": trades}])
                self._market.append((connection, FramePool(quotes, self._plan.per_frame)))
                say(event="subscribed", path=connection.path, symbols=len(quotes))

    def _talk_orders(self, connection: Connection) -> None:
        for request in connection.requests():
            if request["action"] == "listen":
                connection.send_json({"stream": "listening", "data": {"streams": ["trade_updates"]}})
                self._trading.append(connection)
                say(event="subscribed", path=connection.path, symbols=0)
            else:
                connection.send_json({"stream": "authorization", "data": {"status": "authorized"}})

    def go(self) -> None:
        """Start sending on every market data connection."""
        self._pause.clear()
        say(event="began", at=time.monotonic())
        send = self._send_paced if self._plan.rate else self._send_flat_out
        for connection, pool in self._market:
            threading.Thread(target=self._guarded, args=(send, connection, pool), daemon=True).start()

    def pause(self) -> None:
        """Stop sending at the configured rate."""
        self._pause.set()

    def fill(self) -> None:
        """Send one order update on every trading connection."""
        self._orders += 1
        for connection in self._trading:
            connection.send_json(order_update(self._orders))
        say(event="filled", order=self._orders, at=time.monotonic())

    def _guarded(self, send: object, connection: Connection, pool: FramePool) -> None:
        try:
            sent = send(connection, pool)  # type: ignore[operator]
        except OSError:
            return
        say(event="sent", path=connection.path, messages=sent, at=time.monotonic())

    def _send_flat_out(self, connection: Connection, pool: FramePool) -> int:
        rounds = max(1, self._plan.messages // pool.messages)
        for _ in range(rounds):
            connection.send_frames(pool.blob)
        connection.send_frames(pool.final_blob())
        return rounds * pool.messages

    def _send_paced(self, connection: Connection, pool: FramePool) -> int:
        began, count, per_frame = time.monotonic(), 0, self._plan.per_frame
        while not self._pause.is_set():
            due = began + count * per_frame / self._plan.rate
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            connection.send_frames(encode_frame(pool.stamped(count)))
            count += 1
        return count * per_frame


def order_update(number: int) -> dict[str, object]:
    """Return a fill as Alpaca's trading stream sends it."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
    order = {
        "id": f"order-{number}",
        "client_order_id": f"client-{number}",
        "symbol": "AAPL261218C00250000",
        "asset_class": "us_option",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "qty": "1",
        "filled_qty": "1",
        "filled_avg_price": "2.50",
        "limit_price": "2.55",
        "status": "filled",
        "order_class": "simple",
    }
    data = {
        "event": "fill",
        "execution_id": f"execution-{number}",
        "timestamp": stamp,
        "price": "2.50",
        "qty": "1",
        "position_qty": "1",
        "order": order,
    }
    return {"stream": "trade_updates", "data": data}


def say(**event: object) -> None:
    """Print one JSON line for the process that started the feed."""
    with _saying:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="A feed server for measurements.")
    parser.add_argument("--per-frame", type=int, default=10)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=0.0, help="messages per second; 0 is flat out")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=16)
    feed = Feed(Plan(options.per_frame, options.messages, options.rate))
    threading.Thread(target=feed.serve, args=(listener,), daemon=True).start()
    say(event="listening", port=listener.getsockname()[1])
    commands = {"go": feed.go, "pause": feed.pause, "fill": feed.fill}
    for line in sys.stdin:
        commands[line.strip()]()


if __name__ == "__main__":
    main()
