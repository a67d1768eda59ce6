"""The receivers of one burst, each in its own process: `receivers.py KIND --port N`.

L        websockets' current client and `msgpack.unpackb`, nothing else
S, P     the bare SDK stream with a handler that does nothing: raw messages, or parsed objects
product  `LiveStreamManager` with its own streamers; it has finished when `snapshot()`, polled every 4 ms,
         shows the last quote of every symbol; a second line reports the counts
ring     the product with the last five minutes in memory, as in the portal
recording  the same, and with a recording on disk
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from feed import END_SYMBOL, FINAL_BID

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import LiveStreamManager
    from options_helper.recording.recorder import Recorder

_PRODUCT = ("product", "ring", "recording")
warnings.filterwarnings("ignore", message="websockets.legacy is deprecated")


class Meter:
    """A meter of this process's CPU time, from a line on stdin to `stop()`."""

    def __init__(self) -> None:
        self._cpu = 0.0
        threading.Thread(target=self._begin_at_line, daemon=True).start()

    def _begin_at_line(self) -> None:
        sys.stdin.readline()
        self._cpu = time.process_time()

    def stop(self) -> None:
        """Report the current monotonic time, which all processes share, and the CPU seconds."""
        finished, cpu = time.monotonic(), time.process_time() - self._cpu
        print(json.dumps({"finished": finished, "cpu": cpu}), flush=True)


def symbols_of(count: int) -> list[str]:
    """Return contract symbols, and the one that ends a burst."""
    return [*(f"AAPL261218C{number:08d}" for number in range(1000, 1000 + count)), END_SYMBOL]


async def receive_bare(port: int, symbols: list[str], meter: Meter) -> None:
    """Receive one burst with websockets and msgpack."""
    import msgpack  # noqa: PLC0415 - each receiver loads only its own library
    from websockets.asyncio.client import connect  # noqa: PLC0415

    url = f"ws://127.0.0.1:{port}/v1beta1/opra"
    async with connect(url, compression=None, max_size=None) as websocket:
        await websocket.recv()
        await websocket.send(msgpack.packb({"action": "auth", "key": "k", "secret": "s"}))
        await websocket.recv()
        await websocket.send(msgpack.packb({"action": "subscribe", "quotes": symbols}))
        await websocket.recv()
        while True:
            messages = msgpack.unpackb(await websocket.recv())
            if messages[-1]["S"] == END_SYMBOL:
                break
        meter.stop()


def receive_sdk(port: int, symbols: list[str], meter: Meter, *, parsed: bool) -> None:
    """Receive one burst with alpaca-py's own stream."""
    from alpaca.data.live.option import OptionDataStream  # noqa: PLC0415

    ended = threading.Event()

    async def ignore(_quote: object) -> None:
        pass

    async def end(_quote: object) -> None:
        meter.stop()
        ended.set()

    url = f"ws://127.0.0.1:{port}/v1beta1/opra"
    stream = OptionDataStream("k", "s", raw_data=not parsed, url_override=url)
    stream.subscribe_quotes(ignore, *(symbol for symbol in symbols if symbol != END_SYMBOL))
    stream.subscribe_quotes(end, END_SYMBOL)
    threading.Thread(target=stream.run, daemon=True).start()
    ended.wait()


def receive_product(port: int, symbols: list[str], meter: Meter, recorder: Recorder | None) -> None:
    """Receive one burst with `LiveStreamManager`."""
    manager = start_product(port, contracts=symbols, recorder=recorder)
    while not (manager.snapshot().option_quotes.rows["bid_price"] == FINAL_BID).all():
        time.sleep(0.004)
    meter.stop()
    time.sleep(0.1)  # the counts follow the quotes
    snapshot = manager.snapshot()
    messages = snapshot.health["options"].messages
    print(json.dumps({"messages": messages, "dropped": snapshot.dropped_events}), flush=True)
    manager.stop()


def start_readers(url: str, contracts: Sequence[str], count: int) -> list[LiveStreamManager]:
    """Return started managers that read from the relay at a NATS server."""
    from options_helper.data.streaming.live_manager import (  # noqa: PLC0415
        LiveStreamConfig,
        LiveStreamManager,
    )
    from options_helper.relay.reader import relay_source  # noqa: PLC0415

    managers = [LiveStreamManager(source=relay_source(url, {})) for _ in range(count)]
    for manager in managers:
        manager.start(LiveStreamConfig(option_contracts=tuple(contracts), stream_fills=False))
    return managers


def start_product(
    port: int,
    *,
    contracts: Sequence[str],
    stocks: Sequence[str] = (),
    fills: bool = False,
    recorder: Recorder | None = None,
) -> LiveStreamManager:
    """Return a started manager with its own streamers."""
    from options_helper.data.settings import Account, AlpacaSettings  # noqa: PLC0415
    from options_helper.data.streaming.live_manager import (  # noqa: PLC0415
        LiveStreamConfig,
        LiveStreamManager,
    )

    settings = AlpacaSettings(
        key_id="PKBENCHMARK",
        secret_key="benchmark",  # noqa: S106 - the feed accepts any
        account=Account.DEMO,
        trading_url=f"http://127.0.0.1:{port}",
        data_url=f"http://127.0.0.1:{port}",
        stream_url=f"ws://127.0.0.1:{port}",
    )
    manager = LiveStreamManager(recorder=recorder)
    config = LiveStreamConfig(
        settings=settings,
        stocks=tuple(stocks),
        option_contracts=tuple(contracts),
        stream_fills=fills,
        options_feed="opra",
        backfill=False,
    )
    manager.start(config)
    return manager


def make_recorder(kind: str, folder: Path) -> Recorder | None:
    """Return the recorder of a kind of product."""
    from options_helper.recording.recorder import Recorder  # noqa: PLC0415 - each receiver loads only its own library
    from options_helper.recording.ring import RING_BYTES  # noqa: PLC0415

    if kind == "product":
        return None
    return Recorder(folder=folder if kind == "recording" else None, ring_bytes=RING_BYTES)


def main() -> None:
    """Receive one burst."""
    parser = argparse.ArgumentParser(description="A receiver to be measured.")
    parser.add_argument("kind", choices=("L", "S", "P", *_PRODUCT))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--symbols", type=int, default=250)
    options = parser.parse_args()
    symbols, meter = symbols_of(options.symbols), Meter()
    if options.kind == "L":
        asyncio.run(receive_bare(options.port, symbols, meter))
    elif options.kind in _PRODUCT:
        with tempfile.TemporaryDirectory() as folder:
            receive_product(options.port, symbols, meter, make_recorder(options.kind, Path(folder)))
    else:
        receive_sdk(options.port, symbols, meter, parsed=options.kind == "P")


if __name__ == "__main__":
    main()
