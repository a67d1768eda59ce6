"""The Live Portfolio page in each of its states, without a network."""

from __future__ import annotations

import datetime as dt
import json
import os
import runpy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from collections.abc import Callable

from options_helper.data.settings import load_settings
from options_helper.errors import SettingsError
from options_helper.market import (
    LiveSnapshot,
    MarketPhase,
    Quote,
    StreamFailure,
    StreamHealth,
    StreamName,
    StreamState,
)
from options_helper.quote_tables import QuoteTable
from options_helper.session.hub import get_hub
from options_helper.times import utc_now

if TYPE_CHECKING:
    from conftest import PortalDesk
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.portal

PAGE = Path(__file__).resolve().parents[2] / "apps" / "streamlit" / "pages" / "12_Live_Portfolio.py"
KEY, SECRET = "PKMARKER0000KEYID", "marker-of-a-secret"
CONTRACT = "AAPL991218C00250000"
VERTICAL = {
    "id": "msft-vertical",
    "symbol": "MSFT",
    "net_debit": 300,
    "legs": [
        {"side": "long", "option_type": "call", "expiry": "2099-12-18", "strike": 500, "contracts": 1},
        {"side": "short", "option_type": "call", "expiry": "2099-12-18", "strike": 520, "contracts": 1},
    ],
}


def status(page: AppTest) -> str:
    """The one line that says how the streams are."""
    lines = [*page.info, *page.success, *page.warning, *page.error]
    assert len(lines) == 1
    return str(lines[0].value).replace("\\", "")


def enabled(page: AppTest) -> set[str]:
    """Return which of the three buttons are enabled."""
    return {name for name in ("start", "stop", "restart") if not page.button(key=f"live-{name}").disabled}


def press(page: AppTest, name: str) -> AppTest:
    """Press one of the three buttons."""
    return page.button(key=f"live-{name}").click().run()


def live_snapshot(**fields: Any) -> LiveSnapshot:
    """Streams in good health, and a quote of the call."""
    now = utc_now()
    health = {
        name: StreamHealth(
            name,
            state=StreamState.RUNNING,
            since=now,
            asked=frozenset({CONTRACT} if name is StreamName.OPTIONS else {"AAPL"}),
            connected_at=now,
            last_event_at=now,
            last_heard_at=now,
        )
        for name in StreamName
    }
    good: dict[str, Any] = {
        "as_of": now,
        "running": True,
        "status": StreamState.RUNNING,
        "status_by_stream": dict.fromkeys(StreamName, StreamState.RUNNING),
        "health": health,
        "started_at": now,
        "version": 7,
        "market_phase": MarketPhase.OPEN,
        "market_phase_until": now + dt.timedelta(hours=2),
        "options_feed": "opra",
        "stock_feed": "iex",
        "option_quotes": QuoteTable.of(
            [Quote(CONTRACT, bid_price=23.0, ask_price=23.4, timestamp=now, received_at=now)]
        ),
        "stock_quotes": QuoteTable.of(
            [Quote("AAPL", bid_price=271.5, ask_price=271.6, timestamp=now, received_at=now)]
        ),
    }
    return LiveSnapshot(**(good | fields))


def test_the_page_opens_ready(desk: PortalDesk) -> None:
    """With a portfolio, the page shows what is ready, only Start is enabled, and nothing has started."""
    desk.sign_in()
    desk.own(desk.CALL, VERTICAL)
    page = desk.page()
    assert not page.exception
    assert status(page).startswith("**Not started.** 3 contracts and 2 underlyings are ready.")
    assert enabled(page) == {"start"}
    assert desk.manager.configs == []


def test_a_missing_file_shows_a_friendly_screen(desk: PortalDesk) -> None:
    """Without a portfolio the page shows the missing file, its path and an example; Start is disabled."""
    desk.sign_in()
    page = desk.page()
    assert status(page).startswith("**No portfolio yet.**")
    assert "There is no file **portfolio.json**" in desk.said(page)
    assert enabled(page) == set()
    example = json.loads(page.code[0].value)
    desk.portfolio.write_text(json.dumps(example))
    assert "1 contract and 1 underlying are ready" in status(page.run())


def test_a_broken_file_says_where_and_what(desk: PortalDesk) -> None:
    """A wrong value is named by position and field, with a correct one; Start is disabled."""
    desk.own({**desk.CALL, "strike": -5})
    page = desk.page()
    assert status(page).startswith("**portfolio.json cannot be used.**")
    assert "aapl-call" in desk.said(page)
    assert "strike" in desk.said(page)
    assert enabled(page) == set()


def test_several_wrong_values_are_listed_one_per_line(desk: PortalDesk) -> None:
    """Each of several problems has its own line, and the wording is plural."""
    desk.own(*({**desk.CALL, "id": f"call-{n}", "strike": -5} for n in range(3)))
    page = desk.page()
    words = desk.said(page).replace("\\", "")
    assert '2 more problems in this file:\n- position "call-1", field strike' in words
    assert "One thing" not in " ".join(each.value for each in page.subheader)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~nobody-of-this-name/portfolio.json", "**No portfolio yet.**"),
        ("x" * 5000, "cannot be used.**"),
        ("\0.json", "cannot be used.**"),
    ],
)
def test_an_impossible_path_shows_a_friendly_screen(desk: PortalDesk, path: str, words: str) -> None:
    """Whatever text the file contains, the page says what is wrong with it."""
    page = desk.page()
    page.text_input(key="portfolio-path").set_value(path).run()
    assert not page.exception
    assert words in status(page)
    assert enabled(page) == set()


def test_the_root_directory_is_named_like_any_other(desk: PortalDesk) -> None:
    """A path without a last part is shown in full."""
    page = desk.page()
    page.text_input(key="portfolio-path").set_value("/").run()
    assert status(page).startswith("**/ cannot be used.**")


def test_a_corrected_file_is_read_by_itself(desk: PortalDesk) -> None:
    """The next run reads a file saved meanwhile, without a button."""
    desk.portfolio.write_text("{")
    page = desk.page()
    desk.own(desk.CALL)
    assert enabled(page.run()) == {"start"}


@pytest.mark.parametrize("text", ["{", None])
def test_while_streams_run_a_broken_file_removes_no_figure(desk: PortalDesk, text: str | None) -> None:
    """The last valid version stays below the error, and Restart is disabled until the file is corrected."""
    desk.own(desk.CALL)
    desk.sign_in()
    page = desk.page()
    press(page, "start")
    shown = [tile.label for tile in page.metric]
    if text is None:
        desk.portfolio.unlink()
    else:
        desk.portfolio.write_text(text)
    page.run()
    (problem,) = [line.value for line in page.error]
    assert problem.startswith("**portfolio.json cannot be used.** ")
    assert "The figures are from the version saved " in problem
    assert ([tile.label for tile in page.metric], enabled(page)) == (shown, {"stop"})
    desk.own(desk.CALL)
    assert (len(page.run().error), enabled(page)) == (0, {"stop", "restart"})


def test_a_file_that_changes_while_the_page_is_drawn_leaves_no_old_button(
    desk: PortalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buttons and body show the same version of the file, so Start is disabled for a broken one."""
    from apps.streamlit.components import live_portfolio_page

    draw, broken = live_portfolio_page.draw_buttons, '{"positions": ['

    def draw_then_break(*args: Any) -> None:
        draw(*args)
        if desk.portfolio.read_text() != broken:
            desk.portfolio.write_text(broken)

    monkeypatch.setattr(live_portfolio_page, "draw_buttons", draw_then_break)
    desk.own(desk.CALL)
    desk.sign_in()
    page = desk.page()
    assert status(page).startswith("**portfolio.json cannot be used.**")
    assert enabled(page) == set()


def test_reload_reads_the_file_again(desk: PortalDesk) -> None:
    """Reload reads the file again even if its time and size did not change."""
    desk.own(desk.CALL)
    page = desk.page()
    kept = desk.portfolio.stat()
    desk.portfolio.write_text(desk.portfolio.read_text().replace("AAPL", "MSFT"))
    os.utime(desk.portfolio, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    press(page, "start")
    page.button(key="reload").click().run()
    assert get_hub().run is None
    desk.sign_in()
    press(page, "start")
    assert desk.manager.configs[0].stocks == ("MSFT",)


def test_an_empty_portfolio_says_what_to_add(desk: PortalDesk) -> None:
    """A portfolio without positions shows an example of one."""
    desk.own()
    page = desk.page()
    assert "This portfolio is empty" in desk.said(page)


def test_missing_keys_are_reported_at_start(desk: PortalDesk) -> None:
    """Start without keys shows one sentence about what to set and where, and starts nothing."""
    desk.own(desk.CALL)
    page = desk.page()
    assert status(page).startswith("**Not ready.** APCA")
    page = press(page, "start")
    assert status(page).startswith("**Not started.** APCA")
    assert "APCA_API_KEY_ID and APCA_API_SECRET_KEY are not set." in status(page).replace("\\", "")
    assert "config/alpaca.env" in status(page)
    assert desk.manager.configs == []
    assert enabled(page) == {"start"}


def test_a_missing_sdk_is_reported_at_start(desk: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without alpaca-py, Start names the package to install."""
    from apps.streamlit.components.inputs import actions

    monkeypatch.setattr(actions, "find_spec", lambda _name: None)
    desk.own(desk.CALL)
    page = press(desk.page(), "start")
    assert "The package alpaca-py is not installed." in status(page)


def test_start_uses_the_sidebars_settings(desk: PortalDesk) -> None:
    """Start streams the plan with the chosen feeds and streams, and enables Stop."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL, VERTICAL)
    desk.sign_in()
    page = desk.page()
    page.selectbox(key="options-feed").select("opra")
    page.toggle(key="stream-fills").set_value(False)
    press(page.run(), "start")
    config = desk.manager.configs[0]
    assert config.option_contracts == (CONTRACT, "MSFT991218C00500000", "MSFT991218C00520000")
    assert config.stocks == ("AAPL", "MSFT")
    assert (config.options_feed, config.stock_feed) == ("opra", "iex")
    assert (config.stream_stocks, config.stream_options, config.stream_fills) == (True, True, False)
    assert enabled(page) == {"stop", "restart"}
    press(page, "stop")
    assert not desk.manager.running
    assert status(page).startswith("**Stopped")
    assert enabled(page) == {"start"}


def test_the_account_can_be_chosen(desk: PortalDesk) -> None:
    """Live chooses Alpaca's live host; the keys stay the same."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = desk.page()
    page.segmented_control(key="account").select("live")
    press(page.run(), "start")
    assert desk.manager.configs[0].settings.trading_url == "https://api.alpaca.markets"


def test_another_host_disables_the_choice(desk: PortalDesk) -> None:
    """If the URL names another host, the choice is disabled and the host is named before Start."""
    desk.own(desk.CALL)
    desk.sign_in(APCA_API_BASE_URL="https://broker.example")
    page = desk.page()
    assert page.segmented_control(key="account").disabled
    assert "Not Alpaca's own hosts: broker.example." in desk.said(page)


def test_the_indicative_feed_has_its_limit(desk: PortalDesk) -> None:
    """The indicative stream carries at most 200 contracts, and the page says so."""
    desk.sign_in()
    desk.own(*({**desk.CALL, "id": f"call-{strike}", "strike": strike} for strike in range(100, 325)))
    page = desk.page()
    assert "at most 200 contracts" in desk.said(page)
    assert "200 contracts and 1 underlying are ready" in status(page)
    assert "25 of 225 option contracts are over the limit of 200" in desk.said(page)
    page.selectbox(key="options-feed").select("opra").run()
    assert "225 contracts and 1 underlying are ready" in status(page)


def test_the_demo_is_named_before_start(desk: PortalDesk) -> None:
    """With a loopback host the page says DEMO before anything runs, and that the session never closes."""
    desk.own(desk.CALL)
    desk.sign_in(APCA_API_BASE_URL="http://127.0.0.1:9")
    said = desk.said(desk.page())
    assert "DEMO: simulated prices" in said
    assert "Simulated session, always open" in said


@pytest.mark.date_sensitive
def test_a_running_set_shows_its_figures(desk: PortalDesk) -> None:
    """Marks, totals and streams of a live snapshot are on the page, in words and dollars."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    desk.manager.now = live_snapshot()
    page.run()
    assert status(page).startswith(
        "**Live.** Options 1 of 1 · stocks 1 of 1 · fills listening. Oldest quote 0 s."
    )
    figures = {metric.label: (metric.value, metric.delta) for metric in page.metric}
    assert figures["Portfolio value"] == ("$5,640", "cash $1,000")
    assert figures["P/L Open"] == ("+$960", "+26.1%")
    assert figures["P/L Day"] == ("—", "0 of 1 leg")
    assert figures["Coverage"] == ("1 of 1 live", "nothing missing")
    assert "Options OPRA" in desk.said(page)
    assert "No fills yet today." in desk.said(page)
    assert not page.exception


def test_a_refused_key_is_an_error_with_a_next_step(desk: PortalDesk) -> None:
    """A stream in error is the headline, with the variables to set."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    good = live_snapshot()
    refused = replace(
        good.health[StreamName.OPTIONS],
        state=StreamState.ERROR,
        last_failure=StreamFailure("Alpaca refused the key", utc_now(), 402, final=True),
    )
    desk.manager.now = replace(
        good, status=StreamState.ERROR, health={**good.health, StreamName.OPTIONS: refused}
    )
    page.run()
    assert status(page).startswith("**Alpaca refused the key for the option stream (402).** Not retried.")


@pytest.mark.date_sensitive
def test_a_portfolio_of_expired_positions_hides_no_failure(desk: PortalDesk) -> None:
    """The page says that nothing is left to stream, but a stream's error takes precedence."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own({**desk.CALL, "expiry": "2020-01-17"})
    desk.sign_in()
    assert status(desk.page()).startswith("**Everything in this portfolio has expired.**")
    page = press(desk.page(), "start")
    good = live_snapshot()
    lost = replace(
        good.health[StreamName.FILLS],
        state=StreamState.ERROR,
        last_failure=StreamFailure("Alpaca refused the key", utc_now(), 402, final=True),
    )
    desk.manager.now = replace(good, status=StreamState.ERROR, health={**good.health, StreamName.FILLS: lost})
    page.run()
    assert "refused the key" in status(page)


def test_a_changed_portfolio_offers_restart(desk: PortalDesk) -> None:
    """Positions that the running set does not request are named, and Restart includes them."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    desk.own(desk.CALL, VERTICAL)
    page.run()
    assert "msft-vertical is not subscribed. Press Restart to stream this portfolio." in desk.said(page)
    press(page, "restart")
    assert "MSFT991218C00500000" in desk.manager.configs[1].option_contracts
    assert "not subscribed" not in desk.said(page)


def test_changed_settings_offer_restart(desk: PortalDesk) -> None:
    """A setting that the running set does not use is named."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    page.toggle(key="stream-fills").set_value(False)
    page.selectbox(key="stock-feed").select("sip").run()
    assert "The running streams have other settings (fills and stock feed)." in desk.said(page)


def test_what_another_tab_did_is_shown(desk: PortalDesk) -> None:
    """A Stop in another tab is shown with its time."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    hub = get_hub()
    hub.attach("another tab")
    hub.stop("another tab")
    assert status(page.run()).startswith("**Stopped from another tab, ")


def test_a_stop_without_a_browser_is_shown(desk: PortalDesk) -> None:
    """The reason is shown for streams that the hub stopped by itself."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    get_hub().stop(reason="no browser was connected")
    assert "no browser was connected" in status(page.run())


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (SettingsError("streams", "There is nothing to stream."), "There is nothing to stream."),
        (RuntimeError(f"token {SECRET}"), "Something unexpected went wrong (RuntimeError)"),
    ],
)
def test_a_failed_start_is_explained(desk: PortalDesk, refusal: Exception, words: str) -> None:
    """A failed Start shows a sentence; an unexpected error shows only its type."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    desk.manager.refusal = refusal
    page = press(desk.page(), "start")
    assert words in status(page)
    assert SECRET not in desk.said(page)


def test_an_unexpected_error_at_stop_does_not_mention_a_start(desk: PortalDesk) -> None:
    """The sentence for unexpected errors is true of every button."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    with mock.patch.object(desk.manager, "stop", side_effect=RuntimeError):
        press(page, "stop")
    assert "**Not stopped.**" in desk.said(page)
    assert "nothing was started" not in desk.said(page)
    assert "Something unexpected went wrong (RuntimeError); see the log." in desk.said(page)


def _problem(page: AppTest) -> str:
    """Return the problem shown below the status line after a failed button press while streams run."""
    (line,) = page.error
    return str(line.value).replace("\\", "")


def test_a_failed_restart_says_so_while_the_earlier_streams_continue(desk: PortalDesk) -> None:
    """The reason stays beside the streams' status until a Restart succeeds or the streams end."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    desk.manager.now = live_snapshot()
    desk.sign_in(OH_ALPACA_STOCK_FEED="foo")
    press(page, "restart")
    for _ in range(2):
        assert _problem(page).startswith(
            "**Not restarted.** The earlier streams continue. OH_ALPACA_STOCK_FEED"
        )
        assert "other settings" not in desk.said(page)
        assert str(page.success[0].value).startswith("**Live.**")
        page.run()
    assert len(desk.manager.configs) == 1
    desk.sign_in(OH_ALPACA_STOCK_FEED="iex")
    press(page, "restart")
    assert (len(page.error), len(desk.manager.configs)) == (0, 2)
    desk.manager.refusal = SettingsError("streams", "There is nothing to stream.")
    press(page, "restart")
    assert _problem(page) == "**Not restarted.** The earlier streams continue. There is nothing to stream."
    assert desk.manager.running


@pytest.mark.parametrize("ends", ["stop", "start"])
def test_what_another_tab_does_clears_a_failed_restart(desk: PortalDesk, ends: str) -> None:
    """The failed Restart disappears when the earlier streams end or another tab starts new ones."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    hub = get_hub()
    desk.sign_in(OH_ALPACA_STOCK_FEED="foo")
    press(page, "restart")
    assert _problem(page).startswith("**Not restarted.**")
    hub.attach("another tab")
    hub.stop("another tab")
    if ends == "start":
        run = hub.run
        hub.start(run.config, session_id="another tab", portfolio_name="mine.json", portfolio=run.portfolio)
    page.run()
    assert len(page.error) == 0
    assert "Not restarted" not in desk.said(page)


def _while_drawn(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen once, after the page has looked at its settings and before its first beat."""
    from apps.streamlit.components import live_portfolio_page

    draw, acts = live_portfolio_page.draw_buttons, [act]

    def draw_and_act(*args: Any) -> None:
        draw(*args)
        while acts:
            acts.pop()()

    monkeypatch.setattr(live_portfolio_page, "draw_buttons", draw_and_act)


def test_credentials_that_change_are_noticed_at_the_next_beat(
    desk: PortalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Badge, note and the choice of account follow the env file without a button press."""
    env_file = desk.folder / "config" / "alpaca.env"
    env_file.parent.mkdir()
    keys = f"APCA_API_KEY_ID={KEY}\nAPCA_API_SECRET_KEY={SECRET}\n"
    desk.own(desk.CALL)
    _while_drawn(
        monkeypatch, lambda: env_file.write_text(f"{keys}APCA_API_BASE_URL=https://broker.example\n")
    )
    page = desk.page()
    assert status(page).startswith("**Not started.** 1 contract")
    assert page.segmented_control(key="account").disabled
    assert "Not Alpaca's own hosts: broker.example." in desk.said(page)
    _while_drawn(monkeypatch, lambda: env_file.write_text(f"{keys}APCA_API_BASE_URL=http://127.0.0.1:9\n"))
    page.run()
    assert "DEMO: simulated prices" in desk.said(page)
    assert "broker.example" not in desk.said(page)


def test_the_line_about_missing_keys_disappears_once_they_are_set(desk: PortalDesk) -> None:
    """A press that failed without keys is forgotten once there are keys."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    page = press(desk.page(), "start")
    assert "APCA_API_KEY_ID" in status(page)
    desk.sign_in()
    assert status(page.run()).startswith("**Not started.** 1 contract")


def test_new_keys_after_a_restart_leave_no_note(desk: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running set's account is compared with the current keys."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")

    def restart_elsewhere() -> None:
        desk.sign_in(APCA_API_KEY_ID="AKMARKER0000KEYID")
        hub, run = get_hub(), get_hub().run
        hub.restart(
            replace(run.config, settings=load_settings()),
            session_id="another tab",
            portfolio_name="portfolio.json",
            portfolio=run.portfolio,
        )

    _while_drawn(monkeypatch, restart_elsewhere)
    page.run()
    assert "other settings" not in desk.said(page)
    assert "Live account" in desk.said(page)


def test_an_unreadable_env_file_is_explained(desk: PortalDesk) -> None:
    """If the file is not text, for example half written, the page works and says so."""
    env_file = desk.folder / "config" / "alpaca.env"
    env_file.parent.mkdir()
    env_file.write_bytes(b"\xff\xfe\x00")
    desk.own(desk.CALL)
    page = desk.page()
    assert not page.exception
    assert status(page).startswith("**Not ready.** config/alpaca.env cannot be read")


@pytest.mark.date_sensitive
def test_another_time_zone_is_noticed_at_the_next_beat(
    desk: PortalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disclaimer names the zone of the page's times."""
    import streamlit as st

    from apps.streamlit.components import live_portfolio_page
    from apps.streamlit.components.inputs import page_context
    from apps.streamlit.components.layout import head

    zones = ["Europe/Berlin"]

    def travel(*_args: object) -> None:
        zones.append("Asia/Tokyo")
        st.rerun(live_portfolio_page.SHELL)

    for module in (live_portfolio_page, page_context):
        monkeypatch.setattr(module, "browser_zone", lambda: ZoneInfo(zones[-1]))
    monkeypatch.setattr(head, "start", travel)
    desk.own(desk.CALL)
    page = desk.page()
    assert "Times in Europe/Berlin." in desk.said(page)
    press(page, "start")
    assert "Times in Asia/Tokyo." in desk.said(page)


def test_keys_are_nowhere_on_the_page(desk: PortalDesk) -> None:
    """Neither the page nor the session state contains a key."""
    pytest.importorskip("alpaca", reason="Start needs alpaca-py")
    desk.own(desk.CALL)
    desk.sign_in()
    page = press(desk.page(), "start")
    state = repr(page.session_state)
    for secret in (KEY, SECRET):
        assert secret not in desk.said(page)
        assert secret not in state


def test_every_tab_holds_the_one_manager(desk: PortalDesk) -> None:
    """Two sessions keep the same manager in their state."""
    desk.own(desk.CALL)
    first, second = desk.page(), desk.page()
    assert first.session_state["live_stream_manager"] is desk.manager
    assert second.session_state["live_stream_manager"] is desk.manager


def test_the_page_can_be_read_as_a_script(desk: PortalDesk) -> None:
    """Run without a server, the page neither fails nor starts anything."""
    desk.own(desk.CALL)
    runpy.run_path(str(PAGE))
    assert desk.manager.configs == []
