"""A relay in its own process, which a test may kill, pause and let hand over.

All are forked from one process that has imported everything, because an import costs seconds.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from unittest import mock

from options_helper.errors import OptionsHelperError
from options_helper.relay.lease import LeaseTimes
from tests.relay.relayed import wait_until, write_lease

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator

TIMES = LeaseTimes(poll=0.05)
_HAND_OVER = signal.SIGUSR1
_IMPORT_SECONDS = 150.0
_BREAK_SECONDS = 0.5  # for another relay to take over after a hand-over

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.relay.relay_process_imports"])


class RelayProcess:
    """A relay in its own process, and its log."""

    def __init__(self, simulator: AlpacaSimulator, url: str, log: Path) -> None:
        """Start it."""
        self._log = log
        log.touch()
        self._process = _FORKS.Process(target=_run, args=(simulator.environment(), url, log), daemon=True)
        # The new process would run the file of `__main__`, which may be a page that another test has opened.
        with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
            self._process.start()
        wait_until(lambda: self.count("Started."), "the imports of the first relay", _IMPORT_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def hand_over(self) -> None:
        """Let another relay lead, and stand by."""
        self.signal(_HAND_OVER)

    def kill(self) -> None:
        """Kill the process, as a crash would."""
        self._process.kill()
        self._process.join(10)

    def count(self, words: str) -> int:
        """Return how often its log contains these words."""
        return self._log.read_text(encoding="utf-8").count(words)

    def is_named_in(self, lease: str) -> bool:
        """Return whether a lease's entry names this process."""
        return f"/{self._process.pid}/" in lease


def _run(environment: dict[str, str], url: str, log: Path) -> None:
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(asctime)s %(message)s", force=True)
    asyncio.run(_relay_for_ever(environment, url, log))


async def _relay_for_ever(environment: dict[str, str], url: str, log: Path) -> None:
    from options_helper.data.settings import load_settings
    from options_helper.relay.command import serve
    from options_helper.relay.nats_options import load_nats_options

    settings, options = load_settings(environment), load_nats_options(url, {})
    await write_lease(url)  # else the first relay would wait for an unknown one's lease
    with log.open("a", encoding="utf-8", buffering=1) as out:
        print("Started.", file=out)
        while True:
            one = asyncio.ensure_future(serve(settings, options, lambda words: print(words, file=out), TIMES))
            asyncio.get_running_loop().add_signal_handler(_HAND_OVER, one.cancel)
            try:
                await one
            except asyncio.CancelledError:
                pass
            except OptionsHelperError as error:
                print(f"Ended: {error}", file=out)
                return
            await asyncio.sleep(_BREAK_SECONDS)
