"""The portal in Streamlit's own test harness, with a manager that touches no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from options_helper.errors import SettingsError
from options_helper.market import LiveSnapshot, StreamState
from options_helper.session import hub as hub_module
from options_helper.session.hub import close_hub
from options_helper.session.registry import close_all
from options_helper.times import utc_now

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ROOT / "apps" / "streamlit" / "streamlit_app.py"
KEY, SECRET = "PKMARKER0000KEYID", "marker-of-a-secret"


class FakeManager:
    """A manager that records its calls and returns the test's snapshot."""

    def __init__(self) -> None:
        self.configs: list[Any] = []
        self.running = False
        self.refusal: Exception | None = None
        self.now = LiveSnapshot(as_of=utc_now())

    def check(self, _config: Any) -> None:
        """Refuse settings, or do nothing."""
        if isinstance(self.refusal, SettingsError):
            raise self.refusal

    def start(self, config: Any) -> None:
        """Run, or refuse."""
        if self.refusal:
            raise self.refusal
        self.configs.append(config)
        self.running = True
        self.now = replace(
            self.now,
            running=True,
            status=StreamState.CONNECTING,
            started_at=utc_now(),
            version=self.now.version + 1,
        )

    def stop(self) -> None:
        """Stop running."""
        if self.running:
            self.now = replace(self.now, running=False, status=StreamState.STOPPED, stopped_at=utc_now())
        self.running = False

    def is_running(self) -> bool:
        """Return whether the manager was started and not stopped."""
        return self.running

    def snapshot(self) -> LiveSnapshot:
        """Return the snapshot that the test set, at the current time."""
        return replace(self.now, as_of=utc_now())


class PortalDesk:
    """A folder with a portfolio, an environment, a fake manager and the page."""

    CALL: ClassVar[dict[str, Any]] = {
        "id": "aapl-call",
        "symbol": "AAPL",
        "option_type": "call",
        "expiry": "2099-12-18",
        "strike": 250,
        "contracts": 2,
        "cost_basis": 18.4,
    }

    def __init__(self, folder: Path, manager: FakeManager, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.manager = manager
        self.monkeypatch = monkeypatch

    @property
    def portfolio(self) -> Path:
        """The file that the page reads by default."""
        return self.folder / "portfolio.json"

    def own(self, *positions: dict[str, Any]) -> None:
        """Write a portfolio of these positions."""
        self.portfolio.write_text(json.dumps({"cash": 1000, "positions": positions}))

    def sign_in(self, **more: str) -> None:
        """Set keys and any other environment variables."""
        for name, value in {"APCA_API_KEY_ID": KEY, "APCA_API_SECRET_KEY": SECRET, **more}.items():
            self.monkeypatch.setenv(name, value)

    def home(self) -> AppTest:
        """Return the portal's home page."""
        from streamlit.testing.v1 import AppTest  # conftest is imported even if every module here is skipped

        return AppTest.from_file(str(PORTAL), default_timeout=30).run()

    @staticmethod
    def said(page: AppTest) -> str:
        """Return all text on the page."""
        parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.info, *page.success]
        parts += [*page.warning, *page.error, *page.code]
        html = [unescape(str(element.proto.body)) for element in page.get("html")]
        return "\n".join([*(str(part.value) for part in parts), *html]).replace("\\", "")

    def page(self) -> AppTest:
        """Return the Live Portfolio page, opened through the portal."""
        return self.home().switch_page("pages/12_Live_Portfolio.py").run()


@pytest.fixture(scope="session", autouse=True)
def scan_the_packages_once() -> Iterator[None]:
    """Let Streamlit search the installed packages for components once, and not for every page."""
    try:
        from streamlit.components.v2 import manifest_scanner as scanner
    except ImportError:
        yield  # a few tests of this folder need no Streamlit
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "scan_component_manifests", cache(scanner.scan_component_manifests))
        yield


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PortalDesk]:
    """Yield an empty folder without keys, and a hub with a fake manager."""
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL", "APCA_API_DATA_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("APCA_API_STREAM_URL", "OH_PORTFOLIO", "OH_LOG_FILE", "OH_KEEP_ALIVE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    manager = FakeManager()
    monkeypatch.setattr(hub_module, "_new_manager", lambda: manager)
    close_hub()
    yield PortalDesk(tmp_path, manager, monkeypatch)
    close_all()
    close_hub()
