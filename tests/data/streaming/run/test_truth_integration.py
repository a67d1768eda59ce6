"""The states of prices while real streams run, die or are late, and with a wrong clock."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("aiohttp", reason="the simulator needs aiohttp (pip install -e '.[dev]')")
pytest.importorskip("alpaca", reason="needs alpaca-py (pip install -e '.[alpaca]')")

from collections.abc import Callable, Iterator

from options_helper.analysis.live_portfolio_metrics import (
    compute_live_multileg_rows,
    compute_live_position_rows,
)
from options_helper.data.settings import load_settings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager
from options_helper.market import StreamName
from options_helper.models import EquityPosition, Leg, MultiLegPosition, Portfolio, Position
from options_helper.simulator.server import AlpacaSimulator
from options_helper.times import utc_now

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.integration

STALE_AFTER = 30.0
EXPIRY = dt.date(2039, 12, 16)
TERMS: dict[str, Any] = {"expiry": EXPIRY, "option_type": "call"}
CONTRACTS = tuple(f"{root}{EXPIRY:%y%m%d}C00{strike}000" for root, strike in (("AAPL", 270), ("MSFT", 500)))
HIGHER = f"MSFT{EXPIRY:%y%m%d}C00520000"
PUSHED = {250.05, 5.05}  # the marks of shares and contracts after a push
PORTFOLIO = Portfolio(
    account="none",  # the simulator's account has other quantities
    positions=[
        Position(id="call", symbol="AAPL", strike=270, contracts=2, cost_basis=5, **TERMS),
        EquityPosition(id="shares", symbol="AAPL", shares=10, cost_basis=200),
        MultiLegPosition(
            id="vertical",
            symbol="MSFT",
            net_debit=500,
            legs=[
                Leg(side="long", strike=500, contracts=1, **TERMS),
                Leg(side="short", strike=520, contracts=1, **TERMS),
            ],
        ),
    ],
)


class SimulatedDesk:
    """A simulated Alpaca, real streams from it, and a clock that the test can move."""

    def __init__(self, simulator: AlpacaSimulator) -> None:
        self.simulator = simulator
        self.shift = dt.timedelta()
        self.manager = LiveStreamManager(clock=lambda: utc_now() + self.shift)

    def start(self) -> None:
        """Subscribe to everything that the portfolio holds."""
        settings = load_settings(self.simulator.environment())
        self.manager.start(
            LiveStreamConfig(
                settings=settings,
                stocks=("AAPL", "MSFT"),
                option_contracts=(*CONTRACTS, HIGHER),
                reconnect_base_seconds=0.1,
            )
        )

    def rows(self) -> pd.DataFrame:
        """The rows of singles and legs, as they stand now."""
        import pandas as pd

        live = self.manager.snapshot()
        positions = compute_live_position_rows(PORTFOLIO, live, stale_after_seconds=STALE_AFTER)
        _, legs = compute_live_multileg_rows(PORTFOLIO, live, stale_after_seconds=STALE_AFTER)
        columns = ["state", "source", "quote_age_seconds", "lag_seconds", "quote_time", "mark", "warnings"]
        return pd.concat([positions[columns], legs[columns]], ignore_index=True)

    def states(self) -> set[str]:
        """Every state that a row has now."""
        return set(self.rows()["state"].astype(str))

    def push(self) -> None:
        """Quote shares near their previous close and contracts near 5."""
        for symbol in ("AAPL", "MSFT"):
            self.simulator.push_quote(symbol, 250.0, 250.1)
        for symbol in (*CONTRACTS, HIGHER):
            self.simulator.push_quote(symbol, 5.0, 5.1)


@pytest.fixture
def desk() -> Iterator[SimulatedDesk]:
    """Streams that send nothing by themselves; stopped afterwards."""
    with AlpacaSimulator(tick_seconds=0, order_interval_seconds=0) as simulator:
        desk = SimulatedDesk(simulator)
        yield desk
        desk.manager.stop()


def running(desk: SimulatedDesk, wait_until: Callable[..., None]) -> None:
    """Start, and wait for streams and first quotes."""
    desk.start()
    wait_until(lambda: set(desk.manager.snapshot().status_by_stream.values()) == {"running"})
    wait_until(lambda: not desk.rows()["mark"].isna().any())
    wait_until(lambda: desk.manager.snapshot().clock_offset_seconds is not None)


@pytest.mark.date_sensitive
def test_first_quotes_come_from_rest_with_their_true_time(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """If the streams send nothing, each row has a mark from a REST quote, which keeps its own time."""
    desk.start()
    wait_until(lambda: not desk.rows()["mark"].isna().any())
    rows = desk.rows()
    snapshot = desk.manager.snapshot()
    assert all(quote.from_rest for quote in snapshot.option_quotes.values())
    for symbol, quote in snapshot.option_quotes.items():
        assert quote.timestamp == desk.simulator.call(lambda symbol=symbol: told_at(desk.simulator, symbol))
    assert rows["lag_seconds"].isna().all(), "REST may answer at any time: that is not a lag"


def told_at(simulator: AlpacaSimulator, symbol: str) -> dt.datetime:
    """Return the time of a symbol's latest quote in the simulator, to the microsecond."""
    quote = simulator._world.tape.latest_quote(symbol)
    assert quote is not None
    return dt.datetime.fromtimestamp(int(quote["t"]) // 1000 / 1e6, dt.UTC)


@pytest.mark.date_sensitive
def test_a_stream_event_wins_over_rest_and_old_rest_over_nothing(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """After a newer event of the stream, REST's older snapshot never returns."""
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: set(desk.rows()["mark"]) == PUSHED)
    assert not any(quote.from_rest for quote in desk.manager.snapshot().option_quotes.values())
    assert (desk.rows()["lag_seconds"] < 2).all()


def test_every_row_is_stale_once_its_feed_died_longer_ago_than_the_threshold(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """Rows of a dead feed, shares included, are live at 29 s and stale at 31 s."""
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: desk.states() == {"live"})
    for stream in ("stocks", "options"):
        desk.simulator.faults.set(stream, vanished=True)
    desk.simulator.call(lambda: None)  # the cables are pulled now
    oldest = max(desk.rows()["quote_age_seconds"])
    desk.shift = dt.timedelta(seconds=29.0 - oldest)
    assert desk.states() <= {"live", "quiet"}
    desk.shift = dt.timedelta(seconds=31.0)
    wait_until(lambda: desk.states() == {"stale"})  # at once, except for a pong on its way
    assert desk.rows()["warnings"].tolist() == [["stale_quote"]] * 4


def test_a_stream_that_is_alive_leaves_its_old_quotes_quiet(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """After half a minute with quotes of only one contract, the other contracts are quiet, not stale."""
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: desk.states() == {"live"})
    health = desk.manager.snapshot().health
    desk.simulator.push_quote(CONTRACTS[0], 6.0, 6.1)
    wait_until(lambda: 6.05 in set(desk.rows()["mark"]))
    desk.shift = dt.timedelta(seconds=31)
    later = desk.manager.snapshot()
    heard = {name: dt.timedelta(seconds=31) for name in (StreamName.STOCKS, StreamName.OPTIONS)}
    assert all(later.as_of - health[name].last_heard_at >= span for name, span in heard.items())
    desk.simulator.push_quote(CONTRACTS[0], 7.0, 7.1, at=future(31))
    wait_until(lambda: 7.05 in set(desk.rows()["mark"]))
    states = desk.rows()["state"].astype(str).tolist()
    assert states == ["live", "stale", "quiet", "quiet"], "the stock stream was not heard"


def test_a_quote_that_may_have_changed_while_its_stream_was_away_is_not_quiet(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """While REST fails, earlier quotes are stale until the stream or REST sends them again."""
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: desk.rows()["lag_seconds"].notna().all())  # from the stream, before the clock jumps
    desk.shift = dt.timedelta(seconds=31)
    desk.simulator.faults.rest(path="/v1beta1/options/snapshots", status=503)
    desk.simulator.faults.set("options", http_status=503)
    desk.simulator.drop("options")
    wait_until(lambda: desk.manager.snapshot().reconnect_attempts["options"])
    desk.simulator.push_quote(CONTRACTS[1], 8.0, 8.1)
    desk.simulator.faults.clear("options")
    wait_until(lambda: desk.manager.snapshot().status_by_stream["options"] == "running")
    assert [desk.rows()["state"].astype(str).tolist()[number] for number in (0, 2, 3)] == ["stale"] * 3
    desk.simulator.faults.clear()
    wait_until(lambda: 8.05 in set(desk.rows()["mark"]))
    wait_until(lambda: "stale" not in desk.rows()["state"].astype(str).tolist()[2:])


def future(seconds: float) -> Any:
    """Return the current time by a clock moved ahead by these seconds."""
    from options_helper.simulator.wire import Nanoseconds

    return Nanoseconds(int(Nanoseconds.now() + seconds * 1e9))


def test_a_stream_that_is_behind_is_stale_however_much_it_sends(
    desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """Quotes that are 40 s old on arrival are neither live nor quiet."""
    running(desk, wait_until)
    desk.shift = dt.timedelta(seconds=40)
    desk.push()
    wait_until(lambda: set(desk.rows()["mark"]) == PUSHED)
    assert desk.states() == {"stale"}
    assert desk.rows()["lag_seconds"].between(39, 60).all()


@pytest.mark.date_sensitive
@pytest.mark.parametrize("seconds", [75.0, -75.0])
def test_a_wrong_clock_is_measured_and_changes_no_age(
    seconds: float, desk: SimulatedDesk, wait_until: Callable[..., None]
) -> None:
    """With a clock 75 s off in either direction, fresh quotes are live with their true age and lag."""
    desk.shift = dt.timedelta(seconds=seconds)
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: set(desk.rows()["mark"]) == PUSHED)
    assert desk.manager.snapshot().clock_offset_seconds == pytest.approx(seconds, abs=5)
    rows = desk.rows()
    assert set(rows["state"].astype(str)) == {"live"}
    assert rows["quote_age_seconds"].between(0, 20).all()
    assert rows["lag_seconds"].between(-5, 5).all()


def test_quotes_of_a_refused_stream_are_stale(desk: SimulatedDesk, wait_until: Callable[..., None]) -> None:
    """A stream refused on reconnecting leaves stale rows; one refused at once leaves none."""
    running(desk, wait_until)
    desk.push()
    wait_until(lambda: desk.states() == {"live"})
    desk.simulator.faults.set("options", refuse_key=True)
    desk.simulator.drop("options")
    wait_until(lambda: desk.manager.snapshot().status_by_stream["options"] == "error")
    assert desk.rows()["state"].astype(str).tolist() == ["stale", "live", "stale", "stale"]
    desk.manager.stop()
    desk.start()
    wait_until(lambda: desk.manager.snapshot().status_by_stream["options"] == "error")
    wait_until(lambda: not desk.rows()["mark"].isna().any())
    states = desk.rows()["state"].astype(str).tolist()
    assert [states[number] for number in (0, 2, 3)] == ["not_subscribed"] * 3
