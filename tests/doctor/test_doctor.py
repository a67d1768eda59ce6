"""The findings of `options-helper doctor`, against the simulator."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from options_helper.cli import app
from options_helper.data.settings import LIVE_URL, PAPER_URL, Account, AlpacaSettings
from options_helper.doctor import DoctorInput, Finding, Level, examine, is_well, to_json
from options_helper.doctor.account import check_account, check_clock
from options_helper.doctor.feed_probe import Entitlement, FeedProbe
from options_helper.doctor.streams import AskedStream, check_subscription, judge_stream, streams_to_ask
from options_helper.doctor.versions import check_versions
from options_helper.errors import AlpacaRestError
from options_helper.market import StreamName
from options_helper.models import EquityPosition, Portfolio, Position

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator

KEY_ID, SECRET = "PKMARKEDKEYID0001", "marked-secret-0002"
NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)

POSITION = {
    "id": "aapl-call",
    "symbol": "AAPL",
    "option_type": "call",
    "expiry": "2039-12-16",
    "strike": 250,
    "contracts": 1,
    "cost_basis": 1.5,
}


class AccountRest:
    """An HTTP client with one answer per trading host; an answer that is an error is raised."""

    def __init__(self, url: str, answers: dict[str, Any]) -> None:
        self._answer = answers[url]
        self.closed = False

    def account(self) -> dict[str, Any]:
        if isinstance(self._answer, AlpacaRestError):
            raise self._answer
        return self._answer

    clock = account

    def close(self) -> None:
        self.closed = True


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


def _by_name(findings: list[Finding]) -> dict[str, list[Finding]]:
    names = dict.fromkeys(finding.name for finding in findings)
    return {name: [finding for finding in findings if finding.name == name] for name in names}


def _levels(findings: list[Finding]) -> dict[str, set[Level]]:
    return {name: {finding.level for finding in found} for name, found in _by_name(findings).items()}


integration = pytest.mark.integration


@pytest.mark.date_sensitive
@integration
def test_a_healthy_machine_has_no_failure(inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path) -> None:
    """Every check is present, none fails, each stream is probed, and no connection is left."""
    findings = list(examine(inputs))
    assert is_well(findings)
    found = _by_name(findings)
    assert list(found) == [
        "Versions",
        "Keys",
        "Hosts",
        "Account",
        "Clock",
        "Stocks",
        "Options",
        "Fills",
        "Portfolio",
        "Subscription",
        "Log",
    ]
    assert [finding.text for finding in found["Stocks"]] == ["IEX: granted", "SIP: granted, if you choose it"]
    assert [finding.text for finding in found["Options"]] == [
        "indicative: granted",
        "OPRA: granted, if you choose it",
    ]
    assert [finding.text for finding in found["Fills"]] == ["granted"]
    assert "on the demo host, status ACTIVE" in found["Account"][0].text
    assert found["Clock"][0].text.startswith("the market is open until ")
    assert found["Portfolio"][0].text.endswith("portfolio.json: 1 position")
    assert found["Log"][0].text == str(tmp_path / "oh.log")
    assert sum(simulator.open_connections.values()) == 0


@integration
def test_only_get_is_sent(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """Every request is a GET."""
    list(examine(inputs))
    assert set(simulator.methods_seen) == {"GET"}


@integration
def test_no_secret_is_reported(inputs: DoctorInput, simulator: AlpacaSimulator, caplog) -> None:
    """Neither findings nor logs contain the keys, whatever goes wrong."""
    caplog.set_level("DEBUG")
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, refuse_key=True)
    simulator.faults.rest(status=401)
    output = to_json(examine(inputs)) + caplog.text + repr(inputs)
    assert "PK…01" in output
    assert KEY_ID not in output
    assert SECRET not in output


@integration
def test_a_refused_key_fails_everywhere(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """A wrong key is a failure of the account and of each stream."""
    wrong = DoctorInput(
        env={**inputs.env, "APCA_API_SECRET_KEY": "wrong"},
        env_file=inputs.env_file,
        portfolio=inputs.portfolio_path,
    )
    findings = list(examine(wrong))
    levels = _levels(findings)
    assert levels["Account"] == levels["Fills"] == {Level.FAIL}
    assert levels["Stocks"] == levels["Options"] == {Level.FAIL, Level.NOTE}
    assert "Alpaca refused the key (402)" in _by_name(findings)["Options"][0].text
    assert not is_well(findings)


@integration
def test_a_feed_outside_the_plan_fails_only_if_it_is_chosen(tmp_path) -> None:
    """On a plan without SIP and OPRA, the free feeds are granted and the others noted."""
    pytest.importorskip("alpaca", reason="the streams need alpaca-py")
    from options_helper.simulator.server import AlpacaSimulator
    from options_helper.simulator.world import Plan

    plan = Plan(feeds=frozenset({"iex", "indicative"}))
    with AlpacaSimulator(plan=plan, tick_seconds=0) as simulator:
        env = simulator.environment()
        free = _by_name(list(examine(DoctorInput(env=env, env_file=tmp_path / "absent"))))
        paid = _by_name(
            list(
                examine(
                    DoctorInput(env={**env, "OH_ALPACA_OPTIONS_FEED": "opra"}, env_file=tmp_path / "absent")
                )
            )
        )
    assert [finding.level for finding in free["Options"]] == [Level.OK, Level.NOTE]
    assert [finding.level for finding in free["Stocks"]] == [Level.OK, Level.NOTE]
    assert "the plan does not include this feed (409)" in free["Options"][1].text
    assert [finding.level for finding in paid["Options"]] == [Level.FAIL, Level.OK]


@integration
def test_a_running_page_is_not_a_failure(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """Streams held by another program are noted (406); a 429 does not prove another program."""
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, held=True)
    findings = list(examine(inputs))
    assert is_well(findings)
    found = _by_name(findings)
    for name in ("Stocks", "Options", "Fills"):
        assert [finding.level for finding in found[name]] == [Level.NOTE]
        words = "too many connections or attempts (429)" if name == "Fills" else "in use by another program"
        assert words in found[name][0].text


@integration
def test_the_portfolios_symbols_are_requested(
    simulator: AlpacaSimulator, inputs: DoctorInput, monkeypatch
) -> None:
    """A plan with fewer channels is detected as at Start, and a refused symbol is named."""
    from options_helper.data.streaming.connection import market_data
    from options_helper.simulator.world import Plan

    for name in ("known_budgets", "known_invalid"):
        monkeypatch.setattr(market_data, name, {})
    stocks = [f"S{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(40)] + ["TOOLONGNAME"]
    shares = [{"id": each, "symbol": each, "shares": 1, "cost_basis": 1} for each in stocks]
    inputs.portfolio_path.write_text(json.dumps({"positions": [POSITION, *shares]}))
    simulator._world.plan = Plan(count_stock_channels=True)
    found = _by_name(list(examine(inputs)))
    assert found["Stocks"][0] == Finding(
        "Stocks",
        Level.NOTE,
        "IEX: granted, 30 channels: 30 of 42 stream, the rest are polled; not accepted: TOOLONGNAME",
    )
    assert found["Options"][0] == Finding("Options", Level.OK, "indicative: granted")
    assert sum(simulator.open_connections.values()) == 0


@integration
def test_a_silent_server_is_unreachable(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """A handshake without an answer fails at its timeout, and the finding names its step."""
    from options_helper.data.streaming.connection.observer import ConnectionTimes

    simulator.faults.set("options", silent_after_auth=True)
    quick = DoctorInput(env=inputs.env, env_file=inputs.env_file, times=ConnectionTimes(handshake=0.5))
    (finding,) = _by_name(list(examine(quick)))["Options"]
    assert finding.level is Level.FAIL
    assert finding.text == "indicative: unreachable: no answer for 0.5 s while authenticating"


@integration
def test_the_command_prints_and_exits(inputs: DoctorInput, monkeypatch, tmp_path) -> None:
    """The command prints a line for each check and exits with 0, or with 1 if one failed."""
    monkeypatch.chdir(tmp_path)
    for name, value in inputs.env.items():
        monkeypatch.setenv(name, value)
    well = CliRunner().invoke(app, ["doctor"])
    assert well.exit_code == 0, well.output
    assert "ok    Options       indicative: granted" in well.output
    broken = CliRunner().invoke(app, ["doctor", "--json", "--portfolio", "absent.json"])
    assert broken.exit_code == 1
    document = json.loads(broken.output)
    assert document["ok"] is False
    (portfolio,) = (check for check in document["checks"] if check["name"] == "Portfolio")
    assert portfolio["level"] == "fail"
    assert "there is no such file" in portfolio["text"]
    assert SECRET not in well.output + broken.output


def _run(env: dict[str, str], folder: Path, *words: str) -> subprocess.Popen[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("APCA_", "OH_"))}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "options_helper", "doctor", *words],
        cwd=folder,
        env=others | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@integration
def test_doctor_takes_nothing_from_running_streams(
    inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path: Path, wait_until
) -> None:
    """While this process streams, the command notes it for each stream and exits with 0."""
    from options_helper.data.settings import load_settings
    from options_helper.data.streaming.live_manager import LiveStreamConfig, LiveStreamManager

    manager = LiveStreamManager()
    manager.start(
        LiveStreamConfig(
            settings=load_settings(simulator.environment()),
            stocks=("AAPL",),
            option_contracts=("AAPL391216C00250000",),
            backfill=False,
        )
    )
    wait_until(lambda: manager.snapshot().status == "running")
    command = _run(dict(inputs.env), tmp_path, "--json")
    document = json.loads(command.communicate(timeout=60)[0])
    assert command.returncode == 0
    assert document["ok"] is True
    held = [check for check in document["checks"] if "in use by another" in check["text"]]
    assert [check["name"] for check in held] == ["Stocks", "Options"]
    held += [check for check in document["checks"] if "too many connections" in check["text"]]
    assert held[-1]["name"] == "Fills"
    assert {check["level"] for check in held} == {"note"}
    assert set(manager.snapshot().reconnect_attempts.values()) == {0}
    assert manager.snapshot().status == "running"
    manager.stop()


@integration
def test_ctrl_c_waits_for_no_answer(
    inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path, wait_until
) -> None:
    """Ctrl-C ends the command while every stream hangs in its handshake."""
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, hang_on_connect=True)
    command = _run(dict(inputs.env), tmp_path)
    wait_until(lambda: sum(simulator.open_connections.values()) == 3, seconds=60)
    began = time.monotonic()
    command.send_signal(signal.SIGINT)
    output = command.communicate(timeout=60)[0]
    assert time.monotonic() - began < 8  # of the ten seconds that a handshake may take
    assert command.returncode != 0
    assert "Traceback" not in output


@integration
def test_a_check_that_breaks_is_a_failure(inputs: DoctorInput, monkeypatch) -> None:
    """An unexpected error while a stream is checked is a failure."""
    from options_helper.doctor import checks

    def check(asked: Any, *_more: Any) -> Any:
        if asked[0].stream is StreamName.OPTIONS:
            raise ZeroDivisionError
        yield Finding(asked[0].name, Level.OK, "granted")

    monkeypatch.setattr(checks, "check_streams", check)
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    findings = list(examine(inputs))
    assert not is_well(findings)
    assert _by_name(findings)["Options"] == [Finding("Options", Level.FAIL, "the check ended unexpectedly")]
    assert _by_name(findings)["Fills"] == [Finding("Fills", Level.OK, "granted")]


def test_without_keys_no_request_is_made(tmp_path) -> None:
    """Missing keys are one failure that names the variables; the other checks continue."""
    (tmp_path / "portfolio.json").write_text('{"positions": []}')

    def build_rest(_settings: AlpacaSettings) -> Any:
        pytest.fail("nothing may be asked without keys")

    path = tmp_path / "portfolio.json"
    inputs = DoctorInput(env={"OH_PORTFOLIO": str(path)}, env_file=tmp_path / "absent", build_rest=build_rest)
    levels = _levels(list(examine(inputs)))
    assert levels["Keys"] == {Level.FAIL}
    assert levels["Account"] == levels["Clock"] == levels["Streams"] == {Level.NOTE}
    assert levels["Portfolio"] == levels["Subscription"] == {Level.OK}


def test_checking_a_file_needs_no_keys(tmp_path) -> None:
    """Without any key, a named file is checked and nothing fails; a single key is incomplete."""
    path = tmp_path / "mine.json"
    path.write_text('{"positions": []}')
    for env, level in (({}, Level.NOTE), ({"APCA_API_KEY_ID": "PKTEST"}, Level.FAIL)):
        inputs = DoctorInput(env=env, env_file=tmp_path / "absent", portfolio=path)
        assert _levels(list(examine(inputs)))["Keys"] == {level}


def test_a_servers_message_cannot_forge_a_line() -> None:
    """Line breaks and escape sequences in a finding are shown as escapes."""
    line = Finding("Account", Level.FAIL, "no\n\x1b[2Jok    Account       all well").line
    assert line == "FAIL  Account       no\\n\\x1b[2Jok    Account       all well"


def test_the_logs_path_is_named(tmp_path, monkeypatch) -> None:
    """The log's path is absolute; if it cannot be written, the place used instead is shown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    def log_of(name: str) -> str:
        inputs = DoctorInput(env={"OH_LOG_FILE": name}, env_file=tmp_path / "absent", portfolio=tmp_path)
        (finding,) = _by_name(list(examine(inputs)))["Log"]
        return finding.text

    assert log_of("near.log") == str(tmp_path / "near.log")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert log_of("file/log").startswith(str(tmp_path / "options-helper-"))


def test_keys_are_named_with_their_place(tmp_path, monkeypatch) -> None:
    """The finding says where each key came from, because an old variable may override a new file."""
    from options_helper.doctor.checks import _find_keys

    file = tmp_path / "alpaca.env"
    file.write_text("APCA_API_KEY_ID=PKFROMTHEFILE\nAPCA_API_SECRET_KEY=secret\n")
    _settings, both = _find_keys(DoctorInput(env={}, env_file=file))
    assert both.text == f"PK…LE and its secret, from {file}"
    _settings, mixed = _find_keys(DoctorInput(env={"APCA_API_KEY_ID": "PKFROMOUTSIDE"}, env_file=file))
    assert mixed.text == f"PK…DE and its secret, from the environment and {file}"


def test_a_foreign_host_is_named() -> None:
    """A host that is neither Alpaca's nor this machine is noted."""
    from options_helper.doctor.checks import _name_hosts

    settings = AlpacaSettings("k", "s", data_url="https://data.example.com")
    finding = _name_hosts(settings)
    assert finding.level is Level.NOTE
    assert finding.text.endswith("not Alpaca's: data.example.com")
    assert _name_hosts(AlpacaSettings("k", "s")).level is Level.OK


PAPER = AlpacaSettings("k", "s", account=Account.PAPER, trading_url=PAPER_URL)
LIVE = AlpacaSettings("k", "s", account=Account.LIVE, trading_url=LIVE_URL)
REFUSED = AlpacaRestError("/v2/account", "Alpaca refused the key (401).", status=401)
ACTIVE = {"account_number": "PA1234567890", "status": "ACTIVE"}


@pytest.mark.parametrize(
    ("settings", "other", "url"), [(PAPER, "live", LIVE_URL), (LIVE, "paper", PAPER_URL)]
)
def test_a_key_of_the_other_host_is_recognised(settings, other: str, url: str) -> None:
    """If Alpaca's other host accepts the key, the finding says so."""
    answers = {settings.trading_url: REFUSED, url: ACTIVE}
    finding = check_account(settings, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert finding.level is Level.FAIL
    assert f"the key belongs to the {other} host" in finding.text
    assert f"APCA_API_BASE_URL={url}" in finding.text


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (PAPER, REFUSED),
        (PAPER, AlpacaRestError("/v2/account", "no answer within the time allowed")),
        (AlpacaSettings("k", "s", account=Account.DEMO, trading_url="http://127.0.0.1:9"), REFUSED),
    ],
)
def test_any_other_refusal_is_reported_as_it_is(settings, error) -> None:
    """Other refusals, network failures and foreign hosts are reported as they are."""
    answers = dict.fromkeys((PAPER_URL, LIVE_URL, settings.trading_url), error)
    finding = check_account(settings, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert (finding.level, finding.text) == (Level.FAIL, str(error))


def test_an_account_that_is_not_active_is_noted() -> None:
    """The account's number is masked, and its status is the server's word."""
    answers = {PAPER_URL: {"account_number": "PA1234567890", "status": "ONBOARDING"}}
    finding = check_account(PAPER, lambda one: AccountRest(one.trading_url, answers))  # type: ignore[arg-type,return-value]
    assert finding == Finding("Account", Level.NOTE, "PA…90 on the paper host, status ONBOARDING")


def _clock_finding(answer: Any, now: dt.datetime = NOW) -> Finding:
    return check_clock(PAPER, lambda one: AccountRest(one.trading_url, {PAPER_URL: answer}), lambda: now)  # type: ignore[arg-type,return-value]


def _clock(**changes: Any) -> dict[str, Any]:
    times = {
        "timestamp": "2026-11-20T10:00:00-05:00",
        "next_open": "2026-11-23T09:30:00-05:00",
        "next_close": "2026-11-20T16:00:00-05:00",
    }
    return {"is_open": True, **times, **changes}


def test_the_clock_reports_the_phase_and_that_clocks_agree() -> None:
    """The phase is in New York time."""
    finding = _clock_finding(_clock())
    assert finding.level is Level.OK
    assert finding.text.startswith("the market is open until Fri 16:00 New York; this machine's clock agrees")


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s ahead of"), (-3, "3 s behind")])
def test_a_clock_that_is_off_is_noted(seconds: int, words: str) -> None:
    """A wrong clock is a note, because the page corrects ages for it."""
    finding = _clock_finding(_clock(), NOW + dt.timedelta(seconds=seconds))
    assert finding.level is Level.NOTE
    assert words in finding.text


@pytest.mark.parametrize("answer", [{}, AlpacaRestError("/v2/clock", "the server failed (503)", status=503)])
def test_a_malformed_clock_is_a_failure(answer) -> None:
    """An invalid answer of the clock, or none, is a failure."""
    assert _clock_finding(answer).level is Level.FAIL


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
    """Only a feed that the page would use can fail."""
    probe = FeedProbe(
        StreamName.STOCKS, "sip", Entitlement.REFUSED, "the plan does not include this feed (409)"
    )
    assert judge_stream(AskedStream(StreamName.STOCKS, "sip"), probe).level is Level.FAIL
    assert judge_stream(AskedStream(StreamName.STOCKS, "sip", needed=False), probe).level is Level.NOTE


def _contracts(count: int) -> list[Position]:
    return [Position.model_validate({**POSITION, "id": f"p{n}", "strike": 100 + n}) for n in range(count)]


def test_symbols_beyond_the_limit_are_reported() -> None:
    """201 contracts exceed the indicative feed's limit, and fit OPRA's."""
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
    found = _by_name(list(examine(inputs)))
    for name in ("Stocks", "Options", "Fills"):
        assert len(found[name]) == 1
        assert found[name][0].level is Level.FAIL
        assert "unreachable: the server refused the connection" in found[name][0].text
    assert "Subscription" not in found
