"""A run whose streams and facts come from a relay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from options_helper.market import StreamName
from options_helper.relay.nats_options import load_nats_options

if TYPE_CHECKING:
    from options_helper.data.streaming.live_manager import RunSource
    from options_helper.data.streaming.run.background_fetch import BackgroundFetch
    from options_helper.data.streaming.run.config import LiveStreamConfig
    from options_helper.data.streaming.run.live_run import LiveRun
    from options_helper.data.streaming.run.streamers import BuildStreamer


def relay_source(url: str, env: Mapping[str, str] | None = None) -> RunSource:
    """Return the source, for a `LiveStreamManager`, of runs that read from a relay at this NATS server.

    Its Start raises SettingsError if the address or the credentials cannot be used, and MissingDependency if
    nats-py is not installed.
    """

    def build() -> tuple[
        Mapping[StreamName, BuildStreamer], Callable[[LiveStreamConfig, LiveRun], BackgroundFetch]
    ]:
        options = load_nats_options(url, env)
        from options_helper.relay.reader.channel import Channel, RelayStreamer  # noqa: PLC0415 - slow
        from options_helper.relay.reader.link import Link  # noqa: PLC0415 - needs nats-py

        channels = {stream: Channel(stream) for stream in StreamName}
        builders: dict[StreamName, BuildStreamer] = {
            stream: partial(RelayStreamer, channel=channel) for stream, channel in channels.items()
        }
        return builders, partial(Link, options, channels=channels)

    return build
