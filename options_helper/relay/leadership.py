"""One relay leads, the others stand by: the lease, kept in a key-value bucket of JetStream."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, NoReturn

import nats.errors
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, BucketNotFoundError, KeyNotFoundError, KeyWrongLastSequenceError

from options_helper.relay.duties import end, run_together
from options_helper.relay.lease import Lease, LeaseTimes

if TYPE_CHECKING:
    from nats.js.kv import KeyValue

_KEY = "leader"
_EXIT_STATUS = 70  # EX_SOFTWARE; a service manager starts the relay again
_AWAY = (nats.errors.Error, TimeoutError, OSError)

_logger = logging.getLogger(__name__)


def seconds_since_boot() -> float:
    """Return a monotonic clock that also counts the time during which the machine was suspended."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def new_holder() -> str:
    """Return a name for this process that no other process has, such as `host/1234/9f86d081`."""
    return f"{platform.node()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def end_process() -> NoReturn:
    """End the process at once, so that the system closes its connections."""
    _logger.critical("The relay lost its lease and could not close its connections in time, so it ends.")
    os._exit(_EXIT_STATUS)


class Leadership:
    """Runs a coroutine while this process holds the lease, and at no other time."""

    def __init__(
        self,
        jetstream: JetStreamContext,
        bucket: str,
        *,
        holder: str = "",
        times: LeaseTimes | None = None,
        clock: Callable[[], float] = seconds_since_boot,
        overdue: Callable[[], object] = end_process,
    ) -> None:
        """Prepare to stand by.

        Args:
            jetstream: The context of a connection to NATS.
            bucket: The key-value bucket that the relays of one account share.
            holder: A name that no other process has.
            times: The durations; every process must use the same.
            clock: Returns seconds that include sleep and never go back.
            overdue: Called from a thread if the work has not ended when the grace is over.
        """
        self._jetstream = jetstream
        self._bucket = bucket
        self._clock = clock
        self._overdue = overdue
        self._store: KeyValue | None = None
        self._refusal = ""  # that was logged
        self._lease = Lease(holder or new_holder(), times or LeaseTimes())

    @property
    def holds(self) -> bool:
        """True while this process leads, by its own clock; may be read from any thread."""
        return self._lease.holds(self._clock())

    @property
    def leader(self) -> str:
        """The name of the process that led when the entry was last read; "" if none did."""
        return self._lease.leader

    async def run(self, term: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run `term` while leading, and stand by otherwise; return when a term returns by itself.

        The term is cancelled and awaited before the lease can have run out for others. To hand over at once,
        cancel this coroutine.
        """
        while not await self._lead(term):
            pass

    async def _lead(self, term: Callable[[], Coroutine[None, None, None]]) -> bool:
        """Run one term, and return whether it returned by itself."""
        try:
            await run_together(self._stand_by())  # because nats-py may lose a cancellation
        except asyncio.CancelledError:
            await self._release()  # it may just have been granted
            raise
        _logger.info("This relay leads.")
        ended = threading.Event()
        threading.Thread(target=self._fence, args=(ended,), name="options-helper-lease", daemon=True).start()
        work, renewals = asyncio.ensure_future(term()), asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({work, renewals}, return_when=asyncio.FIRST_COMPLETED)
            is_done = work.done()
        finally:
            work.cancel()  # once, because another cancellation would interrupt its end
            await end(renewals)
            await asyncio.gather(work, renewals, return_exceptions=True)
            ended.set()
            await self._release()
        if not work.cancelled():
            work.result()
        if not is_done:
            _logger.warning("This relay no longer leads.")
        return is_done

    async def _stand_by(self) -> None:
        """Return once the lease is granted."""
        while True:
            if await self._observe() and self._lease.may_claim(self._clock()) and await self._write():
                return
            await asyncio.sleep(self._lease.times.poll)

    async def _keep(self) -> None:
        """Keep the lease renewed; return once it has run out or another process holds it."""
        times = self._lease.times
        pause = times.renew
        while self.holds:
            remaining = self._lease.valid_until - self._clock()
            await asyncio.sleep(max(0.0, min(pause, remaining)))
            granted = self.holds and await self._write()
            pause = times.renew if granted else times.poll

    async def _write(self, *, release: bool = False) -> bool:
        """Replace the known revision, to claim, renew or release the lease; return whether it worked."""
        asked_at = self._clock()
        try:
            async with asyncio.timeout(self._patience(asked_at)):
                value = b"" if release else self._lease.next_value().encode()
                revision = await (await self._open()).update(_KEY, value, last=self._lease.revision)
        except KeyWrongLastSequenceError:
            await self._observe()
            return False
        except _AWAY as error:
            self._note(error)
            return False
        if release:
            self._lease.release(revision)
        else:
            self._lease.grant(revision, asked_at)
        return self.holds or release

    async def _observe(self) -> bool:
        """Read the entry, and return whether the server answered."""
        try:
            async with asyncio.timeout(self._patience(self._clock())):
                entry = await (await self._open()).get(_KEY)
        except KeyNotFoundError:
            self._store = None  # the bucket itself may be gone
            self._lease.observe(0, "", self._clock())
            return True
        except _AWAY as error:
            self._note(error)
            return False
        value = (entry.value or b"").decode(errors="replace")
        self._lease.observe(entry.revision or 0, value, self._clock())
        return True

    def _patience(self, now: float) -> float:
        """Return how long to wait for an answer; a leader waits no longer than it leads."""
        renew = self._lease.times.renew
        return min(renew, self._lease.valid_until - now) if self._lease.holds(now) else renew

    async def _open(self) -> KeyValue:
        if self._store is None:
            try:
                self._store = await self._jetstream.key_value(self._bucket)
            except BucketNotFoundError:
                # In memory, because a lease must be renewable while the server's disk is full.
                self._store = await self._jetstream.create_key_value(
                    bucket=self._bucket, history=1, storage=api.StorageType.MEMORY
                )
        return self._store

    def _note(self, error: Exception) -> None:
        self._store = None
        _logger.debug("The lease cannot be read or written: %s", type(error).__name__)
        # Any other error concerns the connection, whose log says so.
        if isinstance(error, APIError) and str(error) != self._refusal:
            self._refusal = str(error)
            words = error.description or error.code
            _logger.warning("JetStream refuses the lease (%s); see the log of nats-server.", words)

    async def _release(self) -> None:
        """Let another process lead at once, if this one still holds the lease and its work has ended."""
        if self.holds:
            await self._write(release=True)
        self._lease.valid_until = -math.inf

    def _fence(self, ended: threading.Event) -> None:
        """End the process if its work outlasts the lease; a thread, because the event loop may be stuck."""
        while not ended.wait(max(0.0, self._lease.valid_until - self._clock())):
            if not self.holds and not ended.wait(self._lease.times.grace):
                self._overdue()
                return
