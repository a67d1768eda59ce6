"""The portal: its pages, its home, and the text on every page."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import PortalDesk

pytest.importorskip("streamlit", reason="the portal needs streamlit")


pytestmark = pytest.mark.portal

APPS = Path(__file__).resolve().parents[2] / "apps"
PORTAL = APPS / "streamlit" / "streamlit_app.py"


def test_home_links_to_every_page(desk: PortalDesk) -> None:
    """Home introduces the product and links to Live Portfolio."""
    page = desk.home()
    assert not page.exception
    assert page.title[0].value == "Options Helper"
    links = [element.proto for element in page.get("page_link")]
    assert any("Live_Portfolio" in str(link) for link in links)


def test_home_names_what_was_found_and_no_value(desk: PortalDesk) -> None:
    """Home shows the names of the keys and the portfolio file, never their contents."""
    bare = desk.said(desk.home())
    assert "APCA_API_KEY_ID" in bare
    assert "not found" in bare
    desk.own()
    desk.sign_in()
    found = desk.said(desk.home())
    assert "portfolio.json" in found
    assert "PKMARKER" not in found
    assert "marker-of-a-secret" not in found


@pytest.mark.parametrize("open_page", ["home", "page"])
def test_every_page_has_the_disclaimer(desk: PortalDesk, open_page: str) -> None:
    """Read-only, best-effort, no advice: on the home page and on Live Portfolio."""
    words = desk.said(getattr(desk, open_page)())
    assert "not financial advice" in words
    assert "Read-only" in words
    assert "best-effort" in words


def test_the_portal_never_shadows_streamlit(desk: PortalDesk) -> None:
    """The folder `apps` is never on the path, because it would hide the package streamlit."""
    desk.home()
    assert str(APPS) not in sys.path


def test_pages_are_named_by_absolute_path() -> None:
    """The navigation does not depend on the working directory, and Live Portfolio keeps its address."""
    source = PORTAL.read_text(encoding="utf-8")
    tree = ast.parse(source)
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.Page"
    ]
    addresses = {
        ast.literal_eval(word.value) for call in calls for word in call.keywords if word.arg == "url_path"
    }
    assert addresses == {"home", "Live_Portfolio"}
    assert all(ast.unparse(call.args[0]).startswith("_PAGES /") for call in calls)


def test_the_icon_is_our_own_file() -> None:
    """The tab's icon is a file, because a Material icon would be fetched from outside before Start."""
    from apps.streamlit.components.layout.disclaimer import ICON

    assert Path(ICON).is_file()
    for script in (APPS / "streamlit" / "pages").glob("*.py"):
        assert "page_icon=ICON" in script.read_text(encoding="utf-8")


def test_the_log_is_opened_at_the_launchers_path(desk: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the launcher, the portal writes its log to the named file."""
    from options_helper.launch.log_file import close_log

    monkeypatch.setenv("OH_LOG_FILE", str(desk.folder / "portal.log"))
    desk.home()
    close_log()
    assert (desk.folder / "portal.log").exists()


def test_a_session_without_a_server_counts_as_connected() -> None:
    """If Streamlit cannot be asked, nothing is stopped."""
    from apps.streamlit.components.inputs.session import session_is_active

    assert session_is_active("anything")


def test_the_keep_alive_reaches_the_hub(desk: PortalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher's keep-alive is the hub's grace period; an invalid one falls back to the default."""
    from options_helper.session.hub import close_hub, get_hub

    for text, seconds in (("4.5", 4.5), ("soon", 15.0), ("-1", 0.0)):
        monkeypatch.setenv("OH_KEEP_ALIVE_SECONDS", text)
        desk.home()
        assert get_hub().grace_seconds == seconds
        close_hub()
