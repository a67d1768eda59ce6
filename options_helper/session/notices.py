"""Notices of raised alerts, sent to the services in `OH_NOTIFY`.

A separate thread delivers them, so that a slow service delays nothing else. Alerts that are raised together,
or while the thread is busy, are sent as one notice.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from options_helper.analysis.alerts.records import AlertEvent
from options_helper.analysis.alerts.words import notice_of
from options_helper.analysis.text.wording import count
from options_helper.data.settings import ENV_FILE, is_loopback, read_environment
from options_helper.error_guard import Guard
from options_helper.errors import NO_THREAD, MissingDependency, OptionsHelperError, SettingsError
from options_helper.times import NEW_YORK, utc_now

logger = logging.getLogger(__name__)

URLS_VARIABLE, FIGURES_VARIABLE = "OH_NOTIFY", "OH_NOTIFY_FIGURES"
MOST_PER_HOUR = 20
_HOUR = dt.timedelta(hours=1)
_TITLE = "Options Helper"
_YES = frozenset({"1", "yes", "true", "on"})
_END_WITHIN_SECONDS = 0.5
# For all services together. A timeout per read is not enough: a response may come byte by byte, without end.
DELIVERED_WITHIN_SECONDS = 30.0

Raised = tuple[tuple[AlertEvent, ...], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The names of the services that accepted a notice, and of those that did not."""

    taken: tuple[str, ...]
    failed: tuple[str, ...]


def deliver(
    env: Mapping[str, str], text: str, *, within_seconds: float = DELIVERED_WITHIN_SECONDS
) -> Delivery:
    """Send a notice to every service in `OH_NOTIFY`, and return which of them accepted it.

    A separate process sends it, with limited time and memory. The call blocks until then.

    Raises:
        SettingsError: The variable is not set, or contains an unknown address.
        MissingDependency: The package that sends notices is not installed.
        OptionsHelperError: The services did not answer in time, or sending failed.
    """
    urls = env.get(URLS_VARIABLE, "").strip()
    if not urls:
        raise SettingsError(
            URLS_VARIABLE,
            f"{URLS_VARIABLE} is not set. Set it in the environment or in {ENV_FILE} to one or more apprise "
            "addresses, such as ntfys://ntfy.sh/your-topic.",
        )
    if find_spec("apprise") is None:
        raise MissingDependency("apprise", "ui")
    command = [sys.executable, "-P", "-m", "options_helper.session.send_notice"]
    notice = json.dumps({"urls": urls, "title": _TITLE, "text": text, "seconds": within_seconds})
    try:
        sent = subprocess.run(  # noqa: S603 - our own interpreter
            command,
            input=notice,
            # The packages that send notices do not need the keys.
            env={name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=within_seconds,
        )
    except subprocess.TimeoutExpired:
        raise OptionsHelperError(f"no answer within {within_seconds:g} s.") from None
    if sent.returncode:
        raise OptionsHelperError("sending failed.")
    answer = json.loads(sent.stdout)
    if answer is None:
        # Not even the scheme is quoted, because a mistyped address may begin with a token.
        raise SettingsError(URLS_VARIABLE, f"{URLS_VARIABLE} holds an address that apprise does not know.")
    return Delivery(tuple(answer["taken"]), tuple(answer["failed"]))


def _is_wanted(env: Mapping[str, str]) -> bool:
    """Return whether an address is set and the account is not simulated on this machine."""
    host = urlsplit(env.get("APCA_API_BASE_URL", "")).hostname
    return bool(env.get(URLS_VARIABLE, "").strip()) and not (host and is_loopback(host))


class Notices:
    """The thread that delivers notices; it starts with the first raised alert.

    Args:
        environment: Returns the variables; called for every notice, so that a change needs no restart.
        send: Delivers one notice.
        clock: Returns the current time.
    """

    def __init__(
        self,
        environment: Callable[[], Mapping[str, str]] = read_environment,
        send: Callable[[Mapping[str, str], str], Delivery] = deliver,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._environment, self._send, self._clock = environment, send, clock
        self._waiting: queue.SimpleQueue[Raised | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._sent: deque[dt.datetime] = deque()
        self._guard = Guard(logger, "; it is logged once.")
        self._problem = ""

    @property
    def problem(self) -> str:
        """The reason why the last notice was not delivered, in words, or ""."""
        return self._problem

    def offer(self, events: Iterable[AlertEvent], names: Mapping[str, str]) -> None:
        """Queue raised alerts for delivery; return immediately."""
        raised = tuple(events)
        with self._lock:
            if not raised:
                return
            self._waiting.put((raised, names))
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._run, args=(self._waiting,), name="options-helper-notices", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._note(f"{NO_THREAD} The notice will be sent with the next one.")
        else:
            self._thread = thread

    def close(self) -> None:
        """Stop the thread; a notice in transit may be lost. The next notice starts another thread."""
        with self._lock:
            thread, self._thread, waiting = self._thread, None, self._waiting
            self._waiting = queue.SimpleQueue()
        if thread is not None:
            waiting.put(None)
            thread.join(_END_WITHIN_SECONDS)

    def _run(self, waiting: queue.SimpleQueue[Raised | None]) -> None:
        while True:
            offered = [waiting.get()]
            with contextlib.suppress(queue.Empty):  # send everything offered meanwhile with it
                while True:
                    offered.append(waiting.get_nowait())
            if None in offered:
                return
            with self._guard.keep_going("A notice", self._note_failure):
                self._deliver([one for one in offered if one is not None])

    def _deliver(self, offered: list[Raised]) -> None:
        try:
            env = self._environment()
            if not _is_wanted(env):
                self._problem = ""
                return
            events = [event for raised, _ in offered for event in raised]
            if not self._may_send(len(events)):
                return
            names = {key: name for _, named in offered for key, name in named.items()}
            figures = env.get(FIGURES_VARIABLE, "").strip().lower() in _YES
            failed = self._send(env, notice_of(events, names, figures=figures)).failed
        except OptionsHelperError as error:
            self._note(str(error))
            return
        self._problem = ""
        if failed:
            self._note(f"{', '.join(failed)} did not accept it.")

    def _may_send(self, events: int) -> bool:
        now = self._clock()
        while self._sent and self._sent[0] <= now - _HOUR:
            self._sent.popleft()
        if len(self._sent) < MOST_PER_HOUR:
            self._sent.append(now)
            return True
        free = (self._sent[0] + _HOUR).astimezone(NEW_YORK)
        self._note(
            f"{count(events, 'alert')} held back: at most {MOST_PER_HOUR} notices are sent per hour; "
            f"the next one can be sent after {free:%H:%M} New York time."
        )
        return False

    def _note_failure(self, kind: str) -> None:
        self._note(f"sending failed ({kind}).")

    def _note(self, reason: str) -> None:
        logger.warning("A notice was not delivered: %s", reason)
        self._problem = (
            f"The notice of {self._clock().astimezone(NEW_YORK):%H:%M:%S} New York time "
            f"was not delivered: {reason}"
        )
