"""The manager, with fake streamers."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.errors import OptionsHelperError, SettingsError, StreamInterrupted, StreamRejected
from options_helper.market import LiveSnapshot
from tests.fakes import FakeStreamer

CONTRACT = "AAPL261218C00250000"
CONFIG = LiveStreamConfig(stocks=("AAPL",), option_contracts=(CONTRACT,), reconnect_base_seconds=0.01)


class SubscribedStreamer(FakeStreamer):
    """A streamer with the promised methods; remembers what it was given."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments
        self.symbols: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return self.arguments[name]

    def subscribe(self, symbols: Any) -> None:
        self.symbols = list(symbols)

    def subscribe_trade_updates(self) -> None:
        self.symbols = ["trade_updates"]


class ManagerDesk:
    """A manager and every streamer it made, by stream."""

    def __init__(self, **more: Any) -> None:
        self.made: dict[str, list[SubscribedStreamer]] = {"stocks": [], "options": [], "fills": []}
        self.manager = LiveStreamManager(
            stock_streamer_factory=lambda **arguments: self._make("stocks", arguments),
            option_streamer_factory=lambda **arguments: self._make("options", arguments),
            trading_streamer_factory=lambda **arguments: self._make("fills", arguments),
            **more,
        )

    def _make(self, stream: str, arguments: dict[str, Any]) -> SubscribedStreamer:
        streamer = SubscribedStreamer(**arguments)
        self.made[stream].append(streamer)
        return streamer

    def __getitem__(self, stream: str) -> SubscribedStreamer:
        return self.made[stream][-1]

    @property
    def snapshot(self) -> LiveSnapshot:
        return self.manager.snapshot()


@pytest.fixture
def desk(wait_until):
    """A started desk whose three streamers run; stopped afterwards."""
    desk = ManagerDesk()
    desk.manager.start(CONFIG)
    wait_until(lambda: all(made and made[-1].running.is_set() for made in desk.made.values()))
    yield desk
    desk.manager.stop()


def _quote(symbol: str, bid: float, ask: float, **more: Any) -> dict[str, Any]:
    return {
        "T": "q",
        "S": symbol,
        "bp": bid,
        "ap": ask,
        "bs": 1,
        "as": 2,
        "t": dt.datetime.now(dt.UTC),
        **more,
    }


def _update(order_id: str = "o1", event: str = "fill", **order: Any) -> dict[str, Any]:
    return {
        "stream": "trade_updates",
        "data": {
            "event": event,
            "timestamp": dt.datetime.now(dt.UTC).isoformat(),
            "qty": "1",
            "price": "2.50",
            "order": {
                "id": order_id,
                "symbol": CONTRACT,
                "side": "buy",
                "qty": "1",
                "status": "filled",
                **order,
            },
        },
    }


def test_nothing_is_known_before_start() -> None:
    """A manager that was never started has no data and says so."""
    manager = LiveStreamManager()
    snapshot = manager.snapshot()
    assert (snapshot.status, snapshot.running, manager.is_running()) == ("not_started", False, False)
    assert not snapshot.option_quotes
    manager.stop()


def test_a_thread_alone_is_not_running(desk: ManagerDesk) -> None:
    """A stream that has not been heard from is connecting, however long its thread lives."""
    assert set(desk.snapshot.status_by_stream.values()) == {"connecting"}
    assert desk.snapshot.running
    assert desk.manager.is_running()


def test_an_event_makes_a_stream_running_and_is_visible(desk: ManagerDesk, wait_until) -> None:
    """A quote makes its stream running and appears under the plan's symbol."""
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    wait_until(lambda: CONTRACT in desk.snapshot.option_quotes)
    quote = desk.snapshot.option_quotes[CONTRACT]
    assert (quote.bid_price, quote.ask_price) == (1.0, 1.2)
    assert desk.snapshot.status_by_stream["options"] == "running"
    assert desk.snapshot.status_by_stream["stocks"] == "connecting"
    assert desk.snapshot.last_event_ts_by_stream["options"] is not None


@pytest.mark.date_sensitive
def test_sdk_objects_and_lists_are_accepted(desk: ManagerDesk, wait_until) -> None:
    """Quotes and trades may be raw dicts or SDK objects, single or in lists."""
    now = dt.datetime.now(dt.UTC)
    sdk_quote = SimpleNamespace(
        symbol="AAPL", bid_price=270.0, ask_price=270.1, bid_size=1, ask_size=1, timestamp=now
    )
    desk["stocks"].on_quotes([sdk_quote])
    desk["stocks"].on_trades([{"T": "t", "S": "AAPL", "p": 270.05, "s": 10, "t": now}])
    wait_until(lambda: desk.snapshot.stock_trades.get("AAPL"))
    assert desk.snapshot.stock_quotes["AAPL"].ask_price == 270.1
    assert desk.snapshot.stock_trades["AAPL"].price == 270.05


class PlainStreamer(SubscribedStreamer):
    """A streamer with the promised names only."""

    def __init__(self, *, feed: str, on_quotes: Any, on_trades: Any) -> None:
        super().__init__(feed=feed, on_quotes=on_quotes, on_trades=on_trades)

    def run(self) -> None:
        self.on_quotes(_quote(self.symbols[0], 1.0, 1.2))
        super().run()


class PlainTradingStreamer(SubscribedStreamer):
    """A streamer of order updates with the promised names only."""

    def __init__(self, *, on_trade_updates: Any) -> None:
        super().__init__(on_trade_updates=on_trade_updates)

    def run(self) -> None:
        self.on_trade_updates(_update())
        super().run()


def test_a_factory_needs_only_the_promised_names(wait_until) -> None:
    """A streamer that accepts only a feed and the handlers is run like any other."""
    manager = LiveStreamManager(
        stock_streamer_factory=PlainStreamer,
        option_streamer_factory=PlainStreamer,
        trading_streamer_factory=PlainTradingStreamer,
    )
    manager.start(CONFIG)
    try:
        wait_until(lambda: len(manager.snapshot().fills) == 1)
        wait_until(lambda: manager.snapshot().status == "running")
        assert manager.snapshot().last_error is None
    finally:
        manager.stop()


def test_the_newest_of_a_batch_wins_and_the_rest_is_conflated(desk: ManagerDesk, wait_until) -> None:
    """Of two quotes of a symbol in a batch, the newer is shown and the older counts as conflated."""
    desk["options"].on_quotes([_quote(CONTRACT, 1.0, 1.2), _quote(CONTRACT, 1.1, 1.3)])
    wait_until(lambda: desk.snapshot.conflated_events)
    assert desk.snapshot.option_quotes[CONTRACT].bid_price == 1.1
    assert (desk.snapshot.conflated_events, desk.snapshot.dropped_events) == (1, 0)


@pytest.mark.date_sensitive
def test_order_updates_are_newest_first_and_never_conflated(desk: ManagerDesk, wait_until) -> None:
    """Every order update is in the snapshot, the newest first."""
    desk["fills"].on_trade_updates([_update("a"), _update("b")])
    desk["fills"].on_trade_updates(_update("c"))
    wait_until(lambda: len(desk.snapshot.fills) == 3)
    assert [row["order_id"] for row in desk.snapshot.fills] == ["c", "b", "a"]


@pytest.mark.date_sensitive
def test_yesterdays_order_updates_are_dropped_by_date() -> None:
    """When the New York date changes, the day's order updates are dropped."""
    now = [dt.datetime(2026, 11, 20, 20, 0, tzinfo=dt.UTC)]
    desk = ManagerDesk(clock=lambda: now[0])
    desk.manager.start(CONFIG)
    arrived = threading.Event()
    update = _update("a")
    update["data"]["timestamp"] = now[0].isoformat()
    while not desk.made["fills"]:
        arrived.wait(0.001)
    desk["fills"].on_trade_updates(update)
    while not desk.snapshot.fills:
        arrived.wait(0.001)
    now[0] += dt.timedelta(hours=12)
    assert desk.snapshot.fills == ()
    desk.manager.stop()


def test_a_malformed_item_is_counted_and_the_others_are_used(desk: ManagerDesk, wait_until) -> None:
    """A message without a symbol affects only itself."""
    desk["options"].on_quotes([{"T": "q"}, None, _quote(CONTRACT, 1.0, 1.2)])
    wait_until(lambda: CONTRACT in desk.snapshot.option_quotes)
    wait_until(lambda: desk.snapshot.health["options"].malformed == 2)


def test_a_raising_normalizer_is_counted_and_nothing_dies(
    desk: ManagerDesk, wait_until, monkeypatch, caplog
) -> None:
    """An exception in the consumer is counted and logged once per kind, and the next batch is taken."""

    class Explosive:
        @property
        def symbol(self) -> str:
            raise ZeroDivisionError

    desk["options"].on_quotes([Explosive()])
    desk["options"].on_quotes([Explosive()])
    desk["options"].on_quotes([_quote(CONTRACT, 1.0, 1.2)])
    wait_until(lambda: CONTRACT in desk.snapshot.option_quotes)
    assert desk.snapshot.health["options"].malformed == 2
    assert sum("ZeroDivisionError" in record.message for record in caplog.records) <= 1


def test_an_interrupted_stream_reconnects_and_says_why(desk: ManagerDesk, wait_until) -> None:
    """After an interruption, a new streamer is built, the attempt counted and the reason kept."""
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    desk["options"].end(StreamInterrupted("options", "the connection was reset"))
    wait_until(lambda: len(desk.made["options"]) == 2)
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    wait_until(lambda: desk.snapshot.status_by_stream["options"] == "running")
    assert desk.snapshot.reconnect_attempts["options"] == 1
    assert desk.snapshot.errors_by_stream == {"options": "the connection was reset"}
    assert desk.snapshot.last_error == "the connection was reset"
    assert desk.snapshot.alive["options"]


def test_a_rejected_stream_is_not_retried(desk: ManagerDesk, wait_until) -> None:
    """A refusal ends its stream for good and does not affect the others."""
    desk["options"].end(StreamRejected("options", "Alpaca refused the key", code=402))
    wait_until(lambda: desk.snapshot.status_by_stream["options"] == "error")
    assert len(desk.made["options"]) == 1
    assert not desk.snapshot.alive["options"]
    assert desk.snapshot.status == "error"
    assert desk.manager.is_running()


def test_an_unknown_exception_is_retried_without_its_text(desk: ManagerDesk, wait_until) -> None:
    """Only the kind of a foreign exception is shown, and the stream is retried."""
    desk["stocks"].end(RuntimeError("key=SECRET"))
    wait_until(lambda: len(desk.made["stocks"]) == 2)
    assert "SECRET" not in str(desk.snapshot)
    assert "RuntimeError" in (desk.snapshot.last_error or "")


def test_starting_twice_is_one_start(desk: ManagerDesk) -> None:
    """The same config again changes nothing."""
    desk.manager.start(CONFIG)
    assert {stream: len(made) for stream, made in desk.made.items()} == {
        "stocks": 1,
        "options": 1,
        "fills": 1,
    }


def test_a_changed_config_restarts(desk: ManagerDesk, wait_until) -> None:
    """A changed config stops the old streamers before it builds new ones, and versions keep growing."""
    version = desk.snapshot.version
    desk.manager.start(LiveStreamConfig(stocks=("MSFT",), stream_options=False, stream_fills=False))
    wait_until(lambda: len(desk.made["stocks"]) == 2)
    assert desk["stocks"].symbols == ["MSFT"]
    assert desk.snapshot.status_by_stream["options"] == "not_started"
    assert desk.snapshot.version > version


def test_after_stop_the_last_values_stay_readable(desk: ManagerDesk, wait_until) -> None:
    """Stop ends every thread and freezes the data; a second Stop does nothing."""
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    wait_until(lambda: CONTRACT in desk.snapshot.option_quotes)
    desk.manager.stop()
    desk.manager.stop()
    snapshot = desk.snapshot
    assert (snapshot.status, snapshot.running) == ("stopped", False)
    assert snapshot.option_quotes[CONTRACT].bid_price == 1.0
    assert snapshot.stopped_at is not None
    assert set(snapshot.status_by_stream.values()) == {"stopped"}


def test_a_late_callback_writes_into_a_run_nobody_reads(desk: ManagerDesk, wait_until) -> None:
    """A streamer that calls back after its run ended does not change the next run."""
    late = desk["options"]
    desk.manager.stop()
    desk.manager.start(CONFIG)
    late.on_quotes(_quote(CONTRACT, 9.0, 9.2))
    assert CONTRACT not in desk.snapshot.option_quotes


def test_nothing_to_stream_is_an_error_and_stops_nothing(desk: ManagerDesk) -> None:
    """A config with nothing to stream is refused, and the running streams continue."""
    with pytest.raises(SettingsError, match="nothing to stream"):
        desk.manager.start(LiveStreamConfig(stream_fills=False))
    with pytest.raises(SettingsError, match="nothing to stream"):
        desk.manager.check(LiveStreamConfig(stream_fills=False))
    assert desk.manager.is_running()


def test_missing_keys_are_reported_and_nothing_starts(monkeypatch, tmp_path) -> None:
    """Without keys, Start names the variables to set, and no thread begins."""
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    manager = LiveStreamManager()
    with pytest.raises(SettingsError, match="APCA_API_KEY_ID and APCA_API_SECRET_KEY"):
        manager.start(CONFIG)
    assert manager.snapshot().status == "not_started"


def test_start_and_stop_race_from_many_threads(wait_until) -> None:
    """Starts and stops from many threads leave one state and no thread."""
    desk = ManagerDesk()
    gate = threading.Barrier(8)

    def act(number: int) -> None:
        gate.wait()
        for _ in range(12):
            desk.manager.start(CONFIG) if number % 2 else desk.manager.stop()
            desk.manager.snapshot()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.manager.stop()
    assert desk.snapshot.status in {"stopped", "not_started"}


def test_the_oldest_batch_is_dropped_when_the_queue_is_full(wait_until, monkeypatch) -> None:
    """A full queue drops its oldest batch and counts its messages; fills stay."""
    desk = ManagerDesk()
    gate = threading.Event()
    from options_helper.data.streaming.run import consumer

    real = consumer.quote_change

    def slow(items: Any, received_at: dt.datetime) -> Any:
        gate.wait(10)
        return real(items, received_at)

    monkeypatch.setattr(consumer, "quote_change", slow)
    desk.manager.start(LiveStreamConfig(option_contracts=(CONTRACT,), queue_maxsize=2))
    wait_until(lambda: desk.made["options"] and desk.made["fills"])
    for number in range(10):
        desk["options"].on_quotes(_quote(CONTRACT, float(number), number + 1.0))
        desk["fills"].on_trade_updates(_update(str(number)))
    gate.set()
    wait_until(lambda: len(desk.snapshot.fills) == 10)
    wait_until(lambda: CONTRACT in desk.snapshot.option_quotes and desk.snapshot.queue_depth == 0)
    wait_until(lambda: desk.snapshot.option_quotes[CONTRACT].bid_price == 9.0)
    assert desk.snapshot.dropped_events in {7, 8}
    assert desk.snapshot.dropped_events_by_stream["options"] == desk.snapshot.dropped_events
    desk.manager.stop()


@pytest.mark.parametrize("is_started", [False, True])
def test_the_mappings_by_stream_hold_all_three(*, is_started: bool) -> None:
    """Before Start, and for a stream that is off, each mapping has a neutral entry."""
    desk = ManagerDesk()
    if is_started:
        desk.manager.start(LiveStreamConfig(stocks=["AAPL"], stream_fills=False))
    desk.manager.stop()
    snapshot = desk.snapshot
    assert snapshot.status_by_stream["fills"] == "not_started"
    assert (snapshot.alive["fills"], snapshot.last_event_ts_by_stream["fills"]) == (False, None)
    assert (snapshot.reconnect_attempts["fills"], snapshot.dropped_events_by_stream["fills"]) == (0, 0)
    assert {
        len(each) for each in (snapshot.status_by_stream, snapshot.alive, snapshot.reconnect_attempts)
    } == {3}


def test_a_snapshot_is_read_only(desk: ManagerDesk, wait_until) -> None:
    """Writing to mappings, order rows, legs or tables raises, and the manager's state stays."""
    desk["fills"].on_trade_updates(_update("a", legs=[{"id": "leg", "symbol": CONTRACT}]))
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    wait_until(lambda: desk.snapshot.fills and CONTRACT in desk.snapshot.option_quotes)
    snapshot: Any = desk.snapshot
    for mapping in (
        snapshot.fills[0],
        snapshot.fills[0]["legs"][0],
        snapshot.status_by_stream,
        snapshot.greeks,
    ):
        with pytest.raises(TypeError):
            mapping["symbol"] = "X"
    with pytest.raises(TypeError):
        snapshot.option_quotes[CONTRACT] = None
    with pytest.raises(ValueError, match="read-only"):
        snapshot.option_quotes.rows["bid_price"][:] = 9.0
    assert desk.snapshot.option_quotes[CONTRACT].bid_price == 1.0


def test_a_streamer_whose_stop_raises_does_not_affect_the_others(desk: ManagerDesk, wait_until) -> None:
    """Stop returns, the other streams end, and Start works again."""
    broken = desk["options"]
    end = broken.stop

    def raise_instead() -> None:
        raise RuntimeError("no")

    broken.stop = raise_instead  # type: ignore[method-assign]
    desk.manager.stop()
    assert not desk.manager.is_running()
    assert desk.snapshot.status == "stopped"
    desk.manager.start(CONFIG)
    wait_until(lambda: len(desk.made["options"]) == 2 and desk["options"].running.is_set())
    end()


def test_a_with_block_stops_the_streams() -> None:
    """Leaving the block ends the streams, whatever happened inside."""
    desk = ManagerDesk()
    with contextlib.suppress(ZeroDivisionError), desk.manager as manager:
        manager.start(CONFIG)
        assert manager.is_running()
        raise ZeroDivisionError
    assert desk.snapshot.status == "stopped"


def test_waiting_until_live_ends_with_the_last_stream(desk: ManagerDesk) -> None:
    """`wait_until_live` returns False until every stream has been heard, and then True."""
    assert not desk.manager.wait_until_live(0)
    desk["options"].on_quotes(_quote(CONTRACT, 1.0, 1.2))
    desk["stocks"].on_quotes(_quote("AAPL", 1.0, 1.2))
    last = threading.Timer(0.05, lambda: desk["fills"].on_trade_updates(_update()))
    last.start()
    assert desk.manager.wait_until_live(20)
    last.join()


def test_waiting_until_live_gives_up_if_it_cannot_succeed(desk: ManagerDesk) -> None:
    """`wait_until_live` returns False at once without a run, or after a stream has ended for good."""
    assert not LiveStreamManager().wait_until_live(20)
    desk["options"].end(StreamRejected("options", "the plan does not include this feed", code=409))
    assert not desk.manager.wait_until_live(20)


def test_a_backoff_of_zero_retries_at_once(wait_until) -> None:
    """`reconnect_base_seconds=0` retries without a wait."""
    desk = ManagerDesk()
    desk.manager.start(LiveStreamConfig(stocks=["AAPL"], stream_fills=False, reconnect_base_seconds=0))
    wait_until(lambda: desk.made["stocks"])
    desk["stocks"].end(StreamInterrupted("stocks", "the connection was reset"))
    wait_until(lambda: len(desk.made["stocks"]) == 2)
    desk.manager.stop()


@pytest.mark.parametrize("refused", [f"options-helper-{name}" for name in ("consumer", "stocks", "fills")])
def test_a_thread_that_cannot_start_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, wait_until, refused: str
) -> None:
    """Start raises, nothing runs, the last state stays readable, and the next Start succeeds."""
    desk = ManagerDesk()
    start = threading.Thread.start

    def start_or_refuse(thread: threading.Thread) -> None:
        if thread.name == refused:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start_or_refuse)
        with pytest.raises(OptionsHelperError, match="allows no more threads"):
            desk.manager.start(CONFIG)
    assert not desk.manager.is_running()
    assert not desk.snapshot.running
    assert not [one for one in threading.enumerate() if one.name.startswith("options-helper")]
    desk.manager.start(CONFIG)
    wait_until(lambda: all(made and made[-1].running.is_set() for made in desk.made.values()))
    desk.manager.stop()
