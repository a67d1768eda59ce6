"""The doctor's findings about a relay, against a real nats-server and a simulated Alpaca."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytestmark = pytest.mark.integration

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="the relay's streams need alpaca-py")

from options_helper.cli import app  # noqa: E402 - see above
from options_helper.simulator.server import AlpacaSimulator  # noqa: E402 - the same
from tests.nats_server import NatsServer, running_nats_server  # noqa: E402 - the same
from tests.relay.relayed import running_relay, wait_until  # noqa: E402 - the same

PASSWORDS = {"RELAY_PASSWORD": "r3lay-word", "READER_PASSWORD": "r3ader-word"}
DOCUMENTED = Path(__file__).parents[2] / "deploy" / "nats-server.conf"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """Yield a server with the documented configuration."""
    folder = tmp_path / "nats"
    with running_nats_server(folder, configuration=DOCUMENTED, environment=PASSWORDS) as server:
        yield server


def examine(server: NatsServer, user: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[str, str]]:
    """Run `doctor --relay` as a user; return its status and its lines by name, without the name."""
    password = PASSWORDS[f"{user.upper()}_PASSWORD"]
    monkeypatch.setenv("OH_NATS_USER", user)
    monkeypatch.setenv("OH_NATS_PASSWORD", password)
    status, output = run_doctor(server)
    assert password not in output
    rows = (line.split(maxsplit=2) for line in output.splitlines())
    return status, {name: f"{level} {text}" for level, name, text in rows}


def run_doctor(server: NatsServer) -> tuple[int, str]:
    """Run `doctor --relay`; return its status and its output."""
    result = CliRunner().invoke(app, ["doctor", "--relay", server.url])
    return result.exit_code, result.stdout


def test_a_relay_from_a_readers_side(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step has a finding: NATS, rights, account, streams and clock."""
    url = server.url.replace("//", f"//relay:{PASSWORDS['RELAY_PASSWORD']}@")
    with (
        AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator,
        running_relay(simulator, url),
    ):
        wait_until(lambda: simulator.is_listening, "the relay's order stream")
        _, found = examine(server, "reader", monkeypatch)
        _, as_relay = examine(server, "relay", monkeypatch)
    assert found["NATS"].startswith(f"ok {server.url}, nats-server 2.")
    assert found["NATS"].endswith("signed in with the user and the password")
    assert found["Rights"] == "ok those of a reader: it can ask for symbols, but publish nothing else"
    assert found["Relay"] == "ok demo account, stocks from iex, options from indicative"
    assert found["Fills"] == "ok the relay's stream is running"
    assert "none so far; the relay" in found["Orders"]
    assert found["Clock"] == "ok this machine's clock agrees with the relay's"
    assert as_relay["Rights"].startswith("note this user may publish as a relay does")
    assert {"Keys", "Account"}.isdisjoint(found)


def test_missing_parts_are_named(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a relay or without NATS, the finding names the next step, and the status is 1."""
    status, found = examine(server, "reader", monkeypatch)
    assert found["Relay"].startswith("FAIL none answers")
    assert "options-helper relay --nats" in found["Relay"]
    server.kill()
    status, found = examine(server, "reader", monkeypatch)
    assert found["NATS"] == f"FAIL NATS at {server.url}: nothing listens there."
    assert status == 1


def test_a_server_without_jetstream_is_named(tmp_path: Path) -> None:
    """Without JetStream, no relay can run, so the finding does not say to start one."""
    bare = tmp_path / "bare.conf"
    bare.write_text("# no jetstream")
    with running_nats_server(tmp_path / "nats", configuration=bare) as server:
        status, output = run_doctor(server)
    assert "this nats-server has no JetStream, which a relay needs; start it with: nats-server -js" in output
    assert "start one with" not in output
    assert status == 1


def test_a_right_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the user may not read, the finding does not say to start a relay."""
    few = tmp_path / "few.conf"
    few.write_text(
        'authorization { users: [ { user: "reader", password: "w0rd", permissions: '
        '{ publish: ["oh.ask.>"], subscribe: ["_INBOX.>"] } } ] }'
    )
    monkeypatch.setenv("OH_NATS_USER", "reader")
    monkeypatch.setenv("OH_NATS_PASSWORD", "w0rd")
    with running_nats_server(tmp_path / "nats", configuration=few) as server:
        status, output = run_doctor(server)
    assert "this user may not subscribe to oh.state; give it the permissions of reader in deploy/" in output
    assert "start" not in output.partition("none answers")[2].partition("\n")[0]
    assert status == 1
