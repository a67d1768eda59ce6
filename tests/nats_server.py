"""A real nats-server with JetStream, and a network between it and its clients that can fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

READY_WITHIN_SECONDS = 20.0
# On Linux the server ends with the tests that started it, even if these are killed.
END_WITH_TESTS = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()
CONFIGURATION = 'jetstream {{ store_dir: "{folder}", max_memory_store: 64MB, max_file_store: {disk} }}\n'


def find_nats_server() -> str:
    """Return the program's path; without the program, the test is skipped, or fails on CI."""
    program = shutil.which("nats-server", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
    if program is None and os.environ.get("CI") == "true":
        pytest.fail("there is no nats-server on this machine; CI must install it")
    if program is None:
        pytest.skip("there is no nats-server on this machine (apt-get install nats-server)")
    return program


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class NatsServer:
    """A nats-server on loopback; it keeps its port and its files when it is killed and started again.

    Attributes:
        folder: Where it stores its configuration, its log and JetStream's files.
        extra: Further lines of its configuration, such as its users.
        disk: The largest size of JetStream's files.
        configuration: A file to use in place of these; its address and folder are replaced.
        environment: The variables that this file needs.
    """

    folder: Path
    extra: str = ""
    disk: str = "256MB"
    configuration: Path | None = None
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address for clients."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what the server has logged so far."""
        path = self.folder / "server.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def start(self) -> None:
        """Start the server and wait until it greets its clients."""
        words = [*END_WITH_TESTS, find_nats_server(), "-c", str(self._write_configuration())]
        words += ["-a", "127.0.0.1", "-p", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=self.environment)  # noqa: S603 - found above
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._greets():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"nats-server did not start: {self.log}")
            threading.Event().wait(0.01)

    def _write_configuration(self) -> Path:
        path = self.folder / "server.conf"
        if self.configuration is None:
            text = CONFIGURATION.format(folder=self.folder, disk=self.disk) + self.extra
        else:
            text = self.configuration.read_text(encoding="utf-8")
            text = re.sub(r'store_dir: ".*"', f'store_dir: "{self.folder}"', text)
        path.write_text(text, encoding="utf-8")
        return path

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                return client.recv(4) == b"INFO"
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT, to the running server."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def running_nats_server(folder: Path, extra: str = "", **more: Any) -> Iterator[NatsServer]:
    """Run a nats-server in a folder."""
    folder.mkdir(exist_ok=True)
    server = NatsServer(folder, extra, **more)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Network:
    """A TCP proxy on loopback that can hold back every byte, as a network does while it is cut.

    Held bytes arrive late rather than never, because TCP repeats them once the network is back.

    Args:
        port: The server's port.
        buffer: How many bytes of each socket the system keeps; a client that does not read soon blocks the
            server.
    """

    def __init__(self, port: int, *, buffer: int | None = None) -> None:
        self._upstream, self._buffer = port, buffer
        self._loop = asyncio.new_event_loop()
        self._connected: asyncio.Event
        self._ended: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self.port = 0

    @property
    def url(self) -> str:
        """Return the address for clients."""
        return f"nats://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start forwarding."""
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Hold every byte back from now on."""
        self._loop.call_soon_threadsafe(self._connected.clear)

    def mend(self) -> None:
        """Deliver the held bytes, and forward again."""
        self._loop.call_soon_threadsafe(self._connected.set)

    async def _serve(self) -> None:
        self._connected, self._ended = asyncio.Event(), asyncio.Event()
        self._connected.set()
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._connected.wait()
            upstream = await self._open()
            if self._buffer is not None:
                writer.transport.set_write_buffer_limits(self._buffer)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._buffer)
            try:
                await asyncio.gather(self._pump(reader, upstream[1]), self._pump(upstream[0], writer))
            finally:
                upstream[1].close()
        writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        client = socket.socket()
        if self._buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        client.setblocking(False)
        await self._loop.sock_connect(client, ("127.0.0.1", self._upstream))
        return await asyncio.open_connection(sock=client)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._connected.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
