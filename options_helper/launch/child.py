"""The server's process: Streamlit, which ends when its launcher ends."""

from __future__ import annotations

import os
import runpy
import signal
import threading

LAUNCHER_VARIABLE = "OPTIONS_HELPER_LAUNCHER"
_END_WITHIN_SECONDS = 2.0


def main() -> None:
    """Run Streamlit with this process's arguments until it ends or its launcher closes standard input."""
    # A child started by hand has no launcher, and its standard input may be anything.
    if os.environ.pop(LAUNCHER_VARIABLE, ""):
        threading.Thread(target=_end_with_launcher, name="options-helper-launcher-watch", daemon=True).start()
    runpy.run_module("streamlit", run_name="__main__")


def _end_with_launcher() -> None:
    # sys.stdin is not used because its lock would be held when the interpreter exits.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_END_WITHIN_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
