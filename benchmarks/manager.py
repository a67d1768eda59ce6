"""The product, started on the feed."""

from __future__ import annotations

from collections.abc import Sequence

from options_helper.data.settings import Account, AlpacaSettings
from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager


def start_product(
    port: int, *, contracts: Sequence[str], stocks: Sequence[str] = (), fills: bool = False
) -> LiveStreamManager:
    """A started manager with its own streamers."""
    settings = AlpacaSettings(
        key_id="PKBENCHMARK",
        secret_key="benchmark",  # noqa: S106 - the feed takes any
        account=Account.DEMO,
        trading_url=f"http://127.0.0.1:{port}",
        data_url=f"http://127.0.0.1:{port}",
        stream_url=f"ws://127.0.0.1:{port}",
    )
    manager = LiveStreamManager()
    config = LiveStreamConfig(
        settings=settings,
        stocks=tuple(stocks),
        option_contracts=tuple(contracts),
        stream_fills=fills,
        options_feed="opra",
        backfill=False,
    )
    manager.start(config)
    return manager
