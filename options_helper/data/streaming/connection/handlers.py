"""Passes messages to listeners; a listener's error is counted, and the stream continues."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from options_helper.data.streaming.connection.observer import ConnectionObserver
from options_helper.error_guard import Guard

logger = logging.getLogger(__name__)

Handler = Callable[[Any], object]  # a listener declares what it accepts


class HandlerCalls:
    """A caller of one stream's handlers, which are plain or coroutine functions.

    Args:
        stream: "stocks", "options" or "fills".
        observer: Counts the items as malformed if a handler raises.
    """

    def __init__(self, stream: str, observer: ConnectionObserver) -> None:
        self._stream = stream
        self._observer = observer
        self._guard = Guard(logger, "; the messages passed to it are lost.")

    async def __call__(self, handler: Handler | None, items: object) -> None:
        """Pass on one item or a list, if there is a handler."""
        if handler is None:
            return
        with self._guard.keep_going(f"A listener of the {self._stream} stream", partial(self._count, items)):
            result = handler(items)
            if inspect.isawaitable(result):
                await result

    def _count(self, items: object, _kind: str) -> None:
        lost = len(items) if isinstance(items, list | tuple) else 1
        self._observer.counted(messages=0, conflated=0, malformed=lost)
