"""Describes failed requests in sentences that contain no secret."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
import msgspec

from options_helper.data.masking import hide_secrets
from options_helper.data.network_failures import describe_network_failure
from options_helper.data.redirects import describe_target
from options_helper.data.rest.bounded import DeadlineExceeded

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
_WRONG_KEY = 40110000  # Alpaca's own code, sent with 401, and with 403 by the host that does not know the key
_SERVER_ERRORS = range(500, 600)
_REDIRECTS = range(300, 400)
_LONGEST_MESSAGE = 200


def is_worth_retrying(status: int) -> bool:
    """Return whether the same request may succeed shortly afterwards."""
    return status == TOO_MANY or status in _SERVER_ERRORS


def describe_status(status: int, body: bytes, secrets: Iterable[str], location: str = "") -> str:
    """Return a refusal in words, with the server's message if it sent one.

    Args:
        status: The HTTP status.
        body: The response's body.
        secrets: Texts that must not appear in the result.
        location: The target of a redirect.
    """
    if status in _REDIRECTS:
        return f"the server redirects{describe_target(location)} ({status}); redirects are never followed."
    said, code = _read(body, secrets)
    if status == UNAUTHORIZED or (status == FORBIDDEN and code == _WRONG_KEY):
        return (
            f"Alpaca refused the key ({status}). Check APCA_API_KEY_ID and APCA_API_SECRET_KEY, "
            "and that they belong to this account, paper or live."
        )
    if status == FORBIDDEN:
        return f"Alpaca does not permit this (403): {said or 'the key or the plan does not allow it'}."
    if status == TOO_MANY:
        return "too many requests (429)."
    words = "the server failed" if status in _SERVER_ERRORS else "refused"
    return f"{words} ({status}): {said}" if said else f"{words} ({status})"


def without_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return the message and code of a refusal, and nothing else that the server sent."""
    said, code = _read(body, secrets)
    return msgspec.json.encode({"message": said, "code": code if isinstance(code, int) else None})


def describe_failure(error: httpx.HTTPError, seconds: float) -> str:
    """Return the reason for a missing or incomplete response; `seconds` is the limit for an exchange."""
    if isinstance(error, DeadlineExceeded):
        return f"the answer was not complete within {seconds:g} s"
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection within the time allowed"
    if isinstance(error, httpx.TimeoutException):
        return "no answer within the time allowed"
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {_cause_of(error)}"
    return "the connection was lost before the answer"


def _cause_of(error: httpx.ConnectError) -> str:
    """Return the system's reason in words (httpx and httpcore each wrap it once), else the error's text."""
    inner = error.__context__
    system = None if inner is None else inner.__context__
    return (describe_network_failure(system) if system is not None else "") or str(error)


def _read(body: bytes, secrets: Iterable[str]) -> tuple[str, object]:
    """Return the message and code of an error's body, or "" and None."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", None
    if not isinstance(answer, dict):
        return "", None
    said, code = answer.get("message"), answer.get("code")
    if not isinstance(said, str):
        return "", code
    # First, because unprintable characters may separate those of a key.
    said = "".join(filter(str.isprintable, said))
    said = hide_secrets(said, secrets)
    return said[:_LONGEST_MESSAGE].strip().rstrip("."), code
