"""A simulated Alpaca, and what doctor reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from options_helper.doctor import DoctorInput
from tests.doctor.keys import KEY_ID, POSITION, SECRET

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator


@pytest.fixture
def simulator() -> Iterator[AlpacaSimulator]:
    """A simulated Alpaca with marked keys."""
    pytest.importorskip("alpaca", reason="the streams need alpaca-py")
    pytest.importorskip("streamlit", reason="its absence is a separate finding")
    server = pytest.importorskip("options_helper.simulator.server", reason="the simulator needs aiohttp")
    with server.AlpacaSimulator(key_id=KEY_ID, secret_key=SECRET, tick_seconds=0) as simulator:
        yield simulator


@pytest.fixture
def inputs(simulator: AlpacaSimulator, tmp_path: Path) -> DoctorInput:
    """Keys of the simulator and a portfolio of one contract."""
    path = tmp_path / "portfolio.json"
    path.write_text(json.dumps({"positions": [POSITION]}))
    env = {**simulator.environment(), "OH_LOG_FILE": str(tmp_path / "oh.log"), "OH_PORTFOLIO": str(path)}
    return DoctorInput(env=env, env_file=tmp_path / "absent.env")
