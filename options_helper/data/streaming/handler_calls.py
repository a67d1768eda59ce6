"""Handing what came to whoever listens: a listener's mistake is counted, and the stream goes on."""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from options_helper.data.streaming.connection_observer import ConnectionObserver

logger = logging.getLogger(__name__)

Handler = Callable[[Any], Any]


class HandlerCalls:
    """Calls the handlers of one stream, plain or coroutine functions.

    Args:
        stream: "stocks", "options" or "fills".
        observer: Told how many items a handler that raised was given, as malformed.
    """

    def __init__(self, stream: str, observer: ConnectionObserver) -> None:
        self._stream = stream
        self._observer = observer
        self._raised: Counter[str] = Counter()

    async def __call__(self, handler: Handler | None, items: Any) -> None:  # noqa: ANN401 - one item or a list
        """Hand the items over, if anybody listens."""
        if handler is None:
            return
        try:
            result = handler(items)
            if inspect.isawaitable(result):
                await result
        except Exception as error:  # noqa: BLE001 - a listener's mistake must not cost the connection
            self._count(type(error).__name__, len(items) if isinstance(items, list | tuple) else 1)

    def _count(self, kind: str, items: int) -> None:
        self._raised[kind] += 1
        if self._raised[kind] == 1:
            logger.error(
                "A listener of the %s stream raised %s; what it was given is lost.", self._stream, kind
            )
        self._observer.counted(messages=0, conflated=0, malformed=items)
