"""The relay's events for programs, over a real nats-server and a simulated Alpaca."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")
pytest.importorskip("alpaca", reason="the relay's streams need alpaca-py")

from options_helper.data.streaming.normalize.wire import WireQuote
from options_helper.data.streaming.run.rest_results import DataSource
from options_helper.market import FillGap, StreamName, UnreadableRows
from options_helper.relay import Execution, Notice, Quote, Trade, read_relay
from options_helper.relay.events import _Feed as Feed
from options_helper.relay.nats_options import NatsOptions
from options_helper.relay.wire import (
    Answer,
    Batch,
    Facts,
    Grant,
    Heartbeat,
    Message,
    OrderHistory,
    OrderUpdate,
    decode,
    encode,
)
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
NOON = dt.datetime(2026, 12, 1, 17, tzinfo=dt.UTC)


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
    """NATS and the relay each have their own words, and an empty notice follows after recovery."""
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


class Reader:
    """A connection to a relay in the state that a test sets."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.heartbeat: Heartbeat | None = None
        self.stored = SimpleNamespace(missing=0)
        self.trouble = ""

    def explain(self, _stream: StreamName) -> str:
        """Return what a test has set."""
        return self.trouble

    def read(self, data: bytes) -> Message:
        """Return a message."""
        return decode(data)


def make_feed() -> tuple[Feed, Reader]:
    """Return the feed of a program for a stock, and its connection."""
    feed = Feed(NatsOptions(("nats://host:4222",)), ["AAPL"], [])
    reader = Reader()
    feed._connection = reader  # type: ignore[assignment]
    return feed, reader


def take_notices(feed: Feed) -> list[str]:
    """Return the words that a program would read now."""
    return [event.words for event in feed.take() if isinstance(event, Notice)]


def granted(*, refused: list[str], invalid: list[str]) -> Answer:
    """Return a relay's answer about the stocks."""
    source = DataSource("paper", "iex", "indicative")
    return Answer("e", NOON, 30.0, {StreamName.STOCKS: Grant(refused=refused, invalid=invalid)}, source)


def test_a_symbol_that_is_refused_hides_no_other_reason() -> None:
    """Each reason has one notice of its own; the empty notice comes after the last reason has ended."""
    feed, reader = make_feed()
    reader.answer = granted(refused=["bad", "ZZZZ"], invalid=["bad"])
    feed.watch(0.0)
    said = [
        "Alpaca does not accept bad; check the spelling",
        "Alpaca did not subscribe to ZZZZ; check the spelling",
    ]
    assert take_notices(feed) == said
    reader.heartbeat = Heartbeat("e", 1, NOON, {}, gaps=(FillGap(NOON, None, ""),))
    feed.watch(0.0)
    feed.watch(0.0)
    (gap,) = take_notices(feed)
    assert gap.startswith("executions since 12:00 in New York may be missing")
    reader.heartbeat, reader.answer, reader.trouble = None, None, "NATS is away"
    feed.watch(0.0)
    assert take_notices(feed) == ["NATS is away"]
    reader.trouble = ""
    feed.watch(0.0)
    feed.watch(0.0)
    assert take_notices(feed) == [""]


def test_a_loss_that_is_over_is_followed_by_the_empty_notice() -> None:
    """An empty notice follows that of each loss, so a program that waits for it does not wait forever."""
    feed, _ = make_feed()
    feed.watch(5.0)
    assert take_notices(feed) == [
        "this program read nothing for 5 s; quotes and trades from that time may be lost",
        "",
    ]
    for first in (0, 3):
        feed.take_market(StreamName.STOCKS, encode(Batch("e", first, 0, [WireQuote("AAPL", 1.0, 2.0)])))
    feed.watch(0.0)
    assert take_notices(feed) == ["2 price updates went missing on the way from the relay", ""]


def test_a_program_that_reads_nothing_collects_no_notices() -> None:
    """While a program is busy, its losses are added up in one notice."""
    feed, _ = make_feed()
    for number in range(100):
        feed.take_market(StreamName.STOCKS, encode(Batch("e", 2 * number, 0, [WireQuote("AAPL", 1.0, 2.0)])))
        feed.watch(0.0)
    assert take_notices(feed) == ["1 price update went missing on the way from the relay", ""]
    feed.watch(0.0)
    assert take_notices(feed) == ["98 price updates went missing on the way from the relay", ""]


def test_an_update_that_cannot_be_read_is_not_left_out_silently() -> None:
    """Neither an order update nor a row from REST disappears without a notice."""
    feed, _ = make_feed()
    feed.take_order(encode(OrderUpdate(NOON, {"stream": "trade_updates", "data": {"event": "fill"}})))
    feed.watch(0.0)
    feed.take_facts(Facts("e", history=OrderHistory([], [], UnreadableRows(2, NOON))))
    feed.watch(0.0)
    assert take_notices(feed) == [
        "1 order message from Alpaca could not be read; an execution may be missing",
        "3 order messages from Alpaca could not be read; an execution may be missing",
    ]


@pytest.mark.parametrize("wanted", [{"stocks": "AAPL"}, {"contracts": CALL}])
def test_a_string_is_refused(wanted: dict[str, str]) -> None:
    """If a string were accepted, a program would receive the stocks A, P and L instead of AAPL."""

    async def read() -> None:
        async for _ in read_relay("nats://127.0.0.1:4222", env={}, **wanted):
            pass

    with pytest.raises(TypeError, match="lists of symbols"):
        asyncio.run(read())
