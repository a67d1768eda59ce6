"""Bursts of millions of quotes, in frames that are built once and written as fast as the socket accepts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from options_helper.simulator.market.contracts import parse_contract
from options_helper.simulator.market.market import PricedQuote
from options_helper.simulator.market.messages import option_quote_message, stock_quote_message
from options_helper.simulator.streams.data_stream import DataConnection
from options_helper.simulator.wire import Message, Nanoseconds, frame, to_msgpack
from options_helper.simulator.world import World

_BACKLOG_BYTES = 1024 * 1024
_CHUNK_BYTES = 256 * 1024
_MESSAGES_BUILT = 20_000
_LAST_NUMBER = 50_000  # only the last quotes have prices of 500 dollars or more
_POLL_SECONDS = 0.001
_PACE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class BurstResult:
    """The result of a burst.

    Attributes:
        sent: The number of messages, including the last quotes.
        seconds: The time from the first byte written to the last byte accepted by the socket.
        last: The bid and ask of each symbol's last quote.
    """

    sent: int
    seconds: float
    last: Mapping[str, tuple[float, float]]


def _quote(symbol: str, number: int) -> Message:
    make = stock_quote_message if parse_contract(symbol) is None else option_quote_message
    cents = number if number >= _LAST_NUMBER else 100 + number % 40_000
    quote = PricedQuote(cents / 100, (cents + 5) / 100, 1 + number % 50, 1 + number % 40)
    return make(symbol, quote, Nanoseconds.now())


def _frames(
    symbols: Sequence[str], count: int, per_frame: int, first: int
) -> Iterator[tuple[bytes, list[Message]]]:
    messages = [_quote(symbols[number % len(symbols)], first + number) for number in range(count)]
    for start in range(0, count, per_frame):
        batch = messages[start : start + per_frame]
        yield frame(to_msgpack(batch)), batch


async def send_burst(
    world: World,
    stream: str,
    count: int,
    *,
    per_frame: int,
    symbols: Sequence[str],
    rate: float | None,
) -> BurstResult:
    """Send `count` quotes to a data stream's client; see `StreamControls.burst`.

    Raises:
        RuntimeError: No client is connected, or nothing is subscribed and no symbols are given.
    """
    connection = next(
        (one for one in world.clients.connected if one.stream == stream and isinstance(one, DataConnection)),
        None,
    )
    if connection is None:
        raise RuntimeError(f"nobody is connected to {stream}")
    chosen = list(symbols) or sorted(connection.subscriptions["quotes"])
    if not chosen:
        raise RuntimeError(f"nobody has subscribed to a quote of {stream}")
    # Whole frames come first; the rest ends with one unique quote of each symbol.
    body = max(count - len(chosen), 0) // per_frame * per_frame
    if rate is None:
        most = min(body, max(_MESSAGES_BUILT // per_frame, 1) * per_frame)
        built = [data for data, _ in _frames(chosen, most, per_frame, 0)]
        started = time.monotonic()
        await _send_fast(connection, built, body // per_frame)
    else:
        started = time.monotonic()
        await _send_paced(connection, chosen, body, per_frame, rate)
    last: dict[str, tuple[float, float]] = {}
    for data, messages in _frames(chosen, count - body, per_frame, _LAST_NUMBER):
        connection.write(data)
        last |= {message["S"]: (message["bp"], message["ap"]) for message in messages}
    await _taken(connection, 0)
    return BurstResult(sent=count, seconds=time.monotonic() - started, last=last)


async def _taken(connection: DataConnection, backlog_bytes: int) -> None:
    await asyncio.sleep(0)
    # The transport does not report its progress.
    while connection.is_open and connection.backlog_bytes > backlog_bytes:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_SECONDS)


async def _send_fast(connection: DataConnection, built: Sequence[bytes], frames: int) -> None:
    sent = 0
    while sent < frames and connection.is_open:
        chunk: list[bytes] = []
        size = 0
        while sent < frames and size < _CHUNK_BYTES:
            chunk.append(built[sent % len(built)])
            size += len(chunk[-1])
            sent += 1
        connection.write(b"".join(chunk))
        await _taken(connection, _BACKLOG_BYTES)


async def _send_paced(
    connection: DataConnection, symbols: Sequence[str], count: int, per_frame: int, rate: float
) -> None:
    started, sent = time.monotonic(), 0
    while sent < count and connection.is_open:
        due = min(int((time.monotonic() - started) * rate) // per_frame * per_frame, count) - sent
        connection.write(b"".join(data for data, _ in _frames(symbols, due, per_frame, sent)))
        sent += due
        await asyncio.sleep(_PACE_SECONDS)
