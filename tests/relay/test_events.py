"""The relay's events for programs, over a real nats-server and a simulated Alpaca."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="the relay's streams need alpaca-py")

from options_helper.relay import Execution, Quote, Trade
from options_helper.simulator.server import AlpacaSimulator
from tests.nats_server import NatsServer
from tests.relay.relayed import (
    CALL,
    OTHER,
    Program,
    RelayThread,
    wait_until,
)

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def wait_subscribed(simulator: AlpacaSimulator) -> None:
    """Wait until the relay streams the contract and the order updates."""
    wait_until(lambda: CALL in simulator.subscriptions("options").get("quotes", ()), "the subscription")
    wait_until(lambda: simulator.is_listening, "the relay's order stream")


def test_the_documented_script_runs(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread, tmp_path: Path
) -> None:
    """The documentation's script prints a quote and a fill, and needs no keys."""
    page = (ROOT / "docs" / "MORE_THAN_ONE_READER.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "bot.py").write_text(script.replace("nats://127.0.0.1:4222", nats_server.url))
    words, env = [sys.executable, "-u", str(tmp_path / "bot.py")], {"PYTHONPATH": str(ROOT)}
    lines: list[str] = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=env) as bot:  # noqa: S603 - our own
        reader = threading.Thread(target=lambda: lines.extend(bot.stdout or ()))
        reader.start()
        try:
            wait_subscribed(simulator)
            simulator.push_quote(CALL, 3.0, 3.5)
            simulator.fill_now(CALL, qty=2, price=3.25)
            wait_until(lambda: f"{CALL} 3.0 3.5\n" in lines, f"the quote in {lines}")
            wait_until(lambda: f"filled {CALL} 2.0 3.25\n" in lines, f"the fill in {lines}")
        finally:
            bot.terminate()
            reader.join(10)


def test_a_late_program_receives_everything_known(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """A second program receives the newest quote and the day's execution, from the one connection."""
    with Program(nats_server.url, CALL) as first:
        wait_subscribed(simulator)
        simulator.push_quote(CALL, 3.0, 3.5)
        simulator.fill_now(CALL, qty=2, price=3.25)
        wait_until(lambda: any(quote.bid_price == 3.0 for quote in first.of(Quote)), "the quote")
        wait_until(lambda: first.of(Execution), "the execution")
        with Program(nats_server.url, CALL, OTHER) as second:
            wait_until(lambda: any(quote.bid_price == 3.0 for quote in second.of(Quote)), "the known quote")
            wait_until(lambda: second.of(Execution), "the known execution")
            wait_until(lambda: OTHER in simulator.subscriptions("options").get("quotes", ()), "the union")
            simulator.push_trade(OTHER, 1.25)
            wait_until(lambda: any(trade.price == 1.25 for trade in second.of(Trade)), "the trade")
        wait_until(
            lambda: OTHER not in simulator.subscriptions("options")["quotes"], "the symbol is given back"
        )
    assert not [row for row in (*first.of(Quote), *first.of(Trade)) if row.symbol == OTHER]
    for program in (first, second):
        (execution,) = program.of(Execution)
        assert (execution.symbol, execution.quantity, execution.price) == (CALL, 2.0, 3.25)
    assert simulator.connections_total["options"] == 1


def test_every_fault_is_a_notice(
    simulator: AlpacaSimulator, nats_server: NatsServer, relay: RelayThread
) -> None:
    """Each of NATS and the relay has its own words, and an empty notice follows after recovery."""
    with Program(nats_server.url, CALL) as program:
        wait_subscribed(simulator)
        wait_until(lambda: not program.said, f"all is well: {program.said}")
        nats_server.kill()
        wait_until(lambda: "is not reachable" in program.said, f"NATS is away: {program.said}")
        nats_server.start()
        wait_until(lambda: not program.said, f"all is well: {program.said}")
        simulator.fill_now(CALL, qty=1, price=3.0)
        wait_until(lambda: program.of(Execution), "the execution after the restart")
        relay.end()
        wait_until(
            lambda: program.said.startswith("the relay was stopped; start options-helper relay again"),
            lambda: f"the relay is away: {program.said}",
        )
