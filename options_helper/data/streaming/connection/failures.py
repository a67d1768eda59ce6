"""Converts whatever ended a connection into a typed error with a readable text."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping

import msgspec

from options_helper.data.network_failures import describe_network_failure
from options_helper.data.streaming.connection.protocol import UpgradeRefused
from options_helper.data.streaming.reconnect.policy import FINAL_CODES, TOO_MANY_ATTEMPTS
from options_helper.errors import StreamError, StreamInterrupted, StreamRejected

# A server may echo what it was sent; keys are runs of letters and digits.
_LIKE_A_KEY = re.compile(r"[A-Za-z0-9+/]{16,}")

UNAUTHORIZED = 402
SYMBOL_LIMIT = 405
INVALID_SYNTAX = 400
_CODE_DIGITS = 9  # no code is longer, and an endless number would take long to read

# Alpaca's websocket documentation, "Errors"; 402 also stands for the trading stream's "unauthorized".
_WORDS = {
    400: "Alpaca did not understand the request",
    401: "Alpaca reports that the stream is not authenticated",
    402: "Alpaca refused the key",
    403: "Alpaca reports that the stream is already authenticated",
    404: "the authentication took too long",
    405: "the plan allows fewer symbols",
    406: "another program holds this stream",
    407: "Alpaca cut the stream off because this machine reads too slowly",
    409: "the plan does not include this feed",
    410: "this feed does not offer what was requested",
    412: "option messages are sent in msgpack only",
    413: "subscribing to all option quotes (*) is not allowed",
    429: "Alpaca accepts no more connections for now: too many connections or attempts",
    500: "Alpaca had an internal error",
}


def rejection_of_frame(stream: str, frame: Mapping[str, object], *, asked: int = 0) -> StreamError:
    """Return the typed error for an error frame of a data stream.

    Args:
        stream: "stocks", "options" or "fills".
        frame: The raw message, `{"T": "error", "code": …, "msg": …}`.
        asked: The number of requested symbols.
    """
    code = _code(frame.get("code"))
    if code is None:
        return StreamInterrupted(stream, "Alpaca sent an error without a code")
    words = _WORDS.get(code, "Alpaca sent an error that is not in its documentation")
    if code == SYMBOL_LIMIT:
        symbols = f"{asked} symbol{'' if asked == 1 else 's'}"
        words = f"requested {symbols}, but {words}; nothing is subscribed"
    kind = StreamRejected if code in FINAL_CODES else StreamInterrupted
    return kind(stream, words, code=code)


def _code(value: object) -> int | None:
    """Return an error's code; one sent as text counts too, because a final one must not be retried."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:_CODE_DIGITS])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def trading_error(stream: str, message: Mapping[str, object]) -> StreamInterrupted:
    """Return the typed error for the trading stream's last frame: `{"action": "error", "data": …}`."""
    return StreamInterrupted(stream, f"Alpaca reported an error: {_error_text(message.get('data'))}")


def _error_text(data: object) -> str:
    """Return `error_message` as one printable line of at most 200 characters."""
    text = data.get("error_message") if isinstance(data, dict) else None
    if not isinstance(text, str) or not text.strip():
        return "no reason was given"
    if _LIKE_A_KEY.search(text):
        return "its text is not shown because it may contain a key"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]


def explain(stream: str, error: BaseException, last_message: bytes | str | None) -> StreamError:
    """Return the typed error for an exception of the socket, of websockets or of the SDK.

    Args:
        stream: "stocks", "options" or "fills".
        error: The exception.
        last_message: The last message of the handshake; it has the refusal's code, which the SDK discards.
    """
    refusal = _refusal(stream, last_message)
    if refusal is not None:
        return refusal
    status = _http_status(error)
    if status is not None:
        words = _WORDS[status] if status == TOO_MANY_ATTEMPTS else f"the server answered HTTP {status}"
        return StreamInterrupted(stream, words, code=status)
    return StreamInterrupted(stream, _words_of(error))


def _refusal(stream: str, message: bytes | str | None) -> StreamError | None:
    """Return a refusal of the handshake: an error frame, or the trading stream's "unauthorized"."""
    decoded = _decode(message)
    if (
        isinstance(decoded, list)
        and decoded
        and isinstance(decoded[0], dict)
        and decoded[0].get("T") == "error"
    ):
        return rejection_of_frame(stream, decoded[0])
    if isinstance(decoded, dict) and decoded.get("action") == "error":
        return trading_error(stream, decoded)
    if isinstance(decoded, dict) and decoded.get("stream") == "authorization":
        data = decoded.get("data")
        if isinstance(data, dict) and data.get("status") == "unauthorized":
            return StreamRejected(stream, _WORDS[UNAUTHORIZED], code=UNAUTHORIZED)
    return None


def _decode(message: bytes | str | None) -> object:
    """Return a decoded JSON or msgpack message, or None; Alpaca's servers send nothing else."""
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        return json.loads(message) if message is not None else None
    with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
        return msgspec.msgpack.decode(message) if isinstance(message, bytes) else None
    return None


def _http_status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    return status if isinstance(status, int) else None


def _words_of(error: BaseException) -> str:
    refused = error if isinstance(error, UpgradeRefused) else error.__cause__
    if isinstance(refused, UpgradeRefused):
        return refused.words
    if hasattr(error, "rcvd"):  # websockets.ConnectionClosed
        cause = error.__cause__
        lost = _words_of(cause) if isinstance(cause, OSError) else "the connection was lost"
        received = error.rcvd
        return lost if received is None else f"the server closed the connection (close code {received.code})"
    return describe_network_failure(error) or "the server's answer was not understood"
