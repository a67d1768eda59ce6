"""The first document: Streamlit's own, with the title of the page that is coming."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest

pytest.importorskip("streamlit", reason="the portal needs streamlit")

from collections.abc import Iterator
from pathlib import Path

from starlette.applications import Starlette

from apps.streamlit.entry import first_paint, preloads
from options_helper.session.hub import close_hub

DOCUMENT = (
    '<html><head><link rel="preload" href="./static/a.woff2"></head><body><div id="root"></div></body></html>'
)


@pytest.fixture(autouse=True)
def _no_hub() -> Iterator[None]:
    """Each test begins and ends without streams."""
    close_hub()
    yield
    close_hub()


def get(path: str, host: str = "localhost") -> httpx.Response:
    """Return a browser's response for this path from the two routes alone."""

    async def ask() -> httpx.Response:
        served = httpx.ASGITransport(
            app=Starlette(routes=first_paint.first_paint_routes(first_paint.first_paint_documents()))
        )
        async with httpx.AsyncClient(transport=served, base_url=f"http://{host}") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "title", "kind"),
    [("/", "Options Helper", "oh-home"), ("/Live_Portfolio", "Live Portfolio", "oh-live")],
)
def test_each_page_has_its_title(path: str, title: str, kind: str) -> None:
    """The document has the title behind Streamlit's root, and browsers always revalidate it."""
    answer = get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text.count(f"<h1>{title}</h1>") == 1
    assert f'class="{kind}"' in answer.text
    assert answer.text.index('<div id="root"></div>') < answer.text.index(title)
    assert "./static/js/index." in answer.text


def test_nothing_in_streamlits_document_is_lost() -> None:
    """Without the insertion, the document equals Streamlit's."""
    before, after = first_paint._DOCUMENT.read_text(encoding="utf-8").split('<div id="root"></div>')
    text = get("/Live_Portfolio").text
    assert text.startswith(before)
    assert text.endswith(after)


@pytest.mark.parametrize("base", ["/", "/behind/a/proxy/"])
def test_the_live_page_names_the_modules_of_its_components(base: str) -> None:
    """Each component's module and all its imports are named once; other pages name none."""
    documents = first_paint.first_paint_documents(base)
    folder = f"{base}_stcore/bidi-components/options-helper."
    links = re.findall(
        rf'<link rel="modulepreload" href="({folder}[^"]+)">', documents[f"{base}Live_Portfolio"]
    )
    assert len(links) == len(set(links))
    assert set(links) >= {
        f"{folder}{module}"
        for module in (
            "positions_table/positions_table.js",
            "positions_table/row.js",
            "positions_table/formats.js",
            "redraw/redraw.js",
            "redraw/dom.js",
        )
    }
    assert f"{folder}positions_table/redraw.js" not in links
    assert (
        f'as="style" href="{folder}positions_table/positions_table.css"' in documents[f"{base}Live_Portfolio"]
    )
    assert folder not in documents[base]


def test_the_live_page_names_the_scripts_of_its_elements() -> None:
    """Each script of Streamlit's that the first drawing needs exists, and is named once in the document."""
    document = first_paint.first_paint_documents()["/Live_Portfolio"]
    named = re.findall(r'(?:src|href)="\./(static/js/[^"]+)"', document)
    assert len(named) == len(set(named))
    assert all((first_paint._DOCUMENT.parent / name).is_file() for name in named)
    kinds = {name.removeprefix("static/js/").split(".")[0] for name in named}
    assert kinds >= set(preloads._ELEMENTS)


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"a": {"name": "Html", "isDynamicEntry": true}}'])
def test_an_unknown_build_of_streamlit_gets_no_links(tmp_path: Path, manifest: str | None) -> None:
    """Without a manifest that names the scripts, the browser fetches them when it needs them."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert preloads.element_links(tmp_path, DOCUMENT) == ""


def test_scripts_are_named_after_those_that_they_import(tmp_path: Path) -> None:
    """A script that the document names, or that two elements share, is not named again."""
    chunks = {
        "html.tsx": {"name": "Html", "isDynamicEntry": True, "file": "html.js", "imports": ["_b", "_a"]},
        "metric.tsx": {"name": "Metric", "isDynamicEntry": True, "file": "metric.js", "imports": ["_b"]},
        "other.tsx": {"name": "Other", "isDynamicEntry": True, "file": "other.js"},
        "_b": {"file": "b.js", "imports": ["_c"]},
        "_c": {"file": "c.js", "imports": ["_b"]},
        "_a": {"file": "a.woff2"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(chunks))
    links = preloads.element_links(tmp_path, DOCUMENT)
    assert re.findall(r'href="\./([^"]+)"', links) == ["c.js", "b.js", "html.js", "metric.js"]


def test_while_streams_run_the_sidebar_is_collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The title is in its final place; a request under a foreign host name reveals nothing."""
    monkeypatch.setattr(first_paint.st, "get_option", {"server.allowedHosts": ["localhost"]}.__getitem__)
    idle = get("/Live_Portfolio").text
    assert 'class="oh-live"' in idle
    monkeypatch.setattr(first_paint.current_hub(), "is_running", lambda: True)
    folded = get("/Live_Portfolio").text
    assert folded == idle.replace('class="oh-live"', 'class="oh-live oh-folded"')
    assert get("/Live_Portfolio", host="evil.example").text == idle
    assert 'class="oh-home"' in get("/").text


def test_the_title_is_drawn_in_the_pages_font() -> None:
    """The font is the one that the document preloads, or a system font."""
    text = first_paint.insert_title(DOCUMENT, "Title", "oh-live")
    assert 'src: url("./static/a.woff2")' in text
    assert "$" not in text
    bare = first_paint.insert_title('<div id="root"></div>', "Title", "oh-live")
    assert 'src: url("")' in bare


@pytest.mark.parametrize("text", ["<main></main>", None])
def test_a_changed_document_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    """If a later Streamlit builds its document differently, it is served unchanged."""
    document = tmp_path / "index.html"
    if text is not None:
        document.write_text(text)
    monkeypatch.setattr(first_paint, "_DOCUMENT", document)
    assert first_paint.first_paint_documents() == {}
