"""Tests for the files that a page offers, and the route that answers with them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import httpx
import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from apps.streamlit.components import downloads
from apps.streamlit.entry.files_route import files_route

Get = Callable[[str], httpx.Response]


@pytest.fixture(params=["/", "/options/"])
def get(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Get:
    """Return a function that requests a file from a server without other routes."""
    monkeypatch.setattr(downloads, "_served_below", None)
    server = Starlette(routes=[files_route(request.param)])

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=server)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return lambda path: asyncio.run(ask(path))


def _page() -> None:
    import streamlit as st

    from apps.streamlit.components.downloads import OfferedFile, offer_file, render_offers, withdraw_file

    number = st.session_state.get("number", 0)
    file = OfferedFile("Ünder <b>", 'a "ü".csv', lambda: f"row {number}\n", hint="What & why")
    offer_file("grid BRK.B/x", file)
    offer_file("gone", file)
    withdraw_file("gone")
    render_offers()


def _link(page: AppTest) -> str:
    (body,) = (html.proto.body for html in page.get("html"))
    assert ">Ünder &lt;b&gt;</a>" in body
    assert 'title="What &amp; why"' in body
    return body.partition('href="')[2].partition('"')[0]


def test_a_link_gets_the_newest_contents(get: Get) -> None:
    """A link that was drawn earlier gets what was offered last, under the file's name."""
    page = AppTest.from_function(_page).run()
    link = _link(page)
    answer = get(link)
    assert answer.text == "row 0\n"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20%22%C3%BC%22.csv"
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    page.session_state["number"] = 1
    assert _link(page.run()) == link
    assert get(link).text == "row 1\n"


def test_other_sessions_and_withdrawn_files_are_out_of_reach(get: Get) -> None:
    """Only the session's own token and the keys that it offers now lead to a file."""
    link, other = (_link(AppTest.from_function(_page).run()) for _ in range(2))
    assert link.split("/")[-2] != other.split("/")[-2]
    base, _, key = link.rpartition("/")
    assert get(f"{base}/gone").status_code == 404
    assert get(f"{base.rpartition('/')[0]}/guess/{key}").status_code == 404


def test_a_closed_session_offers_nothing(get: Get) -> None:
    """The files of a session are forgotten with it."""
    page = AppTest.from_function(_page).run()
    link = _link(page)
    assert get(link).status_code == 200
    del page
    gc.collect()
    answer = get(link)
    assert answer.status_code == 404
    assert "Reload it" in answer.text


def test_without_the_launchers_server_there_are_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server would not answer the links."""
    monkeypatch.setattr(downloads, "_served_below", None)
    assert not AppTest.from_function(_page).run().get("html")
