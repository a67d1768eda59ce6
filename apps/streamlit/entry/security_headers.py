"""The headers that restrict a page in the browser: who may frame it, and what it may load."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send  # absent without Streamlit

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HOST = re.compile(rb"[\w.\-\[\]:]+")


def inline_script_hashes(documents: Iterable[str]) -> list[str]:
    """Return the policy sources that allow these documents' inline scripts and no others."""
    scripts = {script for document in documents for script in _INLINE_SCRIPT.findall(document)}
    digests = (hashlib.sha256(script.encode()).digest() for script in sorted(scripts))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def build_policy(script_hashes: Iterable[str], host: str = "") -> str:
    """Return the content security policy for a page requested at this host and port."""
    # Streamlit writes its styles into the page, and loads a component's script from a blob.
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *script_hashes]),
        "style-src": "'self' 'unsafe-inline' blob:",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        # Not every browser counts a websocket as 'self'.
        "connect-src": f"'self' ws://{host} wss://{host}" if host else "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class SecurityHeaders:
    """ASGI middleware that adds the headers to every answer.

    Args:
        app: The application behind it.
        documents: The pages' documents, whose inline scripts may run.
    """

    def __init__(self, app: ASGIApp, documents: Iterable[str]) -> None:
        self._app = app
        self._hashes = inline_script_hashes(documents)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._headers(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                replaced = {name for name, _ in added}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in replaced]
                message["headers"] = [*kept, *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _headers(self, scope: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        host = dict(scope["headers"]).get(b"host", b"")
        known = host.decode() if _HOST.fullmatch(host) else ""
        return [
            (b"content-security-policy", build_policy(self._hashes, known).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
        ]
