"""Records a session of the product against the simulator, with a monitor that looks when it is asked to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from options_helper.analysis.osi import parse_contract_symbol
from options_helper.data.settings import load_settings
from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.live_manager import LiveSnapshot, LiveStreamConfig, LiveStreamManager
from options_helper.models import Portfolio
from options_helper.recording.file_format import read_recording
from options_helper.recording.recorder import Recorder
from options_helper.recording.records import Record
from options_helper.session.monitor import PortfolioMonitor
from options_helper.simulator.server import AlpacaSimulator

KEY_ID, SECRET, ACCOUNT = "PKMARKEDRECORDING0001", "marked-secret-of-a-recording", "PA3SIMULATED"
SECRETS = (KEY_ID, SECRET, ACCOUNT)
PATIENCE_SECONDS = 30.0
CALL, PUT = "AAPL391216C00250000", "AAPL391216P00250000"


def portfolio_with(contract: str) -> Portfolio:
    """Return a portfolio of a call, a straddle and shares."""
    parsed = parse_contract_symbol(contract)
    assert parsed is not None
    legs = [
        {"side": "long", "option_type": kind, "expiry": "2039-12-16", "strike": 250, "contracts": 1}
        for kind in ("call", "put")
    ]
    call = {"option_type": "call", "expiry": parsed.expiry, "strike": parsed.strike}
    positions: list[dict[str, Any]] = [
        {"id": "call", "symbol": "AAPL", "contracts": 2, "cost_basis": 3.2, **call},
        {"id": "straddle", "symbol": "AAPL", "net_debit": 1200.0, "legs": legs},
        {"id": "shares", "symbol": "AAPL", "shares": 100, "cost_basis": 180.0},
    ]
    return Portfolio.model_validate({"cash": 10_000, "positions": positions})


@dataclass(slots=True)
class Studio:
    """A session in progress.

    Attributes:
        looks: The number of looks that were recorded.
    """

    simulator: AlpacaSimulator
    manager: LiveStreamManager
    monitor: PortfolioMonitor
    recorder: Recorder
    looks: int = 0
    pause: threading.Event = field(default_factory=threading.Event)

    @property
    def live(self) -> LiveSnapshot:
        """Everything known now."""
        return self.manager.snapshot()

    @property
    def path(self) -> Path:
        """The recording's file."""
        status = self.recorder.status
        assert status is not None
        return status.path

    def draw(self) -> None:
        """Read the tables, as a tab does; the monitor's next look shares them if nothing new arrives."""
        self.monitor.views.tables(self.monitor.portfolio, self.live, self.monitor.stale_after_seconds)

    def look(self, times: int = 1) -> None:
        """Let a tab read the tables and then the monitor look, as happens every second."""
        for _ in range(times):
            self.draw()
            self.monitor.look()
            self.looks += 1

    def look_until(self, condition: Callable[[LiveSnapshot], object]) -> None:
        """Look again and again until a condition holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(self.live):
            assert time.monotonic() < deadline, "the condition does not hold"
            self.look()
            self.pause.wait(0.03)

    def restart(self) -> None:
        """Stop, and start again with the same settings; the next run has its own file."""
        config = self.manager.config
        assert config is not None
        self.manager.stop()
        self.manager.start(config)

    def is_running(self, *streams: str) -> bool:
        """Return whether streams are acknowledged."""
        return all(self.live.status_by_stream[stream] == "running" for stream in streams)


@contextmanager
def recording(
    folder: Path,
    *,
    config: dict[str, Any] | None = None,
    contract: str = CALL,
    prepare: Callable[[AlpacaSimulator], object] = lambda _simulator: None,
    **simulated: Any,
) -> Iterator[Studio]:
    """Record a session; its file is complete afterwards.

    Args:
        folder: Where to write.
        config: Changes to the settings.
        contract: The contract of the portfolio's single call.
        prepare: Called with the simulator before Start.
        simulated: Changes to the simulator's arguments.
    """
    recorder = Recorder(folder=folder)
    arguments: dict[str, Any] = {
        "key_id": KEY_ID,
        "secret_key": SECRET,
        "contracts": (contract, CALL, PUT),
        "tick_seconds": 0.01,
        "order_interval_seconds": 0,
    }
    with (
        AlpacaSimulator(**arguments | simulated) as simulator,
        LiveStreamManager(recorder=recorder) as manager,
    ):
        prepare(simulator)
        monitor = PortfolioMonitor(portfolio_with(contract), manager.snapshot, recorder=recorder)
        settings: dict[str, Any] = {
            "settings": load_settings(simulator.environment()),
            "stocks": ("AAPL",),
            "option_contracts": tuple(dict.fromkeys((contract, CALL, PUT))),
            "reconnect_base_seconds": 0.01,
            "reconnect_cap_seconds": 0.05,
            "times": ConnectionTimes(handshake=15.0, ping_interval=0.1, ping_timeout=15.0),
        }
        manager.start(LiveStreamConfig(**settings | (config or {})))
        yield Studio(simulator, manager, monitor, recorder)
        manager.stop()


def read(path: Path) -> list[Record]:
    """Return the records of a file."""
    return list(read_recording(path))
