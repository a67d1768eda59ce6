"""For any bytes, reading a file gives a value or one typed error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from options_helper.data.settings import load_settings
from options_helper.errors import AlertsFileError, PortfolioError, SettingsError
from options_helper.files.alerts_file import load_alert_rules
from options_helper.portfolio_file import parse_portfolio

if TYPE_CHECKING:
    import pytest

SECRET = "s3cr3t-VALUE"  # noqa: S105 - a mark to look for
words = st.sampled_from(
    [
        "alerts",
        "metric",
        "fill",
        "dte",
        "threshold",
        "comparison",
        "below",
        "position",
        "id",
        "positions",
        "legs",
        SECRET,
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(words | st.text(max_size=3), children, max_size=4)
    ),
    max_leaves=8,
)
contents = st.binary(max_size=60) | st.builds(lambda value: json.dumps(value).encode(), values)
deep = st.integers(1, 3000).map(
    lambda depth: b'{"alerts": [{"position": ' + b"[" * depth + b"]" * depth + b"}]}"
)


@settings(deadline=None)  # it writes files
@given(content=contents | deep)
def test_any_alerts_file_is_rules_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """The loader raises no other exception, and its text quotes nothing."""
    path = tmp_path_factory.getbasetemp() / "any-alerts.json"
    path.write_bytes(content)
    said = ""
    try:
        load_alert_rules(path)
    except AlertsFileError as error:
        said = str(error)
    assert SECRET not in said
    assert said.isprintable()


@settings(deadline=None)
@given(content=contents | deep)
def test_any_portfolio_is_a_portfolio_or_an_error(content: bytes) -> None:
    """The parser raises no other exception."""
    said = ""
    try:
        parse_portfolio("p.json", content)
    except PortfolioError as error:
        said = str(error)
    assert said.replace("\n", "").isprintable()


lines = st.builds(
    "{}={}".format,
    st.sampled_from(
        ["APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL", "OH_ALPACA_STOCK_FEED", "X"]
    ),
    st.sampled_from([SECRET, "PKTEST", "https://h", "iex"]) | st.text(max_size=8),
)
env_files = st.binary(max_size=60) | st.lists(lines, max_size=6).map(
    lambda each: "\n".join(each).encode(errors="replace")
)


@settings(deadline=None)
@given(content=env_files)
def test_any_env_file_is_settings_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """The reader raises no other exception, and its text quotes nothing."""
    path = tmp_path_factory.getbasetemp() / "any.env"
    path.write_bytes(content)
    said = ""
    try:
        load_settings({}, env_file=path)
    except SettingsError as error:
        said = str(error)
    assert SECRET not in said
    assert said.isprintable()
