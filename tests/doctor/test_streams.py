"""The findings about feeds, subscriptions and packages."""

from __future__ import annotations

import socket
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest

from options_helper.data.settings import AlpacaSettings
from options_helper.doctor import DoctorInput, Finding, Level, examine
from options_helper.doctor.feed_probe import Entitlement, FeedProbe
from options_helper.doctor.streams import AskedStream, check_subscription, judge_stream, streams_to_ask
from options_helper.doctor.versions import check_versions
from options_helper.errors import AlpacaRestError
from options_helper.market import StreamName
from options_helper.models import EquityPosition, Portfolio, Position
from tests.doctor.keys import NOW, PAPER, POSITION, AccountRest, by_name


def test_a_missing_package_is_a_failure_with_its_line() -> None:
    """The finding names the missing package and how to install it."""

    def find(package: str) -> str:
        if package in {"alpaca-py", "websockets"}:
            raise PackageNotFoundError(package)
        return "1.0"

    finding = check_versions(find)
    assert finding.level is Level.FAIL
    assert 'Run: pip install "options-helper[alpaca]"' in finding.text
    assert "streamlit 1.0" in finding.text
    assert "websockets" not in finding.text
    assert check_versions(lambda _package: "1.0").level is Level.OK


def test_without_alpaca_py_each_stream_says_so(monkeypatch) -> None:
    """Without the SDK, each stream's finding has the line that installs it."""
    from options_helper.doctor import feed_probe
    from options_helper.doctor.streams import check_streams
    from options_helper.errors import MissingDependency

    def refuse(*_arguments: Any, **_more: Any) -> Any:
        raise MissingDependency("alpaca-py", "alpaca")

    monkeypatch.setattr(feed_probe, "AlpacaStockStreamer", refuse)
    (finding,) = check_streams(streams_to_ask(PAPER)[0], PAPER, None)
    assert finding.level is Level.FAIL
    assert "pip install" in finding.text


def test_a_connection_that_ends_without_a_reason_grants_nothing(monkeypatch) -> None:
    """A stream that returns before it is authenticated is not granted."""
    from options_helper.doctor import feed_probe

    class Silent:
        def __init__(self, *_arguments: Any, **_more: Any) -> None:
            """Accept any arguments."""

        def run(self) -> None:
            """Return at once."""

    monkeypatch.setattr(feed_probe, "AlpacaTradingStreamer", Silent)
    probe = feed_probe.probe_feed(PAPER, StreamName.FILLS)
    assert probe.entitlement is Entitlement.UNREACHABLE


@pytest.mark.parametrize(("stream", "feed"), [(StreamName.STOCKS, "iex"), (StreamName.FILLS, "")])
def test_a_probe_ends_before_it_subscribes(monkeypatch, stream: StreamName, feed: str) -> None:
    """A probe ends after the authentication."""
    from options_helper.doctor import feed_probe

    class Stepping:
        def __init__(self, *_arguments: Any, observer: Any, **_more: Any) -> None:
            self._observer = observer

        def run(self) -> None:
            for words in ("connecting", "authenticating", "waiting for the subscription"):
                self._observer.step(words)
            pytest.fail("it went on to subscribe")

    for name in ("AlpacaStockStreamer", "AlpacaTradingStreamer"):
        monkeypatch.setattr(feed_probe, name, Stepping)
    assert feed_probe.probe_feed(PAPER, stream, feed) == FeedProbe(stream, feed, Entitlement.GRANTED)


def test_the_configured_feed_is_tried_first() -> None:
    """The configured feed is probed first."""
    settings = AlpacaSettings("k", "s", stock_feed="sip", options_feed="opra")
    stocks, options, fills = streams_to_ask(settings)
    assert stocks == [
        AskedStream(StreamName.STOCKS, "sip"),
        AskedStream(StreamName.STOCKS, "iex", needed=False),
    ]
    assert [one.feed for one in options] == ["opra", "indicative"]
    assert fills == [AskedStream(StreamName.FILLS)]


def test_a_refusal_of_another_feed_is_a_note() -> None:
    """Only the refusal of a feed that the page would use is a failure."""
    probe = FeedProbe(
        StreamName.STOCKS, "sip", Entitlement.REFUSED, "the plan does not include this feed (409)"
    )
    assert judge_stream(AskedStream(StreamName.STOCKS, "sip"), probe).level is Level.FAIL
    assert judge_stream(AskedStream(StreamName.STOCKS, "sip", needed=False), probe).level is Level.NOTE


def _contracts(count: int) -> list[Position]:
    return [Position.model_validate({**POSITION, "id": f"p{n}", "strike": 100 + n}) for n in range(count)]


def test_symbols_beyond_the_limit_are_reported() -> None:
    """201 contracts exceed the indicative feed's limit, but not OPRA's."""
    portfolio = Portfolio(positions=_contracts(201))
    free = check_subscription(portfolio, PAPER, NOW.date())
    assert free.level is Level.NOTE
    assert free.text.startswith(
        "200 option contracts of at most 200 (indicative), 1 stock of at most 30 (IEX)."
    )
    assert "1 of 201 option contracts are over the limit of 200; they are polled" in free.text
    paid = AlpacaSettings("k", "s", stock_feed="sip", options_feed="opra")
    assert check_subscription(portfolio, paid, NOW.date()) == Finding(
        "Subscription",
        Level.OK,
        "201 option contracts of at most 1000 (OPRA), 1 stock of any number (SIP).",
    )


def test_too_many_stocks_for_the_free_plan_are_reported() -> None:
    """Symbols over the limit are polled, and the finding says so."""
    shares = [
        EquityPosition(id=f"s{n}", symbol=f"S{chr(65 + n)}", shares=1, cost_basis=1) for n in range(26)
    ] + [EquityPosition(id=f"t{n}", symbol=f"T{chr(65 + n)}", shares=1, cost_basis=1) for n in range(5)]
    finding = check_subscription(Portfolio(positions=shares), None, NOW.date())
    assert finding.level is Level.NOTE
    assert "(405)" in finding.text
    assert check_subscription(Portfolio(positions=shares[:30]), None, NOW.date()).level is Level.OK


def test_an_unreachable_server_is_a_failure_and_tried_once(tmp_path) -> None:
    """If nothing listens, each stream fails once, and the account gives the reason."""
    pytest.importorskip("alpaca", reason="the streams need alpaca-py")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "APCA_API_KEY_ID": "k",
        "APCA_API_SECRET_KEY": "s",
        "APCA_API_BASE_URL": f"http://127.0.0.1:{port}",
        "APCA_API_DATA_URL": f"http://127.0.0.1:{port}",
        "APCA_API_STREAM_URL": f"ws://127.0.0.1:{port}",
    }
    refused = AlpacaRestError("/v2/account", "no connection")
    inputs = DoctorInput(
        env=env,
        env_file=tmp_path / "absent",
        portfolio=tmp_path / "absent.json",
        build_rest=lambda one: AccountRest(one.trading_url, {one.trading_url: refused}),  # type: ignore[arg-type,return-value]
    )
    found = by_name(list(examine(inputs)))
    for name in ("Stocks", "Options", "Fills"):
        assert len(found[name]) == 1
        assert found[name][0].level is Level.FAIL
        assert "unreachable: the server refused the connection" in found[name][0].text
    assert "Subscription" not in found
