"""The Live Portfolio page in each of its states, without a network."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from options_helper.data.settings import load_settings
from options_helper.market import (
    StreamFailure,
    StreamName,
    StreamState,
)
from options_helper.session.hub import get_hub
from options_helper.times import utc_now
from tests.portal.live_page import CONTRACT, KEY, SECRET, enabled, live_snapshot, press, status

if TYPE_CHECKING:
    from conftest import PortalDesk

pytest.importorskip("streamlit", reason="the portal needs streamlit")
pytestmark = pytest.mark.portal
PAGE = Path(__file__).resolve().parents[2] / "apps" / "streamlit" / "pages" / "12_Live_Portfolio.py"
VERTICAL = {
    "id": "msft-vertical",
    "symbol": "MSFT",
    "net_debit": 300,
    "legs": [
        {"side": "long", "option_type": "call", "expiry": "2099-12-18", "strike": 500, "contracts": 1},
        {"side": "short", "option_type": "call", "expiry": "2099-12-18", "strike": 520, "contracts": 1},
    ],
}


def test_the_page_opens_ready(desk: PortalDesk) -> None:
    """With a portfolio, the page shows what is ready, only Start is enabled, and nothing has started."""
    desk.sign_in()
    desk.own(desk.CALL, VERTICAL)
    page = desk.page()
    assert not page.exception
    assert status(page).startswith("**Not started.** 3 contracts and 2 underlyings are ready.")
    assert enabled(page) == {"start"}
    assert desk.manager.configs == []


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
