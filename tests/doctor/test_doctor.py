"""The findings of `options-helper doctor`, against the simulator."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from options_helper.data.settings import AlpacaSettings
from options_helper.doctor import DoctorInput, Finding, Level, examine, is_well, to_json
from options_helper.market import StreamName
from tests.doctor.keys import KEY_ID, POSITION, SECRET, by_name

if TYPE_CHECKING:
    from options_helper.simulator.server import AlpacaSimulator


def _levels(findings: list[Finding]) -> dict[str, set[Level]]:
    return {name: {finding.level for finding in found} for name, found in by_name(findings).items()}


@pytest.mark.date_sensitive
@pytest.mark.integration
def test_a_healthy_machine_has_no_failure(inputs: DoctorInput, simulator: AlpacaSimulator, tmp_path) -> None:
    """Every check is present, none fails, each stream is probed, and no connection is left."""
    findings = list(examine(inputs))
    assert is_well(findings)
    found = by_name(findings)
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


@pytest.mark.integration
def test_only_get_is_sent(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """Every request is a GET."""
    list(examine(inputs))
    assert set(simulator.methods_seen) == {"GET"}


@pytest.mark.integration
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


@pytest.mark.integration
def test_a_refused_key_fails_everywhere(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """A wrong key fails the checks of the account and of every stream."""
    wrong = DoctorInput(
        env={**inputs.env, "APCA_API_SECRET_KEY": "wrong"},
        env_file=inputs.env_file,
        portfolio=inputs.portfolio_path,
    )
    findings = list(examine(wrong))
    levels = _levels(findings)
    assert levels["Account"] == levels["Fills"] == {Level.FAIL}
    assert levels["Stocks"] == levels["Options"] == {Level.FAIL, Level.NOTE}
    assert "Alpaca refused the key (402)" in by_name(findings)["Options"][0].text
    assert not is_well(findings)


@pytest.mark.integration
def test_a_feed_outside_the_plan_fails_only_if_it_is_chosen(tmp_path) -> None:
    """On a plan without SIP and OPRA, the free feeds are granted and the others noted."""
    pytest.importorskip("alpaca", reason="the streams need alpaca-py")
    from options_helper.simulator.server import AlpacaSimulator
    from options_helper.simulator.world import Plan

    plan = Plan(feeds=frozenset({"iex", "indicative"}))
    with AlpacaSimulator(plan=plan, tick_seconds=0) as simulator:
        env = simulator.environment()
        free = by_name(list(examine(DoctorInput(env=env, env_file=tmp_path / "absent"))))
        paid = by_name(
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


@pytest.mark.integration
def test_a_running_page_is_not_a_failure(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """Streams held by another program are noted (406); a 429 does not prove another program."""
    for stream in ("stocks", "options", "fills"):
        simulator.faults.set(stream, held=True)
    findings = list(examine(inputs))
    assert is_well(findings)
    found = by_name(findings)
    for name in ("Stocks", "Options", "Fills"):
        assert [finding.level for finding in found[name]] == [Level.NOTE]
        words = "too many connections or attempts (429)" if name == "Fills" else "in use by another program"
        assert words in found[name][0].text


@pytest.mark.integration
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
    found = by_name(list(examine(inputs)))
    assert found["Stocks"][0] == Finding(
        "Stocks",
        Level.NOTE,
        "IEX: granted, 30 channels: 30 of 42 stream, the rest are polled; not accepted: TOOLONGNAME",
    )
    assert found["Options"][0] == Finding("Options", Level.OK, "indicative: granted")
    assert sum(simulator.open_connections.values()) == 0


@pytest.mark.integration
def test_a_silent_server_is_unreachable(inputs: DoctorInput, simulator: AlpacaSimulator) -> None:
    """A handshake without an answer fails at its timeout, and the finding names its step."""
    from options_helper.data.streaming.connection.observer import ConnectionTimes

    simulator.faults.set("options", silent_after_auth=True)
    quick = DoctorInput(env=inputs.env, env_file=inputs.env_file, times=ConnectionTimes(handshake=0.5))
    (finding,) = by_name(list(examine(quick)))["Options"]
    assert finding.level is Level.FAIL
    assert finding.text == "indicative: unreachable: no answer for 0.5 s while authenticating"


@pytest.mark.integration
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
    assert by_name(findings)["Options"] == [Finding("Options", Level.FAIL, "the check ended unexpectedly")]
    assert by_name(findings)["Fills"] == [Finding("Fills", Level.OK, "granted")]


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
    """Without any key, a named file is checked and nothing fails; one key without the other is a failure."""
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
        (finding,) = by_name(list(examine(inputs)))["Log"]
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
