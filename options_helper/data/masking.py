"""Removes keys, account numbers and ids from texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

_LONGEST_TEXT = 2000
_NAMES_AN_ID = re.compile(r"(^|_)(id|ids|account|account_number|replaces|replaced_by)$")
_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b[AP]K[A-Z0-9]{16,}\b|[A-Za-z0-9+/]{30,}")
# Longer than a contract symbol; a server may echo a key in a different spelling.
_LOOKS_LIKE_A_KEY = re.compile(r"[A-Za-z0-9+/]{22,}")


def mask(secret: str) -> str:
    """Return a key with all but its first two and last two characters hidden; short keys are hidden whole."""
    return f"{secret[:2]}…{secret[-2:]}" if len(secret) >= 12 else "…"  # noqa: PLR2004 - a display choice


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a server's text without the given secrets, or anything else that looks like a key."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return _LOOKS_LIKE_A_KEY.sub("…", text)


def masked_text(row: object) -> str:
    """Return a row as one line of ASCII JSON, shortened, with its ids masked."""
    try:
        text = json.dumps(_masked(row), default=repr)
    except (ValueError, RecursionError):
        text = f"a {type(row).__name__} that is not JSON"
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _masked(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            str(name): mask(str(held)) if held and _NAMES_AN_ID.search(str(name)) else _masked(held)
            for name, held in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return _LOOKS_LIKE_AN_ID.sub(lambda found: mask(found[0]), value) if isinstance(value, str) else value
