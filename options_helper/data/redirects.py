"""Describes the target of a redirect, which is never followed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# A host name without a long run of letters and digits, which may be a key that the server echoes.
_HOST = re.compile(r"(?!.*[0-9a-z]{16})[0-9a-z.:_-]{1,253}")


def describe_target(location: str) -> str:
    """Return " to HOST" for a redirect's target, or "" if it has no host that can be shown."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        return ""
    return f" to {host}" if _HOST.fullmatch(host) else ""
