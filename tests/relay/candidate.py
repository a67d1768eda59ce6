"""A process that stands by, and holds a connection while it leads: `candidate.py NATS_URL PORT NAME`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import nats

from options_helper.relay.leadership import Leadership
from options_helper.relay.lease import LeaseTimes

TIMES = LeaseTimes(lease=1.5, margin=0.7, grace=0.4, renew=0.2, poll=0.05)


async def stand(url: str, port: int, name: str) -> None:
    """Send the name every few milliseconds on one connection while this process leads; stop on SIGTERM."""
    client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, connect_timeout=1)
    leadership = Leadership(client.jetstream(), "oh_relay", holder=name, times=TIMES)

    async def term() -> None:
        if not leadership.holds:
            return
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                if leadership.holds:
                    writer.write(f"{name}\n".encode())
                await asyncio.sleep(0.005)
        finally:
            writer.close()

    running = asyncio.ensure_future(leadership.run(term))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await client.close()


if __name__ == "__main__":
    asyncio.run(stand(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
