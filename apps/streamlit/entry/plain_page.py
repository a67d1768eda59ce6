"""Short pages that the server writes itself, and the host that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import Scope  # absent without Streamlit

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    # Without a referrer, a form's Origin would be "null".
    '<meta name="referrer" content="same-origin">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Options Helper</title>'
    "<style>body {{ font: 1rem/1.5 system-ui; margin: 2rem; color-scheme: light dark }}"
    " input, button {{ font: inherit; padding: .4rem .6rem; margin: .2rem 0 }}</style>"
    "<h1>{title}</h1>{body}"
)


def plain_page(title: str, body: str) -> str:
    """Return a document; both arguments are HTML."""
    return _PAGE.format(title=title, body=body)


def requested_host(scope: Scope) -> str | None:
    """Return the host name or address that a request names, or None if its Host header is invalid."""
    header = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port  # raises if the port is invalid
    except ValueError:
        return None
    return parts.hostname if parts.netloc == header and "@" not in header else None
