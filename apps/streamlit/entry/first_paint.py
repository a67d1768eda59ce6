"""The title in the page's first HTML, which a browser paints before it has read Streamlit's scripts.

Streamlit answers every path with one empty document that loads a megabyte of scripts. Until they run the page
is blank, and white even in dark mode. The same document with the title in its place is painted at once, and
the title disappears as soon as the page has drawn its own. The document also names scripts that the page will
need, which the browser fetches meanwhile; it would only learn of them after the first drawing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import streamlit as st

from apps.streamlit.components.inputs.session import current_hub
from apps.streamlit.entry.preloads import element_links, module_links

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

HOME_TITLE, LIVE_TITLE = "Options Helper", "Live Portfolio"
_DOCUMENT = Path(st.__file__).parent / "static" / "index.html"
_SHELL = Path(__file__).resolve().parents[1] / "assets" / "first_paint.html"
_STYLE = _SHELL.with_name("page.css")
_ROOT = '<div id="root"></div>'
_FONT = re.compile(r'href="([^"]+\.woff2)"')


def read_document() -> str:
    """Return Streamlit's own document, or "" if it cannot be read."""
    try:
        return _DOCUMENT.read_text(encoding="utf-8")
    except OSError:
        return ""


def first_paint_documents(base: str = "/") -> dict[str, str]:
    """Return the documents by path below `base`, or {} if Streamlit's own is missing or has changed."""
    document = read_document()
    if _ROOT not in document:
        return {}
    links = module_links(base) + element_links(_DOCUMENT.parent, document)
    return {
        base: insert_title(document, HOME_TITLE, "oh-home"),
        f"{base}Live_Portfolio": insert_title(document, LIVE_TITLE, "oh-live", links),
    }


def first_paint_routes(documents: Mapping[str, str]) -> list[Route]:
    """Return routes that answer these paths with these documents, ahead of Streamlit's own."""
    from starlette.routing import Route  # noqa: PLC0415 - Streamlit's server, absent in a bare run

    return [Route(path, partial(_answer, document)) for path, document in documents.items()]


def insert_title(document: str, title: str, kind: str, links: str = "") -> str:
    """Return Streamlit's document with the title where the page will draw it, and these links."""
    font = _FONT.search(document)
    shell = Template(_SHELL.read_text(encoding="utf-8")).substitute(
        title=title,
        kind=kind,
        font=font[1] if font else "",
        style=_STYLE.read_text(encoding="utf-8"),
    )
    return document.replace(_ROOT, _ROOT + links + shell)


async def _answer(document: str, request: Request) -> Response:
    from starlette.responses import HTMLResponse  # noqa: PLC0415 - heavy, and needed here only

    if _is_folded(request):
        document = document.replace('class="oh-live"', 'class="oh-live oh-folded"')
    return HTMLResponse(document, headers={"Cache-Control": "no-cache"})


def _is_folded(request: Request) -> bool:
    """Return whether the sidebar is collapsed because streams run; False for a host name that is not ours."""
    names = st.get_option("server.allowedHosts")
    # With "*", only visitors who have logged in get this far.
    return ("*" in names or request.url.hostname in names) and current_hub().is_running()
