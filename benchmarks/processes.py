"""The feed and a client as child processes that talk in lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent


class Child:
    """A Python script of this directory; ended when its `with` block ends."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        self._process = subprocess.Popen(  # noqa: S603 - our own scripts
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def tell(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self, **wanted: object) -> dict[str, Any]:
        """The next JSON line that has these values; others are passed over."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            if all(message.get(name) == value for name, value in wanted.items()):
                return message
        raise RuntimeError(f"{self._process.args!r} ended early")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def start_feed(*, per_frame: int, messages: int = 0, rate: float = 0.0) -> tuple[Child, int]:
    """A feed and its port."""
    feed = Child("feed.py", "--per-frame", per_frame, "--messages", messages, "--rate", rate)
    return feed, int(feed.hear(event="listening")["port"])
