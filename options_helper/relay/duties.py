"""Runs coroutines together until one ends or all are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

_CANCEL_AGAIN_SECONDS = 0.1


async def run_together(*duties: Coroutine[None, None, None]) -> None:
    """Run all until one ends or this call is cancelled, then end the others; raise the first error."""
    tasks = [asyncio.ensure_future(duty) for duty in duties]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Until Python 3.12, `asyncio.wait_for`, which nats-py uses, loses a cancellation that arrives with a
        # result, so one cancellation is not enough.
        while pending := [task for task in tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.result()
