"""The port of the portal: chosen, claimed, or refused with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from options_helper.errors import OptionsHelperError
from options_helper.launch import log_file, own_folder, ports
from tests.launch.stub import STUB, free_port


def test_a_taken_default_port_moves_on(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    """Without `--port`, a taken default moves to the next free port."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken_port)
    with ports.claimed_port("127.0.0.1", None) as chosen:
        assert taken_port < chosen < taken_port + ports.PORTS_TRIED


def test_two_launchers_never_choose_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one launcher has a port but does not listen yet, the next one takes another or refuses."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", free_port())
    with ports.claimed_port("127.0.0.1", None) as first:
        with ports.claimed_port("127.0.0.1", None) as second:
            assert second != first
        with pytest.raises(OptionsHelperError, match="is taken"), ports.claimed_port("127.0.0.1", first):
            pass
    with ports.claimed_port("127.0.0.1", None) as again:
        assert again == first


def test_a_requested_port_that_is_taken_is_refused(taken_port: int) -> None:
    """A requested port that is taken is refused, not replaced."""
    words = f"Port {taken_port} .* is taken. Choose another one"
    with pytest.raises(OptionsHelperError, match=words), ports.claimed_port("127.0.0.1", taken_port):
        pass
    free = free_port()
    with ports.claimed_port("127.0.0.1", free) as port:
        assert port == free


def test_the_lack_of_a_free_port_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If every port is taken, the message names the way out."""
    monkeypatch.setattr(ports, "is_free", lambda _host, _port: False)
    with (
        pytest.raises(OptionsHelperError, match="Choose one with --port"),
        ports.claimed_port("127.0.0.1", None),
    ):
        pass


# A launcher with a stub in place of Streamlit's server, which takes as long to start listening.
RACER = """
import sys, time
from options_helper.launch import launcher, ports
ports.DEFAULT_PORT = int(sys.argv[1])
launcher.require_packages = lambda **_: None
stub = "import time; time.sleep(0.3)\\n" + sys.argv[2]
launcher.streamlit_command = lambda _script, endpoint: [sys.executable, "-c", stub, str(endpoint.port)]
options = launcher.LaunchOptions(open_browser=False)
raise SystemExit(launcher.launch(options, lambda text: print(text, flush=True)))
"""


@pytest.mark.integration
def test_launchers_that_race_get_a_port_each(tmp_path: Path) -> None:
    """Each of four launchers that start at once gets its own port."""
    command = [sys.executable, "-c", RACER, str(free_port()), STUB]
    env = os.environ | {log_file.LOG_FILE_VARIABLE: str(tmp_path / "log")}
    racers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)  # noqa: S603 - our own interpreter
        for _ in range(4)
    ]
    chosen = []
    for racer in racers:
        assert racer.stdout is not None
        ready = next(line for line in racer.stdout if "is ready at" in line)
        chosen.append(int(ready.split(":")[2].split()[0]))
    assert len(set(chosen)) == 4
    assert not any(racer.poll() for racer in racers)
    for racer in racers:
        racer.terminate()
    for racer in racers:
        with racer:
            assert racer.wait(10) == 0
    assert all(ports.is_free("127.0.0.1", port) for port in chosen)


@pytest.mark.parametrize("kind", ["link", "open to others", "file"])
def test_a_folder_prepared_by_others_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A folder that another user may have created in a shared temporary folder is not used."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = tmp_path / f"options-helper-{os.getuid()}"
    if kind == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "theirs")
    elif kind == "file":
        place.touch(mode=0o600)
    else:
        place.mkdir()
        place.chmod(0o777)
    assert own_folder.own_folder() is None


@pytest.mark.parametrize("kind", ["link", "directory", "no folder"])
def test_a_claim_that_cannot_be_made_leaves_it_to_the_bind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Neither the content nor the absence of the temporary folder keeps the portal from starting."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = own_folder.own_folder()
    assert folder is not None
    claim, port = folder / "port-127.0.0.1-{}", free_port()
    place = Path(str(claim).format(port))
    if kind == "link":
        place.symlink_to(place)
    elif kind == "directory":
        place.mkdir()
    else:
        monkeypatch.setattr("tempfile.gettempdir", _no_temporary_folder)
    with ports.claimed_port("127.0.0.1", port) as claimed:
        assert claimed == port


def _no_temporary_folder() -> str:
    raise FileNotFoundError("No usable temporary directory found")


@pytest.mark.parametrize("host", ["nobody.invalid", "192.0.2.1", "a" * 70, "\udcff", "a\0b", "[::1]", "1:2"])
def test_a_foreign_address_is_not_mistaken_for_a_taken_port(host: str) -> None:
    """The sentence gives the reason, and does not say that the port is taken."""
    with pytest.raises(OptionsHelperError, match="Cannot listen on"), ports.claimed_port(host, None):
        pass


def test_a_claimed_port_leaves_no_file() -> None:
    """The file that claims a port exists only while the launcher runs."""
    folder = own_folder.own_folder()
    assert folder is not None
    port = 0  # any free one; no launcher claims it
    with ports.claimed_port("127.0.0.1", port):
        assert list(folder.glob(f"port-*-{port}"))
    assert not list(folder.glob(f"port-*-{port}"))
