"""websockets and msgpack.unpackb, nothing else; `--legacy` for the older client that the SDK uses."""

from __future__ import annotations

import asyncio
import warnings

import msgpack
from frame_pool import END_SYMBOL
from meter import Meter, parse_arguments, symbols_of
from websockets.asyncio.client import connect

warnings.filterwarnings("ignore", message="websockets.legacy is deprecated")

from websockets.legacy.client import connect as connect_legacy  # noqa: E402 - after the filter


async def receive(port: int, symbols: list[str], *, legacy: bool, meter: Meter) -> None:
    """Until the end of one burst."""
    url = f"ws://127.0.0.1:{port}/v1beta1/opra"
    opened = connect_legacy if legacy else connect
    async with opened(url, compression=None, max_size=None) as websocket:
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


if __name__ == "__main__":
    options = parse_arguments("legacy")
    asyncio.run(receive(options.port, symbols_of(options.symbols), legacy=options.legacy, meter=Meter()))
