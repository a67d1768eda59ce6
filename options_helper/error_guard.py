"""A guard against unexpected errors, so that one failure does not stop everything else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Guard:
    """A guard that catches every exception, logs the first of each kind, and reports each one.

    Args:
        logger: Receives `{what} raised {kind}{consequence}`.
        consequence: The rest of the logged sentence.
        with_traceback: Log the exception's text and traceback too; leave it off if they may contain a key.
    """

    def __init__(self, logger: logging.Logger, consequence: str, *, with_traceback: bool = False) -> None:
        self._logger = logger
        self._consequence = consequence
        self._with_traceback = with_traceback
        self._kinds: set[str] = set()

    @contextmanager
    def keep_going(self, what: str, note: Callable[[str], object] = lambda _kind: None) -> Iterator[None]:
        """Run the block; if it raises, call `note` with the kind of the exception."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one failure must not stop everything else
            kind = type(error).__name__
            if kind not in self._kinds:
                self._kinds.add(kind)
                self._log(what, kind, error if self._with_traceback else None)
            note(kind)

    def _log(self, what: str, kind: str, cause: Exception | None) -> None:
        self._logger.error("%s raised %s%s", what, kind, self._consequence, exc_info=cause)
