"""The cache of the newest live data."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

from options_helper.data.streaming.run.cache import LiveCache, Reference
from options_helper.data.streaming.run.fill_gaps import FillGaps
from options_helper.market import BrokerPosition, FillGap, Greeks, PreviousClose, Quote, Trade

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 20)


def _row(order_id: str, at: dt.datetime | None = NOW, **more: Any) -> dict[str, Any]:
    return {"order_id": order_id, "timestamp": at, **more}


def _ids(rows: Any) -> list[str]:
    return [row["order_id"] for row in rows]


def test_the_newest_quote_and_trade_of_each_symbol_are_kept() -> None:
    """Later rows replace earlier ones of their symbol, separately for stocks and options."""
    cache = LiveCache(["AAPL"], ["C1", "C2"])
    cache.apply_stocks([Quote("AAPL", 1.0, 2.0)], [Trade("AAPL", 1.5)])
    cache.apply_options([Quote("C1", 3.0, 4.0)], [Trade("C2", 3.5)])
    cache.apply_options([Quote("C1", 5.0, 6.0)])
    state = cache.state
    assert dict(state.stock_quotes) == {"AAPL": Quote("AAPL", 1.0, 2.0)}
    assert dict(state.stock_trades) == {"AAPL": Trade("AAPL", 1.5)}
    assert dict(state.option_quotes) == {"C1": Quote("C1", 5.0, 6.0)}
    assert dict(state.option_trades) == {"C2": Trade("C2", 3.5)}


def test_a_version_once_read_never_changes() -> None:
    """A snapshot holds a state by reference, and later changes do not reach it."""
    cache = LiveCache(["AAPL"])
    cache.apply_stocks([Quote("AAPL", 1.0, 2.0)])
    before = cache.state
    cache.apply_stocks([Quote("AAPL", 9.0, 10.0)], [Trade("AAPL", 9.5)])
    cache.apply_orders([_row("a")], now=NOW)
    assert before.stock_quotes["AAPL"].bid_price == 1.0
    assert not before.stock_trades
    assert before.fills == ()
    assert cache.state.version > before.version


def test_a_batch_of_trades_shares_the_quotes_of_the_version_before() -> None:
    """Unchanged columns are not copied."""
    cache = LiveCache(["AAPL"], ["C1"])
    before = cache.state
    cache.apply_stocks((), [Trade("AAPL", 1.0)])
    cache.apply_options((), [Trade("C1", 1.0)])
    assert cache.state.stock_quotes is before.stock_quotes
    assert cache.state.option_quotes is before.option_quotes


def test_an_older_rest_row_never_replaces_one_from_the_stream() -> None:
    """A first quote from REST that comes late fills only a missing row."""
    cache = LiveCache([], ["C1", "C2"])
    cache.apply_options([Quote("C1", 1.0, 2.0, timestamp=NOW)])
    older = NOW - dt.timedelta(minutes=1)
    cache.apply_options([Quote(name, 8.0, 9.0, timestamp=older, from_rest=True) for name in ("C1", "C2")])
    assert cache.state.option_quotes["C1"].bid_price == 1.0
    assert cache.state.option_quotes["C2"].from_rest


def test_order_updates_are_read_newest_first() -> None:
    """Rows are stored in order of arrival and read newest first."""
    cache = LiveCache()
    cache.apply_orders([_row("a"), _row("b")], now=NOW)
    cache.apply_orders([_row("c")], now=NOW)
    assert _ids(cache.state.fills) == ["c", "b", "a"]


def test_order_updates_from_an_earlier_new_york_day_are_dropped() -> None:
    """The day changes at midnight in New York, which is 05:00 UTC in winter."""
    cache = LiveCache()
    evening = dt.datetime(2026, 11, 21, 4, 59, tzinfo=dt.UTC)
    cache.apply_orders([_row("friday", evening)], now=evening)
    assert _ids(cache.state.fills) == ["friday"]
    morning = dt.datetime(2026, 11, 21, 5, 1, tzinfo=dt.UTC)
    cache.apply_orders([_row("saturday", morning)], now=morning)
    assert _ids(cache.state.fills) == ["saturday"]


def test_a_row_without_any_time_is_kept() -> None:
    """A fill without a time is dated by its receipt, and a fill without either is kept."""
    cache = LiveCache()
    yesterday = NOW - dt.timedelta(days=1)
    rows = [_row("timeless", None), _row("received", None, received_at=yesterday)]
    cache.apply_orders(rows, now=NOW)
    assert _ids(cache.state.fills) == ["timeless"]


def test_a_new_day_drops_the_rest_history_too() -> None:
    """Executions and orders from REST belong to their day; if none is dropped, there is no new version."""
    cache = LiveCache()
    yesterday = NOW - dt.timedelta(days=1)
    cache.drop_orders_before(yesterday.date())
    cache.apply_order_history([_row("old", yesterday), _row("new")], [_row("old", yesterday)])
    cache.drop_orders_before(TODAY)
    assert _ids(cache.state.rest_fills) == ["new"]
    assert cache.state.rest_orders == ()
    version = cache.state.version
    cache.drop_orders_before(TODAY)
    assert cache.state.version == version
    for days in (1, 2):
        cache.drop_orders_before(TODAY + dt.timedelta(days=days))
    assert (cache.state.rest_fills, cache.state.version) == ((), version + 1)


def test_an_open_order_from_an_earlier_day_stays_on_the_day_that_lists_it() -> None:
    """An open order from an earlier day is listed by REST as today's, so only a new day drops it."""
    cache = LiveCache()
    cache.drop_orders_before(TODAY)
    carried = _row("carried", NOW - dt.timedelta(days=3))
    cache.apply_order_history([], [carried])
    cache.apply_orders([_row("a")], now=NOW)
    cache.drop_orders_before(TODAY)
    assert cache.state.rest_orders == (carried,)
    tomorrow = NOW + dt.timedelta(days=1)
    cache.apply_orders([_row("b", tomorrow)], now=tomorrow)
    assert (_ids(cache.state.fills), cache.state.rest_orders) == (["b"], ())


def test_reference_values_are_merged_by_symbol() -> None:
    """Closes, Greeks and multipliers from several answers add up, and the account stays once known."""
    cache = LiveCache()
    close = PreviousClose(1.0, TODAY)
    cache.apply_reference(
        Reference(previous_closes={"A": close}, greeks={"A": Greeks(delta=0.5)}, account="PA…9")
    )
    cache.apply_reference(Reference(previous_closes={"B": close}, multipliers={"A": 100.0}))
    state = cache.state
    assert set(state.previous_closes) == {"A", "B"}
    assert state.greeks["A"].delta == 0.5
    assert state.multipliers == {"A": 100.0}
    assert state.broker_account == "PA…9"


def test_the_brokers_positions_are_replaced_whole() -> None:
    """A position missing from the answer is removed; an answer without positions changes nothing."""
    cache = LiveCache()
    cache.apply_reference(Reference(broker_positions={"A": BrokerPosition("A", 1.0)}))
    cache.apply_reference(Reference(account="PA…9"))
    assert set(cache.state.broker_positions) == {"A"}
    cache.apply_reference(Reference(broker_positions={}))
    assert cache.state.broker_positions == {}


def test_progress_is_kept_by_part() -> None:
    """Each part of the background fetch has its own words."""
    cache = LiveCache()
    cache.apply_progress("fills", "fetching")
    cache.apply_progress("quotes", "HTTP 503")
    cache.apply_progress("fills", "")
    assert cache.state.backfill == {"fills": "", "quotes": "HTTP 503"}


def test_a_halt_ends_with_a_resumption_or_a_trade_or_when_forgotten() -> None:
    """Trades from before the halt, or of other symbols, do not end it."""
    cache = LiveCache(["A", "B"])
    cache.apply_halts({"A": NOW, "B": NOW, "C": NOW})
    for seconds in (-1, 10):
        cache.apply_stocks((), [Trade("A", 1.0, timestamp=NOW + dt.timedelta(seconds=seconds))])
    cache.apply_stocks([Quote("B", 1.0, 1.1, timestamp=NOW + dt.timedelta(minutes=6))])
    assert cache.state.halted == {"A", "B", "C"}
    cache.apply_stocks((), [Trade("A", 1.0, timestamp=NOW + dt.timedelta(minutes=5))])
    assert cache.state.halted == {"B", "C"}
    cache.apply_halts({"B": None})
    assert cache.state.halted == {"C"}
    cache.forget_halts()
    assert cache.state.halted == frozenset()
    cache.apply_halts({"A": NOW + dt.timedelta(minutes=9)})
    cache.apply_stocks((), [Trade("B", 1.0, timestamp=NOW + dt.timedelta(minutes=10))])
    assert cache.state.halted == {"A"}, "its last trade was before this halt"


def test_gaps_are_replaced_and_a_touch_makes_a_version() -> None:
    """The version grows even if the contents are the same, so that the page redraws."""
    cache = LiveCache()
    cache.apply_gaps(FillGaps(NOW))
    before = cache.state
    cache.touch()
    assert cache.state.fill_gaps == (FillGap(NOW),) == before.fill_gaps
    assert cache.state.version == before.version + 1


def test_writers_from_many_threads_lose_nothing() -> None:
    """With simultaneous writers, no row and no version is lost."""
    cache = LiveCache()
    gate = threading.Barrier(4)

    def write(name: str) -> None:
        gate.wait()
        for number in range(50):
            cache.apply_orders([_row(f"{name}{number}")], now=NOW)
            cache.touch()

    threads = [threading.Thread(target=write, args=(name,), daemon=True) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(_ids(cache.state.fills))) == 200
    assert cache.state.version == 400


class ReadRow(dict[str, object]):
    """An order update that counts how often its time is read."""

    reads = 0

    def get(self, key: str, default: object = None) -> object:
        """Count the reads of a time."""
        ReadRow.reads += key == "timestamp"
        return super().get(key, default)


def test_an_order_update_costs_the_same_however_many_came_before() -> None:
    """Earlier updates are checked only when the New York date changes."""
    cache = LiveCache()
    noon = dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC)
    for _ in range(100):
        cache.apply_orders([ReadRow(timestamp=noon)], now=noon)
    assert (len(cache.state.fills), ReadRow.reads) == (100, 100)
    tomorrow = noon + dt.timedelta(days=1)
    cache.apply_orders([ReadRow(timestamp=tomorrow)], now=tomorrow)
    assert [row["timestamp"] for row in cache.state.fills] == [tomorrow]


def test_facts_about_a_close_from_an_earlier_answer_are_kept() -> None:
    """A close keeps its quote and trade time from an earlier answer; REST forgets them as the day begins."""
    cache, day = LiveCache(), dt.date(2026, 11, 19)
    at = dt.datetime(2026, 11, 19, 20, 50, tzinfo=dt.UTC)
    cache.apply_reference(Reference(previous_closes={"A": PreviousClose(1.5, day, 4, at, 1.6)}))
    cache.apply_reference(Reference(previous_closes={"A": PreviousClose(1.5, day, 4)}))
    assert cache.state.previous_closes["A"] == PreviousClose(1.5, day, 4, at, 1.6)
    newer = PreviousClose(1.7, day + dt.timedelta(days=1), 2)
    cache.apply_reference(Reference(previous_closes={"A": newer}))
    assert cache.state.previous_closes["A"] == newer
