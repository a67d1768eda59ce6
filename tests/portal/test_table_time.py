"""The time from which the browser counts the ages in the table."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("streamlit", reason="the portal needs the extra [ui]")

from apps.streamlit.components.positions.table.changes import SentTable
from apps.streamlit.components.view import redraw
from options_helper.times import to_microseconds, utc_now

if TYPE_CHECKING:
    from conftest import PortalDesk

pytestmark = pytest.mark.portal


def test_the_browser_counts_ages_from_the_snapshots_time(
    desk: PortalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Table and beats count ages from the snapshot's time, whatever this computer's clock shows."""
    alpacas = utc_now() + dt.timedelta(hours=2)
    sent: list[int] = []
    encode = SentTable.message

    def message(self: SentTable, *words: Any, now_ms: int, **more: Any) -> bytes:
        sent.append(now_ms)
        return encode(self, *words, now_ms=now_ms, **more)

    monkeypatch.setattr(SentTable, "message", message)
    monkeypatch.setattr(redraw, "_component", lambda: lambda *, data, **_: sent.append(data["now"]))
    monkeypatch.setattr(desk.manager, "snapshot", lambda: replace(desk.manager.now, as_of=alpacas))
    desk.sign_in()
    desk.own(desk.CALL)
    assert not desk.page().exception
    assert len(sent) >= 2
    assert set(sent) == {to_microseconds(alpacas) // 1000}
