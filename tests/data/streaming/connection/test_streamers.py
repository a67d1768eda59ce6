"""The streamers, with fake streams."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from options_helper.data.settings import Account, AlpacaSettings
from options_helper.data.streaming.alpaca_stream import AlpacaOptionStreamer, AlpacaStockStreamer
from options_helper.data.streaming.alpaca_trading_stream import AlpacaTradingStreamer
from options_helper.data.streaming.connection.decoder import MarketBatch
from options_helper.data.streaming.connection.observer import SilentObserver
from options_helper.data.streaming.connection.sdk import import_alpaca
from options_helper.data.streaming.normalize.wire import WireQuote, WireTrade
from options_helper.errors import MissingDependency, SettingsError

PAPER_URL = "wss://paper-api.alpaca.markets/stream"
LIVE_URL = "wss://api.alpaca.markets/stream"
DATA_STREAMERS = [AlpacaStockStreamer, AlpacaOptionStreamer]

needs_alpaca = pytest.mark.skipif(find_spec("alpaca") is None, reason="alpaca-py is not installed")


class FakeStream:
    """A stream with the methods of alpaca-py's, which records its calls."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.subscriptions: dict[str, tuple[str, ...]] = {}
        self.handlers: dict[str, Any] = {}
        self.calls: list[str] = []

    def subscribe_quotes(self, handler: Any, *symbols: str) -> None:
        self.handlers["quotes"], self.subscriptions["quotes"] = handler, symbols

    def subscribe_trades(self, handler: Any, *symbols: str) -> None:
        self.handlers["trades"], self.subscriptions["trades"] = handler, symbols

    def subscribe_trade_updates(self, handler: Any) -> None:
        self.handlers["trade_updates"] = handler

    def run(self) -> None:
        self.calls.append("run")

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.fixture
def settings() -> AlpacaSettings:
    """Keys of a paper account."""
    return AlpacaSettings("PKTEST", "secret", stock_feed="sip", options_feed="opra")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch, tmp_path) -> None:
    """No key of the machine's own reaches a test."""
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL", "APCA_API_STREAM_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def without_alpaca(monkeypatch) -> None:
    """Make alpaca-py look as if it were not installed."""
    real = importlib.import_module

    def import_module(name: str, package: str | None = None) -> Any:
        if name.partition(".")[0] == "alpaca":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", import_module)


def test_streams_that_start_together_import_one_after_the_other(tmp_path, monkeypatch) -> None:
    """Streams import one after the other, because imports in different orders can deadlock threads."""
    package = tmp_path / "doors"
    package.mkdir()
    (package / "__init__.py").write_text("from threading import Event\na, b = Event(), Event()\n")
    for name, other in ("ab", "ba"):
        code = f"import doors\ndoors.{name}.set()\nother_is_in = doors.{other}.wait(0.2)\n"
        (package / f"by_{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(import_alpaca, ["doors.by_a", "doors.by_b"])
    assert not (first.other_is_in and second.other_is_in)


@pytest.mark.parametrize("kind", DATA_STREAMERS)
def test_subscribing_requests_quotes_and_trades_once_each(kind: Any) -> None:
    """Every symbol is requested once in both channels, in the given order."""
    stream = FakeStream()
    kind(stream=stream).subscribe(["B", "A", "B"])
    assert stream.subscriptions == {"quotes": ("B", "A"), "trades": ("B", "A")}
    assert stream.asked == frozenset({"A", "B"})  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", DATA_STREAMERS)
def test_subscribing_to_nothing_requests_nothing(kind: Any) -> None:
    """An empty list must not become a subscription to everything."""
    stream = FakeStream()
    kind(stream=stream).subscribe([])
    assert stream.subscriptions == {}


@pytest.mark.parametrize("kind", [*DATA_STREAMERS, AlpacaTradingStreamer])
def test_run_and_stop_are_passed_to_the_stream(kind: Any) -> None:
    """One `run()` of the streamer is one run of the stream."""
    stream = FakeStream()
    streamer = kind(stream=stream)
    streamer.run()
    streamer.stop()
    assert stream.calls == ["run", "stop"]


@pytest.mark.parametrize("kind", DATA_STREAMERS)
@pytest.mark.parametrize("channel", ["quotes", "trades"])
@pytest.mark.parametrize("coroutine", [False, True])
def test_handlers_may_be_plain_or_coroutine_functions(kind: Any, channel: str, *, coroutine: bool) -> None:
    """A listener may be a plain or a coroutine function, and receives the messages unchanged."""
    got: list[Any] = []

    async def later(items: Any) -> None:
        await asyncio.sleep(0)
        got.append(items)

    stream = FakeStream()
    kind(stream=stream, **{f"on_{channel}": later if coroutine else got.append}).subscribe(["A"])
    assert inspect.iscoroutinefunction(stream.handlers[channel])
    item = {"S": "A"}
    asyncio.run(stream.handlers[channel](item))
    assert got == [item]


@pytest.mark.parametrize("coroutine", [False, True])
def test_order_updates_reach_plain_and_coroutine_handlers(*, coroutine: bool) -> None:
    """Each update is passed on unchanged."""
    got: list[Any] = []

    async def later(update: Any) -> None:
        got.append(update)

    stream = FakeStream()
    streamer = AlpacaTradingStreamer(stream=stream, on_trade_updates=later if coroutine else got.append)
    streamer.subscribe_trade_updates()
    asyncio.run(stream.handlers["trade_updates"]({"event": "fill"}))
    assert got == [{"event": "fill"}]


def test_without_a_handler_messages_are_discarded() -> None:
    """A streamer without a listener still runs."""
    stream = FakeStream()
    AlpacaStockStreamer(stream=stream).subscribe(["A"])
    trading = AlpacaTradingStreamer(stream=stream)
    trading.subscribe_trade_updates()
    for handler in stream.handlers.values():
        asyncio.run(handler({}))


class Counting(SilentObserver):
    """Counts malformed messages."""

    def __init__(self) -> None:
        self.malformed: list[int] = []

    def counted(self, *, messages: int, conflated: int, malformed: int, waited: float = 0.0) -> None:
        assert (messages, conflated, waited) == (0, 0, 0.0)
        self.malformed.append(malformed)


@pytest.mark.parametrize("coroutine", [False, True])
def test_a_listener_that_raises_does_not_end_the_connection(caplog, *, coroutine: bool) -> None:
    """The lost messages are counted, and each kind of error is logged once, without its text."""
    mistakes: list[Exception] = [KeyError("a secret"), KeyError("a secret"), OSError("a secret")]

    def plain(_items: Any) -> None:
        raise mistakes.pop(0)

    async def coroutine_function(items: Any) -> None:
        plain(items)

    observer = Counting()
    handler = coroutine_function if coroutine else plain
    streamer = AlpacaOptionStreamer(stream=FakeStream(), on_quotes=handler, observer=observer)
    for _ in range(2):
        asyncio.run(streamer._deliver(MarketBatch([WireQuote("A"), WireQuote("B")], [], 2, 0, 0.0)))
    trading = AlpacaTradingStreamer(stream=FakeStream(), on_trade_updates=handler, observer=observer)
    asyncio.run(trading._handle({"event": "fill"}))
    assert observer.malformed == [2, 2, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "A listener of the options stream raised KeyError; the messages passed to it are lost.",
        "A listener of the fills stream raised OSError; the messages passed to it are lost.",
    ]


def test_a_batch_is_handed_over_in_two_lists() -> None:
    """The connection's batch becomes a list of quotes and one of trades; an empty one is not passed on."""
    calls: list[tuple[str, Any]] = []
    streamer = AlpacaOptionStreamer(
        stream=FakeStream(),
        on_quotes=lambda items: calls.append(("quotes", items)),
        on_trades=lambda items: calls.append(("trades", items)),
    )
    quote, trade = WireQuote("C1"), WireTrade("C1")
    asyncio.run(streamer._deliver(MarketBatch([quote], [], 1, 0, 0.0)))
    asyncio.run(streamer._deliver(MarketBatch([], [trade], 1, 0, 0.0)))
    assert calls == [("quotes", [quote]), ("trades", [trade])]


@pytest.mark.parametrize(
    ("kind", "feed", "url"),
    [
        (AlpacaStockStreamer, None, "wss://stream.data.alpaca.markets/v2/sip"),
        (AlpacaStockStreamer, "IEX", "wss://stream.data.alpaca.markets/v2/iex"),
        (AlpacaOptionStreamer, None, "wss://stream.data.alpaca.markets/v1beta1/opra"),
        (AlpacaOptionStreamer, "indicative", "wss://stream.data.alpaca.markets/v1beta1/indicative"),
    ],
)
def test_a_data_stream_is_built_for_raw_data_at_its_feeds_address(kind, feed, url, settings) -> None:
    """The given feed overrides the settings', and messages arrive undecoded."""
    stream = kind(settings, feed=feed, stream_cls=FakeStream).stream
    assert stream.arguments["url_override"] == url
    assert (stream.arguments["api_key"], stream.arguments["secret_key"]) == ("PKTEST", "secret")
    assert stream.arguments["raw_data"] is True


@needs_alpaca
@pytest.mark.parametrize(
    ("kind", "feed", "enum"),
    [(AlpacaStockStreamer, "sip", "DataFeed"), (AlpacaOptionStreamer, "opra", "OptionsFeed")],
)
def test_feeds_reach_the_sdk_as_its_enums(kind, feed, enum, settings) -> None:
    """Feeds become the SDK's enums, because its constructor does not accept a plain string."""
    enums = importlib.import_module("alpaca.data.enums")
    given = kind(settings, feed=feed, stream_cls=FakeStream).stream.arguments["feed"]
    assert given is getattr(enums, enum)(feed)


@needs_alpaca
def test_another_streams_feed_is_refused(settings) -> None:
    """An options feed is not a stock feed, and the error says so."""
    with pytest.raises(SettingsError, match="'opra' is not a feed of the stocks stream"):
        AlpacaStockStreamer(settings, feed="opra", stream_cls=FakeStream)


@needs_alpaca
@pytest.mark.parametrize("kind", [*DATA_STREAMERS, AlpacaTradingStreamer])
def test_the_sdks_own_stream_lives_for_one_connection(kind, settings) -> None:
    """Without a test's own class, the stream is the SDK's, limited to one connection."""
    streamer = kind(settings)
    assert type(streamer.stream).__name__.startswith("One")
    assert streamer.stream.stream_name == kind.name
    streamer.stop()
    streamer.run()  # asked to stop before it began: nothing is connected


@pytest.mark.usefixtures("without_alpaca")
@pytest.mark.parametrize("kind", [*DATA_STREAMERS, AlpacaTradingStreamer])
def test_a_missing_sdk_is_reported_with_the_line_that_installs_it(kind, settings) -> None:
    """Without alpaca-py, the error names the package and the extra."""
    with pytest.raises(MissingDependency, match=r'pip install "options-helper\[alpaca\]"') as caught:
        kind(settings)
    assert caught.value.package == "alpaca-py"


@pytest.mark.usefixtures("without_alpaca")
def test_an_injected_class_needs_no_sdk(settings) -> None:
    """Without the SDK's enum, a test's own class receives the feed as a word."""
    stream = AlpacaStockStreamer(settings, stream_cls=FakeStream).stream
    assert stream.arguments["feed"] == "sip"


def test_another_missing_module_is_not_blamed_on_the_sdk(monkeypatch) -> None:
    """An import error of another package is raised unchanged."""

    def fail(_name: str) -> Any:
        raise ModuleNotFoundError("No module named 'pytz'", name="pytz")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="pytz"):
        import_alpaca("alpaca.data.enums")


@pytest.mark.parametrize("kind", [*DATA_STREAMERS, AlpacaTradingStreamer])
def test_keys_come_from_the_environment(kind, monkeypatch) -> None:
    """Without settings, the environment's keys are used."""
    monkeypatch.setenv("APCA_API_KEY_ID", "PKENV")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret")
    assert kind(stream_cls=FakeStream).stream.arguments["api_key"] == "PKENV"


@pytest.mark.parametrize("kind", [*DATA_STREAMERS, AlpacaTradingStreamer])
def test_only_the_sdk_needs_keys(kind) -> None:
    """An injected class needs no keys; without them, Alpaca's raises an error that names the variables."""
    assert kind(stream_cls=FakeStream).stream.arguments["api_key"] == ""
    with pytest.raises(SettingsError, match="APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set"):
        kind()


@pytest.mark.parametrize(
    ("account", "paper", "expected", "url"),
    [
        (Account.PAPER, None, True, PAPER_URL),
        (Account.PAPER, True, True, PAPER_URL),
        (Account.PAPER, False, False, LIVE_URL),
        (Account.LIVE, None, False, LIVE_URL),
        (Account.LIVE, True, True, PAPER_URL),
        (Account.LIVE, False, False, LIVE_URL),
    ],
)
def test_paper_chooses_the_host_and_none_leaves_it(account, paper, expected, url) -> None:
    """True chooses Alpaca's paper host, False its live one, and None keeps the settings' host."""
    host = "https://api.alpaca.markets" if account is Account.LIVE else "https://paper-api.alpaca.markets"
    settings = AlpacaSettings("K", "s", account=account, trading_url=host)
    arguments = AlpacaTradingStreamer(settings, paper=paper, stream_cls=FakeStream).stream.arguments
    assert (arguments["paper"], arguments["url_override"]) == (expected, url)
    assert arguments["raw_data"] is True


@pytest.mark.parametrize("paper", [None, True, False])
def test_another_host_is_never_replaced_by_alpacas(paper) -> None:
    """If the trading host is not Alpaca's, the override changes nothing."""
    settings = AlpacaSettings("K", "s", account=Account.DEMO, trading_url="http://127.0.0.1:9")
    arguments = AlpacaTradingStreamer(settings, paper=paper, stream_cls=FakeStream).stream.arguments
    assert (arguments["paper"], arguments["url_override"]) == (True, "ws://127.0.0.1:9/stream")


def test_an_injected_stream_is_used_as_it_is() -> None:
    """With a ready stream, nothing is built and no key is read."""
    stream: Any = SimpleNamespace()
    assert AlpacaTradingStreamer(stream=stream).stream is stream
    assert AlpacaOptionStreamer(stream=stream).stream is stream


AT_ONCE = """
import threading
from options_helper.data.streaming.connection.sdk import import_alpaca
modules = ("alpaca.data.live.stock", "alpaca.data.live.option", "alpaca.trading.stream")
ready, failures = threading.Barrier(len(modules)), []
def load(module):
    ready.wait()
    try:
        import_alpaca(module)
    except Exception as error:
        failures.append(type(error).__name__)
threads = [threading.Thread(target=load, args=(module,)) for module in modules]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failures)
"""


@needs_alpaca
@pytest.mark.integration
def test_three_streams_can_load_the_sdk_at_once() -> None:
    """The SDK's packages import each other, but three threads that start together block none of them."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", AT_ONCE],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert done.stdout.strip() == "[]"
