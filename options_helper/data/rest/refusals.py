"""What a failed request means, as a sentence without a secret."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import msgspec

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
_SERVER_ERRORS = range(500, 600)
_REDIRECTS = range(300, 400)
_LONGEST_MESSAGE = 200


def is_worth_retrying(status: int) -> bool:
    """Whether the same request may succeed a moment later."""
    return status == TOO_MANY or status in _SERVER_ERRORS


def describe_status(status: int, body: bytes, secrets: Iterable[str]) -> str:
    """The refusal in words, with the server's own where it gave any."""
    said = _message(body, secrets)
    if status == UNAUTHORIZED:
        return (
            "Alpaca refused the key (401). Check APCA_API_KEY_ID and APCA_API_SECRET_KEY, "
            "and that they belong to this account, paper or live."
        )
    if status == FORBIDDEN:
        return f"Alpaca does not permit this (403): {said or 'the key or the plan does not allow it'}."
    if status == TOO_MANY:
        return "too many requests (429); tried again later."
    if status in _REDIRECTS:
        return f"the server points elsewhere ({status}), which is not followed."
    words = "the server failed" if status in _SERVER_ERRORS else "refused"
    return f"{words} ({status}): {said}" if said else f"{words} ({status})"


def describe_failure(error: httpx.HTTPError) -> str:
    """Why no answer came."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection within the time allowed"
    if isinstance(error, httpx.TimeoutException):
        return "no answer within the time allowed"
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {error}"
    return "the connection broke before the answer"


def _message(body: bytes, secrets: Iterable[str]) -> str:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    said = answer.get("message") if isinstance(answer, dict) else None
    if not isinstance(said, str):
        return ""
    for secret in secrets:
        said = said.replace(secret, "…")
    return said[:_LONGEST_MESSAGE].strip().rstrip(".")
