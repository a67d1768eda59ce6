"""Notices: one per raise, in a separate thread, capped, with failures reported."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from options_helper import cli
from options_helper.analysis.alerts.records import AlertEvent, AlertPhase
from options_helper.analysis.alerts.rules import AlertRule
from options_helper.errors import OptionsHelperError, SettingsError
from options_helper.files.alerts_state import AlertsState
from options_helper.market import LiveSnapshot
from options_helper.models import Portfolio
from options_helper.session.alert_outlet import AlertOutlet
from options_helper.session.monitor import PortfolioMonitor
from options_helper.session.notices import MOST_PER_HOUR, Delivery, Notices, deliver

if TYPE_CHECKING:
    from conftest import WaitUntil

NOW = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC)
NAMES = {"call": "AAPL 250 call"}
SECRET = "s3cret-t0ken-value"  # noqa: S105 - of this test


def event(number: int = 1) -> AlertEvent:
    """Return a raised alert."""
    rule = AlertRule(id=str(number), position="call", metric="mark", comparison="above", threshold=60)
    return AlertEvent(number, NOW, rule, AlertPhase.RAISED, 61.0)


class Service:
    """A stand-in for the services: it keeps what it was sent, and can be made to wait."""

    def __init__(self, *, failed: tuple[str, ...] = (), env: Mapping[str, str] | None = None) -> None:
        self.texts: list[str] = []
        self.failed = failed
        self.now = NOW
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.notices = Notices(
            lambda: {"OH_NOTIFY": "json://x", **(env or {})}, self._send, clock=lambda: self.now
        )

    def _send(self, _env: Mapping[str, str], text: str) -> Delivery:
        self.entered.set()
        self.open.wait(10)
        self.texts.append(text)
        return Delivery((), self.failed)


@pytest.fixture
def service() -> Iterator[Service]:
    """Yield services that accept every notice."""
    one = Service()
    yield one
    one.open.set()
    one.notices.close()


def test_each_raise_is_one_notice(service: Service, wait_until: WaitUntil) -> None:
    """By default a notice is words only; the thread starts with the first and ends with `close`."""
    service.notices.offer([], NAMES)
    service.notices.offer([event()], NAMES)
    wait_until(lambda: service.texts == ["AAPL 250 call: Mark above its threshold"])
    assert service.notices.problem == ""
    service.notices.close()
    assert "options-helper-notices" not in [thread.name for thread in threading.enumerate()]
    service.notices.offer([event(2)], NAMES)
    wait_until(lambda: len(service.texts) == 2)


def test_a_thread_that_cannot_start_loses_no_notice(
    service: Service, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil
) -> None:
    """A notice that could not be sent goes out with the next one; until then, its delay is reported."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        service.notices.offer([event(1)], NAMES)
    assert "allows no more threads" in service.notices.problem
    service.notices.offer([event(2)], NAMES)
    wait_until(lambda: not service.notices.problem)
    assert service.texts == ["\n".join(2 * ["AAPL 250 call: Mark above its threshold"])]


def test_figures_are_sent_if_wanted(wait_until: WaitUntil) -> None:
    """`OH_NOTIFY_FIGURES` adds thresholds and values."""
    service = Service(env={"OH_NOTIFY_FIGURES": "Yes"})
    service.notices.offer([event()], NAMES)
    wait_until(lambda: service.texts == ["AAPL 250 call · Mark above $60.00 · $61.00"])
    service.notices.close()


def test_a_slow_service_delays_nobody_and_gets_a_summary(service: Service, wait_until: WaitUntil) -> None:
    """Offering returns at once, and alerts raised meanwhile become one notice."""
    service.open.clear()
    service.notices.offer([event()], NAMES)
    wait_until(service.entered.is_set)
    for number in range(2, 9):
        service.notices.offer([event(number)], NAMES)
    service.open.set()
    wait_until(lambda: len(service.texts) == 2)
    assert service.texts[1].splitlines()[-1] == "and 2 more alerts"


def test_notices_per_hour_are_capped(
    service: Service, wait_until: WaitUntil, caplog: pytest.LogCaptureFixture
) -> None:
    """A notice held back is reported on the page and in the log; an hour later, notices are sent again."""
    for number in range(MOST_PER_HOUR):
        service.notices.offer([event(number)], NAMES)
        wait_until(lambda sent=number + 1: len(service.texts) == sent)
    service.notices.offer([event(99)], NAMES)
    wait_until(lambda: "1 alert held back: at most 20 notices" in service.notices.problem)
    assert "the next one can be sent after 13:00 New York time" in service.notices.problem
    assert "held back" in caplog.text
    service.now += dt.timedelta(hours=1)
    service.notices.offer([event(100)], NAMES)
    wait_until(lambda: len(service.texts) == MOST_PER_HOUR + 1)
    wait_until(lambda: service.notices.problem == "")


def test_a_failure_is_reported_and_logged(wait_until: WaitUntil, caplog: pytest.LogCaptureFixture) -> None:
    """A failure names the service, or an unexpected error's kind, and the thread continues."""
    service = Service(failed=("json",))
    service.notices.offer([event()], NAMES)
    wait_until(
        lambda: service.notices.problem.endswith("New York time was not delivered: json did not accept it.")
    )
    assert "json did not accept it" in caplog.text
    service.notices._send = lambda _env, _text: 1 // 0
    service.notices.offer([event()], NAMES)
    wait_until(lambda: "(ZeroDivisionError)" in service.notices.problem)
    service.notices._send = service._send
    service.failed = ()
    service.notices.offer([event()], NAMES)
    wait_until(lambda: service.notices.problem == "")
    service.notices.close()


@pytest.mark.parametrize(
    "env", [{}, {"OH_NOTIFY": "json://x", "APCA_API_BASE_URL": "http://127.0.0.1:9"}], ids=["unset", "demo"]
)
def test_without_an_address_nothing_is_sent(env: dict[str, str], wait_until: WaitUntil) -> None:
    """Notices are off by default, and in the demo."""
    read = threading.Event()
    sent: list[str] = []

    def environment() -> dict[str, str]:
        read.set()
        return env

    notices = Notices(environment, lambda _env, text: sent.append(text) or Delivery((), ()))
    notices.offer([event()], NAMES)
    wait_until(read.is_set)
    notices.close()
    assert sent == []
    assert notices.problem == ""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """Keep what is posted to a local HTTP server.

    Below /broken it answers 500, below /moved it points elsewhere, and below /slow it answers without end.
    """
    got: list[Any] = []
    end = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            kind = self.path.split("/")[1]
            self.send_response({"broken": 500, "moved": 307}.get(kind, 200))
            if kind == "moved":
                self.send_header("Location", "/ok")
            self.end_headers()
            with contextlib.suppress(OSError):
                while kind == "slow" and not end.wait(0.05):
                    self.wfile.write(b"x")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"json://user:{SECRET}@127.0.0.1:{server.server_port}", got
    end.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_service_receives_the_notice(
    receiver: tuple[str, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """Through apprise, every address receives it; results contain names but no addresses."""
    pytest.importorskip("apprise", reason="notices need apprise")
    url, got = receiver
    caplog.set_level(logging.DEBUG)
    delivery = deliver({"OH_NOTIFY": f"{url}/ok {url}/broken"}, "An alert · 1 < 2")
    assert delivery == Delivery(("json",), ("json",))
    assert [(one["title"], one["message"]) for one in got] == [("Options Helper", "An alert · 1 < 2")] * 2
    assert SECRET not in caplog.text


def test_a_service_cannot_redirect_or_hold_up_notices(receiver: tuple[str, list[Any]]) -> None:
    """A redirect is not followed, and an endless answer is cut off."""
    pytest.importorskip("apprise", reason="notices need apprise")
    url, got = receiver
    assert deliver({"OH_NOTIFY": f"{url}/moved"}, "x").taken == ()
    assert len(got) == 1
    with pytest.raises(OptionsHelperError, match="no answer within 3 s"):
        deliver({"OH_NOTIFY": f"{url}/slow"}, "x", within_seconds=3)


def test_a_notice_ends_in_time_without_the_portal(receiver: tuple[str, list[Any]]) -> None:
    """A service that answers endlessly does not keep its process alive after the portal's end."""
    pytest.importorskip("apprise", reason="notices need apprise")
    notice = {"urls": f"{receiver[0]}/slow", "title": "x", "text": "x", "seconds": 3}
    command = [sys.executable, "-P", "-m", "options_helper.session.send_notice"]
    ended = subprocess.run(command, input=json.dumps(notice).encode(), check=False, timeout=60)  # noqa: S603 - our own interpreter
    assert ended.returncode == 1


def test_the_process_that_sends_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that sends notices gets only the addresses, because its packages come from others."""
    pytest.importorskip("apprise", reason="notices need apprise")
    monkeypatch.setenv("APCA_API_SECRET_KEY", SECRET)
    given: list[dict[str, str]] = []

    def run(*_: object, env: dict[str, str], **__: object) -> SimpleNamespace:
        given.append(env)
        return SimpleNamespace(returncode=0, stdout='{"taken": [], "failed": []}')

    monkeypatch.setattr(subprocess, "run", run)
    deliver({"OH_NOTIFY": "json://127.0.0.1"}, "x")
    assert "PATH" in given[0]
    assert SECRET not in given[0].values()


@pytest.mark.integration
def test_an_invalid_address_is_not_repeated() -> None:
    """The error names the variable, and does not repeat its value."""
    pytest.importorskip("apprise", reason="notices need apprise")
    with pytest.raises(
        SettingsError, match="OH_NOTIFY holds an address that apprise does not know"
    ) as refused:
        deliver({"OH_NOTIFY": f"nonsense://{SECRET}"}, "x")
    assert SECRET not in str(refused.value)


def test_the_command_line_sends_a_test(
    receiver: tuple[str, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`notify --test` reads the env file, names the services, and fails if one did not accept."""
    pytest.importorskip("apprise", reason="notices need apprise")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OH_NOTIFY", raising=False)
    (tmp_path / "config").mkdir()
    env_file, (url, got) = tmp_path / "config" / "alpaca.env", receiver
    env_file.write_text(f"OH_NOTIFY={url}\n")
    result = CliRunner().invoke(cli.app, ["notify", "--test"])
    assert (result.exit_code, result.output) == (0, "Accepted by json.\n")
    assert got[0]["message"] == "This is a test notice."
    env_file.write_text(f"OH_NOTIFY={url}/broken\n")
    result = CliRunner().invoke(cli.app, ["notify", "--test"])
    assert (result.exit_code, result.output) == (1, "Not accepted by json.\n")
    env_file.write_text("")
    result = CliRunner().invoke(cli.app, ["notify", "--test"])
    assert "OH_NOTIFY is not set" in str(result.exception)
    assert "Nothing was sent" in str(CliRunner().invoke(cli.app, ["notify"]).exception)


def test_a_monitor_sends_what_it_raises_and_knows_it_after_a_restart(
    service: Service, tmp_path: Path, wait_until: WaitUntil
) -> None:
    """A raised alert is one notice, and a restart repeats neither."""
    rule = AlertRule(id="near", metric="dte", comparison="below", threshold=60)
    position = {
        "symbol": "AAPL",
        "option_type": "call",
        "expiry": "2026-12-18",
        "strike": 250,
        "contracts": 1,
    }
    portfolio = Portfolio.model_validate({"positions": [{"id": "call", "cost_basis": 1.0, **position}]})
    state = AlertsState(tmp_path, tmp_path / "portfolio.json")
    for _ in range(2):
        monitor = PortfolioMonitor(
            portfolio,
            lambda: LiveSnapshot(as_of=NOW),
            rules=[rule],
            outlet=AlertOutlet(state, service.notices),
            clock=lambda: NOW,
        )
        monitor.look()
        monitor.look()
        assert monitor.view().alerts.raised_count == 1
        assert len(monitor.view().alerts.history) == 1
        wait_until(lambda: service.texts == ["Whole portfolio: DTE below its threshold"])
    monitor.acknowledge("near")
    monitor.add_rule(AlertRule(id="mine", metric="fill"))
    monitor.look()
    again = PortfolioMonitor(portfolio, LiveSnapshot, rules=[rule], outlet=AlertOutlet(state)).view().alerts
    assert [(one.id, str(again.status_of(one.id).phase)) for one in again.rules] == [
        ("near", "acknowledged"),
        ("mine", "normal"),
    ]
    without = PortfolioMonitor(portfolio, LiveSnapshot, outlet=AlertOutlet(state)).view().alerts
    assert [one.id for one in without.rules] == ["mine"]
