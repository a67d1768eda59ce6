"""A demo that is started by its command line, as a user would start it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

READY_SECONDS = 180.0
END_SECONDS = 3.0
_READY = re.compile(r"ready at (?P<url>http://\S+)")
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def running_demo(command: list[str], cwd: Path) -> Iterator[str]:
    """Run a command that starts the portal, yield the page's address once it is ready, then press Ctrl-C.

    Raises:
        SystemExit: The portal does not become ready, or does not end in time after Ctrl-C.
    """
    # Without this machine's keys, settings and browser.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**kept, "BROWSER": "true"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield _wait_until_ready(process)
    finally:
        _press_ctrl_c(process)


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in process.stdout or ():
            print("   |", line, end="", flush=True)
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and (process.poll() is None or not lines.empty()):
        try:
            found = _READY.search(lines.get(timeout=0.2))
        except Empty:
            continue
        if found:
            return found["url"]
    raise SystemExit(f"The page was not ready within {READY_SECONDS:g} s.")


def _press_ctrl_c(process: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise SystemExit(f"Ctrl-C did not end it within {END_SECONDS:g} s.") from None
    print(f"   Ctrl-C ended it within {time.monotonic() - began:.1f} s.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the system's Chromium, headless.

    Raises:
        SystemExit: No Chromium is installed.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - needed here only

    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        raise SystemExit(f"None of these programs is installed: {', '.join(_CHROMIUM)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        )
        yield browser
        browser.close()


def start_streams(page: Page, url: str) -> None:
    """Open Live Portfolio, press Start, and wait until the page says that it is live."""
    page.goto(f"{url}/Live_Portfolio")
    page.get_by_role("button", name="Start", exact=False).first.click(timeout=60_000)
    page.locator(".st-key-live-status").get_by_text("Live.", exact=False).first.wait_for(timeout=30_000)
