"""The inputs of a page run."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from pathlib import Path

from apps.streamlit.components.inputs.credentials import find_credentials
from apps.streamlit.components.inputs.page_model import build_page_model
from apps.streamlit.components.inputs.sidebar import PageSettings

pytestmark = pytest.mark.portal


def _write(path: Path, *symbols: str) -> None:
    shares = [{"id": each, "symbol": each, "shares": 1, "cost_basis": 1} for each in symbols]
    path.write_text(json.dumps({"positions": shares}))


def test_the_plan_is_made_once_per_version_of_the_file_and_settings(tmp_path: Path) -> None:
    """An unchanged refresh makes no plan; a new file or setting makes one."""
    path = tmp_path / "portfolio.json"
    settings, credentials = PageSettings(portfolio_path=path), find_credentials()
    _write(path, "AAPL")
    first = build_page_model(settings, credentials)
    assert first.plan is not None
    assert first.plan.stocks == ["AAPL"]
    assert build_page_model(settings, credentials).plan is first.plan
    without = PageSettings(portfolio_path=path, stream_stocks=False)
    assert build_page_model(without, credentials).plan.stocks == []
    _write(path, "AAPL", "MSFT")
    assert build_page_model(settings, credentials).plan.stocks == ["AAPL", "MSFT"]
    path.unlink()
    assert build_page_model(settings, credentials).plan is None
