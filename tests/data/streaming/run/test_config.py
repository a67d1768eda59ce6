"""The inputs of a set of streams."""

from __future__ import annotations

from typing import Any

import pytest

from options_helper.data.streaming.connection.observer import ConnectionTimes
from options_helper.data.streaming.run.config import LiveStreamConfig
from options_helper.errors import SettingsError
from options_helper.market import StreamName


def test_every_field_has_a_default() -> None:
    """Without symbols, only the fills are streamed, on the free plan's feeds."""
    config = LiveStreamConfig()
    assert config.streams == (StreamName.FILLS,)
    assert (config.stock_feed, config.options_feed) == ("iex", "indicative")


def test_faults_are_noticed_and_retried_within_the_promised_times() -> None:
    """A handshake has 10 s, a vanished peer is noticed within 15 s, and retries wait 0.5 to 30 s."""
    config = LiveStreamConfig()
    assert config.times.handshake == 10
    assert config.times.ping_timeout == 10
    assert config.times.ping_interval + config.times.ping_timeout < 15
    assert (config.reconnect_base_seconds, config.reconnect_cap_seconds) == (0.5, 30)


def test_configs_are_compared_whole() -> None:
    """Two configs with the same values are equal, whatever type of sequence holds the symbols."""
    assert LiveStreamConfig(stocks=["AAPL", "MSFT"]) == LiveStreamConfig(stocks=("AAPL", "MSFT"))  # type: ignore[arg-type]
    assert LiveStreamConfig(stocks=("AAPL",)) != LiveStreamConfig(stocks=("MSFT",))


def test_symbols_are_unique_and_keep_their_order() -> None:
    """A symbol given twice is subscribed once."""
    config = LiveStreamConfig(stocks=("MSFT", "AAPL", "MSFT"), option_contracts=("C", "C"))
    assert config.symbols(StreamName.STOCKS) == ("MSFT", "AAPL")
    assert config.symbols(StreamName.OPTIONS) == ("C",)
    assert config.symbols(StreamName.FILLS) == ()


def test_a_stream_that_is_off_or_empty_is_not_run() -> None:
    """A stream runs if it is wanted and has something to subscribe to."""
    everything = {"stocks": ("AAPL",), "option_contracts": ("C",)}
    assert LiveStreamConfig(**everything).streams == tuple(StreamName)
    assert LiveStreamConfig(**everything, stream_stocks=False, stream_fills=False).streams == (
        StreamName.OPTIONS,
    )
    assert LiveStreamConfig(option_contracts=("C",), stream_options=False, stream_fills=False).streams == ()


def test_feeds_are_words_in_any_case() -> None:
    """Feeds may be written in capitals."""
    config = LiveStreamConfig(stock_feed="SIP", options_feed="Opra")
    assert (config.stock_feed, config.options_feed) == ("sip", "opra")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stock_feed", "opra", "one of: iex, sip, delayed_sip, boats, overnight"),
        ("options_feed", "sip", "one of: indicative, opra"),
        ("queue_maxsize", 0, "at least 1"),
        ("stocks", "AAPL", "a list of symbols"),
        ("option_contracts", "AAPL261218C00250000", "a list of symbols"),
        ("reconnect_base_seconds", -1, "0 or more"),
        ("reconnect_base_seconds", 31, "not above reconnect_cap_seconds"),
        ("reconnect_base_seconds", float("nan"), "0 or more"),
        ("times", ConnectionTimes(handshake=0), "must be above 0"),
        ("times", ConnectionTimes(flush=float("nan")), "must be above 0"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(field: str, value: Any, words: str) -> None:
    """The error names the field and a correct value, and nothing is clamped."""
    with pytest.raises(SettingsError, match=words) as caught:
        LiveStreamConfig(**{field: value})
    assert caught.value.variable.split(".")[0] == field
    assert field in str(caught.value)


def test_no_key_shows_in_its_repr() -> None:
    """The repr of a config contains no key."""
    from options_helper.data.settings import AlpacaSettings

    config = LiveStreamConfig(settings=AlpacaSettings("PKSECRETID", "verysecret"))
    assert "SECRET" not in repr(config).upper()
