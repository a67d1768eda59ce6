"""The fault table of docs/TROUBLESHOOTING.md: real alpaca-py against the simulator over loopback sockets."""

from __future__ import annotations

import itertools
import logging
import math
import random
import re
import threading
import time
from typing import Any

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")
pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")

from collections.abc import Iterator
from pathlib import Path

from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection import budget, market_data
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveSnapshot, LiveStreamConfig, LiveStreamManager
from options_helper.market import StreamHealth
from options_helper.recording.file_format import read_recording
from options_helper.recording.inspection import find_leaks
from options_helper.recording.recorder import Recorder
from options_helper.recording.records import Answer
from options_helper.simulator.server import AlpacaSimulator
from options_helper.simulator.streams.malformed import malformed_payloads
from options_helper.simulator.world import Plan

pytestmark = pytest.mark.integration

CONTRACTS = ("AAPL391216C00250000", "AAPL391216P00250000", "MSFT391216C00500000")
STOCKS = ("AAPL", "MSFT")
# For tests that wait for no timeout; even a busy machine stays within these.
PATIENT = ConnectionTimes(handshake=15.0, ping_interval=0.1, ping_timeout=15.0)
# For tests of timeouts; a busy machine may miss a handshake, which is then tried again.
QUICK = ConnectionTimes(handshake=0.6, ping_interval=0.1, ping_timeout=0.4)
KEY_ID, SECRET = "PKMARKEDKEYID0001", "marked-secret-0002"
ALL = ("options", "stocks", "fills")


class Bench:
    """A simulator and a manager that is pointed at it."""

    def __init__(self, simulator: AlpacaSimulator, folder: Path | None = None) -> None:
        self.simulator = simulator
        self.settings = load_settings(simulator.environment())
        self.recorder = Recorder(folder=folder, ring_bytes=2**20)
        self.manager = LiveStreamManager(recorder=self.recorder)

    def start(self, **changes: Any) -> None:
        arguments: dict[str, Any] = {
            "settings": self.settings,
            "stocks": STOCKS,
            "option_contracts": CONTRACTS,
            "times": PATIENT,
            "reconnect_base_seconds": 0.05,
            "reconnect_cap_seconds": 0.4,
            "backfill": False,
        }
        self.manager.start(LiveStreamConfig(**(arguments | changes)))

    @property
    def snapshot(self) -> LiveSnapshot:
        return self.manager.snapshot()

    def health(self, stream: str) -> StreamHealth:
        return self.snapshot.health[stream]

    def is_running(self, *streams: str) -> bool:
        return all(self.snapshot.status_by_stream[stream] == "running" for stream in streams)

    def connections(self, stream: str) -> int:
        return self.simulator.connections_total[stream]


@pytest.fixture
def bench(caplog, tmp_path: Path) -> Iterator[Bench]:
    """Yield a bench with marked keys, which no output may contain, not even a DEBUG log or a recording."""
    caplog.set_level(logging.DEBUG)
    with AlpacaSimulator(tick_seconds=0.05, key_id=KEY_ID, secret_key=SECRET) as simulator:
        bench = Bench(simulator, tmp_path)
        yield bench
        bench.manager.stop()
        logged = [record for phase in ("setup", "call", "teardown") for record in caplog.get_records(phase)]
        assert logged
        format_record = logging.Formatter("%(name)s %(message)s").format
        said = [format_record(record) for record in logged]
        said += [repr(bench.snapshot), repr(bench.manager.config), repr(vars(bench.manager))]
        for key in (KEY_ID, SECRET):
            assert not any(key in text for text in said)
        saved = tmp_path / "last-minutes"
        saved.write_bytes(bench.recorder.last_minutes())
        for path in tmp_path.iterdir():
            assert find_leaks(path, (KEY_ID, SECRET, "PA3SIMULATED")) == []


def test_all_three_streams_run(bench: Bench, wait_until) -> None:
    """Without a fault, the three streams run, all symbols are granted, and quotes arrive."""
    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    for contract in CONTRACTS:
        bench.simulator.push_quote(contract, 1.0, 1.1)
    wait_until(lambda: set(bench.snapshot.option_quotes) == set(CONTRACTS))
    wait_until(lambda: set(bench.snapshot.stock_quotes) == set(STOCKS))
    assert bench.snapshot.subscribed == frozenset(CONTRACTS + STOCKS)
    assert not bench.snapshot.last_error
    assert all(record.missing == frozenset() for record in bench.snapshot.health.values())


def test_a_session_with_rest_and_a_loss_is_recorded_without_the_account(bench: Bench, wait_until) -> None:
    """The account's number was received, and no recording contains it."""
    bench.start(backfill=True)
    wait_until(lambda: bench.snapshot.broker is not None and bench.is_running(*ALL))
    bench.simulator.drop("fills")
    wait_until(lambda: bench.health("fills").attempts == 1 and bench.is_running(*ALL))
    assert bench.snapshot.broker_account
    bench.manager.stop()
    status = bench.recorder.status
    assert status is not None
    answers = (each.body for each in read_recording(status.path) if isinstance(each, Answer))
    assert any(b"account_number" in body for body in answers)


@pytest.mark.parametrize("stream", ALL)
def test_a_wrong_key_is_final_and_tried_once(bench: Bench, wait_until, stream: str) -> None:
    """A refused key ends only its own stream, which is not retried."""
    bench.simulator.faults.set(stream, refuse_key=True)
    bench.start()
    wait_until(lambda: bench.snapshot.status_by_stream[stream] == "error")
    others = [name for name in ALL if name != stream]
    wait_until(lambda: bench.is_running(*others))
    failure = bench.health(stream).last_failure
    assert failure is not None
    assert (failure.code, failure.final) == (402, True)
    assert "refused the key" in failure.text
    assert bench.connections(stream) == 1


@pytest.mark.parametrize(
    ("stream", "fault", "code", "words"),
    [
        ("options", {"auth_error": 409}, 409, "plan does not include this feed"),
        ("stocks", {"auth_error": 409}, 409, "plan does not include this feed"),
        ("options", {"subscribe_error": 405}, 405, "requested 3 symbols"),
        ("options", {"subscribe_error": 410}, 410, "does not offer"),
        ("options", {"subscribe_error": 413}, 413, "subscribing to all option quotes"),
    ],
)
def test_refusals_because_of_the_plan_are_final(bench: Bench, wait_until, stream, fault, code, words) -> None:
    """A feed, limit or request that the plan refuses is reported with its code and not retried."""
    bench.simulator.faults.set(stream, **fault)
    bench.start()
    wait_until(lambda: bench.snapshot.status_by_stream[stream] == "error")
    failure = bench.health(stream).last_failure
    assert failure is not None
    assert failure.code == code
    assert words in failure.text
    assert bench.connections(stream) == 1


@pytest.mark.parametrize(("stream", "code"), [("options", 406), ("stocks", 406), ("fills", 429)])
def test_a_second_connection_is_retried_and_heals(bench: Bench, wait_until, stream: str, code: int) -> None:
    """While another program holds the stream, it is retried with backoff, and then it runs."""
    bench.simulator.faults.set(stream, held=True)
    bench.start()
    wait_until(lambda: bench.snapshot.status_by_stream[stream] == "reconnecting")
    failure = bench.health(stream).last_failure
    assert failure is not None
    words = "another program holds this stream" if code == 406 else "no more connections for now"
    assert failure.code == code
    assert words in failure.text
    bench.simulator.faults.clear(stream)
    wait_until(lambda: bench.is_running(stream))
    assert bench.health(stream).last_failure == failure or bench.health(stream).last_failure.code == code


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize(
    ("how", "words"),
    [("reset", "lost|reset"), ("fin", "lost|reset"), ("close", r"closed the connection \(close code 1001\)")],
)
def test_a_dropped_connection_comes_back(bench: Bench, wait_until, stream: str, how: str, words: str) -> None:
    """After a reset, a vanished socket or a close frame, the stream reports why and reconnects."""
    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    bench.simulator.drop(stream, how=how)
    wait_until(lambda: bench.health(stream).attempts == 1)
    wait_until(lambda: bench.is_running(*ALL))
    failure = bench.health(stream).last_failure
    assert failure is not None
    # A reset that meets a write shows as a lost connection; an unread ping makes a reset of a FIN.
    assert re.search(words, failure.text)


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("status", [403, 500, 503])
def test_an_http_error_on_upgrade_is_retried(bench: Bench, wait_until, stream: str, status: int) -> None:
    """An HTTP error at the upgrade is reported and retried until it is gone."""
    bench.simulator.faults.set(stream, http_status=status)
    bench.start()
    wait_until(lambda: bench.health(stream).attempts >= 2)
    assert bench.health(stream).last_failure.text == f"the server answered HTTP {status}"
    bench.simulator.faults.clear()
    wait_until(lambda: bench.is_running(stream))


def test_a_refused_connection_is_retried(bench: Bench, wait_until) -> None:
    """If nothing listens, the streams report it and reconnect."""
    bench.simulator.stop()
    bench.start()
    wait_until(lambda: all(bench.health(stream).attempts >= 2 for stream in ALL))
    assert {bench.health(stream).last_failure.text for stream in ALL} == {"the server refused the connection"}


def test_a_name_that_does_not_resolve_is_retried(bench: Bench, wait_until, monkeypatch) -> None:
    """A failed name look-up is reported as such."""
    from dataclasses import replace

    bench.start(settings=replace(bench.settings, stream_url="ws://alpaca.invalid"), stream_fills=False)
    wait_until(lambda: bench.health("options").attempts >= 1)
    assert bench.health("options").last_failure.text == "the server's name could not be resolved"


def test_a_tls_failure_is_retried(bench: Bench, wait_until) -> None:
    """A server without TLS at a TLS address is reported as such."""
    from dataclasses import replace

    secure = bench.settings.stream_url.replace("ws://", "wss://")
    bench.start(settings=replace(bench.settings, stream_url=secure), stream_fills=False)
    wait_until(lambda: bench.health("options").attempts >= 1)
    # A busy machine may time out once while it sets up its first secure connection.
    words = "the secure connection could not be set up"
    wait_until(lambda: bench.health("options").last_failure.text == words)


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("hang_on_connect", "connecting"),
        ("silent_on_connect", ""),
        ("silent_after_auth", "authenticating"),
        ("no_subscription_ack", "waiting for the subscription"),
    ],
)
def test_a_handshake_without_an_answer_times_out(bench: Bench, wait_until, stream, fault, step) -> None:
    """While no answer comes, the stream is connecting and its step is shown; at the timeout it is retried."""
    bench.simulator.faults.set(stream, **{fault: True})
    bench.start(times=QUICK)
    wait_until(lambda: bench.health(stream).state == "connecting" and step in bench.health(stream).step)
    wait_until(lambda: bench.health(stream).attempts >= 1)
    assert f"no answer for 0.6 s while {step}" in bench.health(stream).last_failure.text
    bench.simulator.faults.clear()
    wait_until(lambda: bench.is_running(stream))


@pytest.mark.parametrize("stream", ALL)
def test_a_vanished_peer_is_noticed_by_pings(bench: Bench, wait_until, stream: str) -> None:
    """A vanished peer is noticed by an unanswered ping."""
    bench.start(times=QUICK)
    wait_until(lambda: bench.is_running(*ALL))
    bench.simulator.faults.set(stream, vanished=True)
    wait_until(lambda: bench.health(stream).attempts >= 1)
    assert bench.health(stream).last_failure.text == "no answer to a ping for 0.4 s"


def test_a_mute_stream_that_answers_pings_is_left_alone(bench: Bench, wait_until) -> None:
    """If few symbols have ticked, silence with pongs does not cause a new connection."""
    bench.simulator.faults.set("options", mute=True)
    bench.start()
    wait_until(lambda: bench.is_running("options"))
    heard = bench.health("options").last_heard_at
    wait_until(lambda: bench.health("options").last_heard_at > heard)
    assert bench.health("options").last_event_at is None
    assert bench.connections("options") == 1


def test_symbols_that_are_not_granted_are_named(bench: Bench, wait_until) -> None:
    """A partly granted subscription runs, and the missing symbols are named."""
    bench.simulator.faults.set("options", grant_only=frozenset(CONTRACTS[:1]))
    bench.start()
    wait_until(lambda: bench.is_running("options"))
    assert bench.health("options").missing == frozenset(CONTRACTS[1:])
    assert bench.snapshot.subscribed is not None
    assert CONTRACTS[1] not in bench.snapshot.subscribed


@pytest.mark.parametrize("code", [407, 500])
def test_a_temporary_error_frame_is_retried(bench: Bench, wait_until, code: int) -> None:
    """If Alpaca cuts off a slow reader or has an internal error, the stream reconnects and says why."""
    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    bench.simulator.send_error("options", code)
    wait_until(lambda: bench.health("options").attempts == 1)
    assert bench.health("options").last_failure.code == code
    wait_until(lambda: bench.is_running(*ALL))


def test_malformed_frames_lose_only_themselves(bench: Bench, wait_until) -> None:
    """Unknown types, null fields, cut-off ends and text are counted, and the stream continues."""
    import msgpack

    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    good = {
        "T": "q",
        "S": CONTRACTS[0],
        "bp": 7.0,
        "ap": 7.5,
        "bs": 1,
        "as": 1,
        "t": msgpack.Timestamp(int(time.time()), 0),
    }
    frame = msgpack.packb([{"T": "q"}, {"T": "?"}, None, {**good, "bp": "x"}, good])
    for payload in (frame, b"\xc1\xff", "hello", frame[:-3], msgpack.packb([good]), b""):
        bench.simulator.send_raw("options", payload)
    wait_until(lambda: bench.health("options").malformed >= 8)
    assert bench.is_running(*ALL)
    assert bench.connections("options") == 1


@pytest.mark.parametrize("stream", ALL)
def test_no_malformed_frame_ends_a_connection(bench: Bench, wait_until, stream: str) -> None:
    """Every kind of malformed frame is counted on each stream, and no invalid number is stored."""
    symbol = {"options": CONTRACTS[0], "stocks": STOCKS[0], "fills": ""}[stream]

    def taken() -> tuple[int, int]:
        health = bench.health(stream)
        return health.malformed, health.messages

    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    for kind in malformed_payloads(stream, symbol):
        before = taken()
        bench.simulator.send_malformed(stream, kind, symbol)
        wait_until(lambda before=before: taken() != before, f"a word on {kind!r}")
    assert bench.health(stream).malformed >= 5
    assert bench.is_running(*ALL)
    assert [bench.connections(name) for name in ALL] == [1, 1, 1]
    for quotes in (bench.snapshot.option_quotes, bench.snapshot.stock_quotes):
        for quote in quotes.values():
            assert all(price is None or price < math.inf for price in (quote.bid_price, quote.ask_price))
    bench.simulator.fill_now("AAPL", "buy", 3)
    wait_until(lambda: any(row.get("fill_qty") == 3 for row in bench.snapshot.fills))


@pytest.mark.parametrize("where", ["handler", "normalizer", "cache"])
def test_an_internal_exception_is_counted_and_nothing_dies(
    bench: Bench, wait_until, caplog, monkeypatch, where: str
) -> None:
    """If a handler, normalizer or consumer raises, its data is lost, counted, and logged once."""
    from options_helper.data.streaming.run import consumer
    from options_helper.data.streaming.run.cache import LiveCache
    from options_helper.data.streaming.run.inbox import EventInbox

    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    owner, name = {
        "handler": (EventInbox, "offer"),
        "normalizer": (consumer, "quote_change"),
        "cache": (LiveCache, "apply_options"),
    }[where]
    works = getattr(owner, name)

    def raises(*_arguments: Any, **_more: Any) -> None:
        raise ZeroDivisionError

    before = bench.health("options").malformed
    monkeypatch.setattr(owner, name, raises)
    for price in (1.0, 2.0, 3.0):
        counted = bench.health("options").malformed
        bench.simulator.push_quote(CONTRACTS[0], price, price + 1)
        wait_until(lambda counted=counted: bench.health("options").malformed > counted)
    monkeypatch.setattr(owner, name, works)
    assert bench.health("options").malformed >= before + 3
    mended = bench.snapshot.as_of
    bench.simulator.push_quote(CONTRACTS[0], 7.0, 8.0)
    quotes = lambda: bench.snapshot.option_quotes  # noqa: E731 - read again at each look
    wait_until(lambda: CONTRACTS[0] in quotes() and quotes()[CONTRACTS[0]].received_at > mended)
    assert bench.is_running(*ALL)
    assert [bench.connections(stream) for stream in ALL] == [1, 1, 1]
    lines = [record.getMessage() for record in caplog.records if "ZeroDivisionError" in record.getMessage()]
    assert lines
    assert len(lines) == len(set(lines))


def test_a_flapping_server_is_met_with_backoff(bench: Bench, wait_until) -> None:
    """A server that drops a hundred connections gets attempts spaced by the backoff."""
    bench.simulator.faults.set("options", drops=100, drop_at="auth")
    bench.start(
        times=ConnectionTimes(),  # none of the attempts may give up before the server has seen it
        stream_stocks=False,
        stream_fills=False,
        reconnect_base_seconds=0.01,
        reconnect_cap_seconds=0.04,
    )
    wait_until(lambda: bench.is_running("options"), seconds=60)
    times = bench.simulator.connection_times["options"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) == 101
    assert bench.health("options").attempts == 100
    assert all(gap >= 0.0075 for gap in gaps)
    assert all(gap >= 0.03 for gap in gaps[3:])


@pytest.mark.parametrize("moment", ["quiet", "hanging", "backoff", "building"])
def test_stop_is_quick_at_any_moment(bench: Bench, wait_until, moment: str) -> None:
    """Stop ends a quiet stream, a hanging handshake, a hanging request and a backoff at once."""
    bench.simulator.faults.rest(hang=True)
    if moment == "hanging":
        for stream in ALL:
            bench.simulator.faults.set(stream, hang_on_connect=True)
    if moment == "backoff":
        for stream in ALL:
            bench.simulator.faults.set(stream, http_status=503)
    bench.start(
        times=ConnectionTimes(),
        reconnect_base_seconds=20 if moment == "backoff" else 0.5,
        reconnect_cap_seconds=30,
        backfill=True,
    )
    if moment == "quiet":
        wait_until(lambda: bench.is_running(*ALL))
    if moment == "hanging":
        wait_until(lambda: all(bench.simulator.open_connections[stream] for stream in ALL))
    if moment == "backoff":
        wait_until(lambda: all(bench.health(stream).attempts for stream in ALL))
    if moment != "building":
        wait_until(lambda: bench.simulator.requests)
    began = time.monotonic()
    bench.manager.stop()
    seconds = time.monotonic() - began
    names = ("stocks", "options", "fills", "consumer", "backfill")
    ours = {f"options-helper-{name}" for name in names} & {thread.name for thread in threading.enumerate()}
    assert seconds < 4  # below the SDK's own 5 s; on an idle machine it takes a tenth of a second
    assert ours == set()
    assert bench.snapshot.status == "stopped"
    wait_until(lambda: not any(bench.simulator.open_connections.values()))


def test_restart_is_not_refused_because_of_its_own_connection(bench: Bench, wait_until) -> None:
    """Twenty restarts in a row never meet Alpaca's limit of one connection."""
    for number in range(20):
        bench.start(queue_maxsize=100 + number)
        wait_until(lambda: bench.is_running(*ALL))
        assert bench.snapshot.last_error is None
        assert not any(bench.snapshot.reconnect_attempts.values())


def test_only_get_is_ever_sent(bench: Bench, wait_until) -> None:
    """The server receives no HTTP method but GET."""
    bench.start(backfill=True)
    wait_until(lambda: bench.is_running(*ALL))
    wait_until(lambda: bench.snapshot.previous_closes and not bench.snapshot.fill_gaps)
    assert set(bench.simulator.methods_seen) == {"GET"}


def test_a_hundred_random_starts_and_stops_leave_nothing(bench: Bench, wait_until) -> None:
    """For any sequence of starts, restarts and stops, nothing raises and no socket is left."""
    draw = random.Random(11)  # noqa: S311 - which moment to stop at, not a secret
    for number in range(100):
        bench.start(queue_maxsize=100 + number % 2)
        moment = draw.choice(["at once", "connecting", "running", "again"])
        if moment == "connecting":
            stream = draw.choice(ALL)
            wait_until(lambda stream=stream: bench.simulator.connections_total[stream] > 0)
        if moment == "running":
            wait_until(lambda: bench.is_running(*ALL))
        if moment != "again":
            bench.manager.stop()
    bench.manager.stop()
    wait_until(lambda: not any(bench.simulator.open_connections.values()))


def test_a_halt_is_reported_and_ends(bench: Bench, wait_until) -> None:
    """A halted stock is in the snapshot until its trading resumes."""
    bench.start()
    wait_until(lambda: bench.is_running(*ALL))
    wait_until(lambda: "AAPL" in bench.simulator.subscriptions("stocks").get("statuses", ()))
    bench.simulator.push_status("AAPL", "H")
    wait_until(lambda: bench.snapshot.halted == {"AAPL"})
    bench.simulator.push_status("AAPL", "T")
    wait_until(lambda: not bench.snapshot.halted)
    assert bench.connections("stocks") == 1


@pytest.mark.parametrize(("held", "streaming", "channels"), [(40, 30, 30), (20, 20, 30)])
def test_a_plan_that_counts_channels_still_streams(
    wait_until, monkeypatch, held: int, streaming: int, channels: int
) -> None:
    """After a refused request, the connection requests less until quotes stream; the limit is remembered."""
    monkeypatch.setattr(budget, "known_budgets", known := {})
    monkeypatch.setattr(market_data, "known_budgets", known)
    stocks = tuple(f"S{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(held))
    with AlpacaSimulator(tick_seconds=0.05, plan=Plan(count_stock_channels=True)) as simulator:
        bench = Bench(simulator)
        for _ in range(2):
            bench.start(stocks=stocks, option_contracts=(), stream_fills=False, times=ConnectionTimes())
            wait_until(lambda: bench.is_running("stocks"))
            health = bench.health("stocks")
            assert (len(health.asked - health.missing), health.channels) == (streaming, channels)
            assert set(simulator.subscriptions("stocks")["quotes"]) == set(stocks[:streaming])
            assert len(simulator.subscriptions("stocks")["trades"]) == channels - streaming
            bench.manager.stop()
    assert bench.connections("stocks") == 2
    assert len(known) == 1


@pytest.mark.parametrize("counts_channels", [False, True])
def test_a_symbol_in_an_invalid_format_is_named_and_left_out(
    wait_until, monkeypatch, *, counts_channels: bool
) -> None:
    """Alpaca's 400 does not name the symbol, which is searched for and left out, on later connections too."""
    for name in ("known_budgets", "known_invalid"):
        monkeypatch.setattr(market_data, name, {})
    stocks = tuple(f"S{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(40))
    asked = (*stocks[:7], "TOOLONGNAME", *stocks[7:])
    plan = Plan(count_stock_channels=counts_channels, stock_symbols={"iex": 30 if counts_channels else 50})
    with AlpacaSimulator(tick_seconds=0.05, plan=plan) as simulator:
        bench = Bench(simulator)
        for _ in range(2):
            bench.start(stocks=asked, option_contracts=(), stream_fills=False, times=ConnectionTimes())
            wait_until(lambda: bench.is_running("stocks"))
            assert bench.health("stocks").invalid == {"TOOLONGNAME"}
            granted = stocks[:30] if counts_channels else stocks
            assert set(simulator.subscriptions("stocks")["quotes"]) == set(granted)
            bench.manager.stop()
    assert bench.connections("stocks") == 2
