"""Runs coroutines together until one ends or all are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_CANCEL_AGAIN_SECONDS = 0.1
Result = TypeVar("Result")


async def run_together(*duties: Coroutine[object, None, object]) -> None:
    """Run all until one ends or this call is cancelled, then end the others; raise the first error."""
    tasks = [asyncio.ensure_future(duty) for duty in duties]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def end(*tasks: asyncio.Future[Result]) -> None:
    """Cancel tasks until all have ended.

    One cancellation is not enough: nats-py suppresses it while it flushes, and until Python 3.12
    `asyncio.wait_for`, which nats-py uses, loses one that arrives with a result.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
