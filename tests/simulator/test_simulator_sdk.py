"""The official SDK understands the simulator: parsed models from all three streams and from REST rows."""

from __future__ import annotations

import contextlib
import threading
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from collections.abc import Iterator

from alpaca.data.live import OptionDataStream, StockDataStream
from alpaca.data.models import OptionsSnapshot, Quote, Trade
from alpaca.trading.models import Clock, OptionContract, Order, Position, TradeAccount, TradeActivity
from alpaca.trading.stream import TradingStream

from options_helper.simulator.account.orders import LegRequest

pytestmark = pytest.mark.integration

CALL, PUT = "AAPL391216C00270000", "AAPL391216P00270000"
PATIENCE_SECONDS = 10


class Listener:
    """Collects what a stream's handler is given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def handle(self, item: Any) -> None:
        """A coroutine function, as the SDK requires."""
        self.seen.append(item)

    def of(self, kind: type) -> list[Any]:
        return [item for item in self.seen if isinstance(item, kind)]


@contextlib.contextmanager
def running(phone: Any, stream: Any) -> Iterator[None]:
    """Run an SDK stream in a thread until the end of the block; dropping it spares the SDK's wait of 5 s."""
    thread = threading.Thread(target=stream.run, name="options-helper-sdk-stream", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stream.stop()
        for name in ("stocks", "options", "fills"):
            phone.simulator.drop(name)
        thread.join(PATIENCE_SECONDS)


def wait(phone: Any, condition: Any) -> None:
    """Wait for a condition."""
    phone.simulator.wait_for(condition, PATIENCE_SECONDS)


def test_the_option_stream(phone) -> None:
    """Parsed quotes and trades of the SDK have the values that were sent."""
    heard = Listener()
    url = phone.simulator.stream_url + "/v1beta1/indicative"
    stream = OptionDataStream("demo", "demo", url_override=url)
    stream.subscribe_quotes(heard.handle, CALL)
    stream.subscribe_trades(heard.handle, CALL, PUT)
    with running(phone, stream):
        wait(phone, lambda: phone.simulator.subscriptions("options").get("trades"))
        phone.simulator.push_quote(CALL, 7.0, 7.2, bid_size=3, ask_size=4)
        phone.simulator.push_trade(PUT, 5.5, 2)
        wait(phone, lambda: heard.of(Quote) and heard.of(Trade))
    [quote], [trade] = heard.of(Quote), heard.of(Trade)
    assert (quote.symbol, quote.bid_price, quote.ask_price, quote.bid_size) == (CALL, 7.0, 7.2, 3)
    assert (trade.symbol, trade.price, trade.size) == (PUT, 5.5, 2)
    assert quote.timestamp.tzinfo is not None


def test_the_stock_stream_with_a_long_subscription(phone) -> None:
    """A subscription that the SDK sends in fragments is understood."""
    heard = Listener()
    stream = StockDataStream("demo", "demo", url_override=phone.simulator.stream_url + "/v2/iex")
    stream._max_frame_size = 16
    stream.subscribe_quotes(heard.handle, "AAPL", "BRK.B", "MSFT")
    with running(phone, stream):
        wait(phone, lambda: phone.simulator.subscriptions("stocks").get("quotes"))
        phone.simulator.push_quote("BRK.B", 512.0, 512.1)
        wait(phone, lambda: heard.seen)
    assert heard.seen[0].symbol == "BRK.B"


def test_the_trading_stream(phone) -> None:
    """Parsed updates of single and multi-leg orders have the values of the ledger."""
    heard = Listener()
    simulator = phone.simulator
    stream = TradingStream("demo", "demo", url_override=simulator.stream_url + "/stream")
    stream.subscribe_trade_updates(heard.handle)
    with running(phone, stream):
        wait(phone, lambda: simulator.is_listening)
        order_id = simulator.place_order(CALL, "buy", 2, limit_price=7.1)
        simulator.fill(order_id, 1, 7.1)
        simulator.bust(simulator.fill(order_id, 1, 7.0))
        legs = [LegRequest(CALL, "buy"), LegRequest(PUT, "sell")]
        simulator.fill(simulator.place_multileg_order(legs, 1, limit_price=-0.5), prices=[5.0, 5.5])
        wait(phone, lambda: len(heard.seen) == 8)
    events = [getattr(update.event, "value", update.event) for update in heard.seen]
    single = ["pending_new", "new", "partial_fill", "fill", "trade_bust"]
    assert events == [*single, "pending_new", "new", "fill"]
    assert (heard.seen[2].price, heard.seen[2].qty, heard.seen[2].position_qty) == (7.1, 1, 1)
    parent = heard.seen[-1].order
    assert (heard.seen[-1].price, parent.symbol, parent.side.value) == (-0.5, None, "buy")
    assert [(leg.symbol, leg.side.value, leg.filled_avg_price) for leg in parent.legs] == [
        (CALL, "buy", "5"),
        (PUT, "sell", "5.5"),
    ]


def test_rest_rows(phone) -> None:
    """The SDK's models accept the rows of the REST routes."""
    phone.simulator.fill_now(CALL, "buy", 1, 7.0)
    [order] = phone.body("/v2/orders", status="all")
    assert Order(**order).filled_avg_price == "7"
    [activity] = phone.body("/v2/account/activities")
    assert TradeActivity(**activity, account_id=uuid4()).qty == 1
    [position] = phone.body("/v2/positions")
    assert Position(**position).avg_entry_price == "7"
    assert TradeAccount(**phone.body("/v2/account")).status.value == "ACTIVE"
    assert Clock(**phone.body("/v2/clock")).is_open
    assert OptionContract(**phone.body(f"/v2/options/contracts/{CALL}")).root_symbol == "AAPL"
    snapshots = phone.body("/v1beta1/options/snapshots", symbols=CALL)["snapshots"]
    assert OptionsSnapshot(CALL, snapshots[CALL]).latest_quote.ask_price > 0
