"""The server's process: Streamlit, which ends with its launcher."""

from __future__ import annotations

import os
import runpy
import signal
import stat
import threading

_END_WITHIN_SECONDS = 2.0


def main() -> None:
    """Run Streamlit with this process's arguments; the launcher holds standard input, a pipe, open."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):  # started by hand, it has no launcher to end with
        threading.Thread(target=_end_with_launcher, name="options-helper-launcher-watch", daemon=True).start()
    runpy.run_module("streamlit", run_name="__main__")


def _end_with_launcher() -> None:
    # Not sys.stdin, whose lock would be held when the interpreter ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_END_WITHIN_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
