"""Whatever ends a connection, in words."""

from __future__ import annotations

import json
import socket
import ssl
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from options_helper.data.streaming.connection.failures import explain, rejection_of_frame
from options_helper.errors import StreamError, StreamInterrupted, StreamRejected

KEY_REFUSED = [{"T": "error", "code": 402, "msg": "auth failed"}]


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (402, StreamRejected, "refused the key"),
        (400, StreamRejected, "did not understand"),
        (401, StreamRejected, "not authenticated"),
        (403, StreamRejected, "already authenticated"),
        (404, StreamInterrupted, "authentication took too long"),
        (408, StreamInterrupted, "not in its documentation"),
        (406, StreamInterrupted, "another program holds this stream"),
        (407, StreamInterrupted, "reads too slowly"),
        (409, StreamRejected, "plan does not include this feed"),
        (410, StreamRejected, "does not offer"),
        (411, StreamInterrupted, "not in its documentation"),
        (412, StreamRejected, "msgpack"),
        (413, StreamRejected, "subscribing to all option quotes"),
        (500, StreamInterrupted, "internal error"),
        (999, StreamInterrupted, "not in its documentation"),
    ],
)
def test_an_error_frame_has_a_kind_and_words(code: int, kind: type[StreamError], words: str) -> None:
    """Each of Alpaca's codes has a sentence and a decision whether to retry."""
    error = rejection_of_frame("options", {"T": "error", "code": code, "msg": "vendor's words"})
    assert type(error) is kind
    assert (error.stream, error.code) == ("options", code)
    assert words in error.detail


@pytest.mark.parametrize(("asked", "symbols"), [(250, "250 symbols"), (1, "1 symbol")])
def test_the_symbol_limit_says_how_many_symbols_were_requested(asked: int, symbols: str) -> None:
    """A request over the limit subscribes to nothing, and the sentence states the number of symbols."""
    error = rejection_of_frame("options", {"T": "error", "code": 405}, asked=asked)
    assert error.detail == f"requested {symbols}, but the plan allows fewer symbols; nothing is subscribed"
    assert isinstance(error, StreamRejected)


@pytest.mark.parametrize(
    "frame",
    [
        {"T": "error"},
        {"T": "error", "code": "many"},
        {"T": "error", "code": None},
        {"T": "error", "code": True},
    ],
)
def test_an_error_without_a_code_is_retried(frame: dict[str, Any]) -> None:
    """If the server does not say what is wrong, another try may succeed."""
    error = rejection_of_frame("stocks", frame)
    assert type(error) is StreamInterrupted
    assert error.code is None


@pytest.mark.parametrize(("code", "kind"), [("402", StreamRejected), ("406", StreamInterrupted)])
def test_a_code_sent_as_text_is_read(code: str, kind: type[StreamError]) -> None:
    """A final refusal with its code as text is not retried."""
    error = rejection_of_frame("stocks", {"T": "error", "code": code})
    assert (type(error), error.code) == (kind, int(code))


def test_the_vendors_text_is_never_repeated() -> None:
    """A server may echo a key, so its own text is not shown."""
    error = rejection_of_frame("stocks", {"T": "error", "code": 402, "msg": "key PKSECRET is wrong"})
    assert "PKSECRET" not in str(error)


@pytest.mark.parametrize(
    "message",
    [json.dumps(KEY_REFUSED), json.dumps(KEY_REFUSED).encode(), msgspec.msgpack.encode(KEY_REFUSED)],
)
def test_the_last_message_explains_what_the_sdk_drops(message: bytes | str) -> None:
    """The SDK raises a bare ValueError on a refusal; the last message has the code."""
    error = explain("options", ValueError("failed to authenticate"), message)
    assert isinstance(error, StreamRejected)
    assert error.code == 402


def test_an_unauthorized_trading_stream_is_a_refused_key() -> None:
    """The trading stream has no codes, but its "unauthorized" means a refused key."""
    message = json.dumps({"stream": "authorization", "data": {"status": "unauthorized", "action": "x"}})
    error = explain("fills", ValueError("failed to authenticate"), message.encode())
    assert isinstance(error, StreamRejected)
    assert (error.code, error.detail) == (402, "Alpaca refused the key")


@pytest.mark.parametrize(
    "message",
    [
        None,
        b"\xc1",
        b"\xa1\xff",
        "[" * 100_000,
        "not json",
        "[]",
        "[5]",
        "5",
        json.dumps([{"T": "success", "msg": "connected"}]),
        json.dumps({"stream": "authorization", "data": {"status": "authorized"}}),
        json.dumps({"stream": "authorization", "data": None}),
        json.dumps({"stream": "listening"}),
    ],
)
def test_any_other_last_message_changes_nothing(message: bytes | str | None) -> None:
    """Only a refusal replaces the exception's own explanation."""
    error = explain("options", ConnectionResetError(104, "reset"), message)
    assert type(error) is StreamInterrupted
    assert error.detail == "the connection was reset"


class _HttpRefusal(Exception):
    def __init__(self, status: int, *, new_style: bool) -> None:
        if new_style:
            self.response = SimpleNamespace(status_code=status)
        else:
            self.status_code = status


@pytest.mark.parametrize("new_style", [True, False])
@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_http_status_on_the_upgrade_is_named(status: int, *, new_style: bool) -> None:
    """A server that answers HTTP instead of a websocket is retried, and the reason names the status."""
    error = explain("stocks", _HttpRefusal(status, new_style=new_style), None)
    assert type(error) is StreamInterrupted
    assert (error.code, error.detail) == (status, f"the server answered HTTP {status}")


def test_too_many_requests_is_not_blamed_on_another_program() -> None:
    """A 429 can also mean too many attempts, or our own connection that the server has not released."""
    error = explain("fills", _HttpRefusal(429, new_style=False), None)
    assert error.detail == "Alpaca accepts no more connections for now: too many connections or attempts"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"error_message": "listening\x1b[2J failed\n"}, "listening [2J failed"),
        ({"error_message": "x y " * 200}, ("x y " * 50)[:200].rstrip()),
        (
            {"error_message": "PKMARKEDKEYID0001 refused"},
            "its text is not shown because it may contain a key",
        ),
        ({"error_message": " "}, "no reason was given"),
        (None, "no reason was given"),
    ],
)
def test_the_trading_streams_own_error_is_the_reason(data: object, words: str) -> None:
    """The server's last words are shown as one clean line without anything like a key."""
    error = explain("fills", EOFError(), json.dumps({"action": "error", "data": data}))
    assert type(error) is StreamInterrupted
    assert error.detail.rstrip() == f"Alpaca reported an error: {words}"


def test_a_status_that_is_not_a_number_is_ignored() -> None:
    """A foreign attribute with that name is not an HTTP status."""
    error = explain("stocks", _HttpRefusal("x", new_style=False), None)  # type: ignore[arg-type]
    assert error.code is None


def _bad_certificate(message: str) -> ssl.SSLCertVerificationError:
    """Return the error of a handshake, with these words from OpenSSL."""
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_message = message
    return error


class _Closed(Exception):
    """Looks like websockets' ConnectionClosed."""

    def __init__(self, code: int | None, cause: BaseException | None = None) -> None:
        self.rcvd = None if code is None else SimpleNamespace(code=code)
        self.__cause__ = cause


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the server's name could not be resolved"),
        (ssl.SSLError(1, "certificate"), "the secure connection could not be set up"),
        (
            _bad_certificate("certificate has expired"),
            "the server's certificate is not valid (certificate has expired)",
        ),
        (ConnectionRefusedError(111, "refused"), "the server refused the connection"),
        (ConnectionResetError(104, "reset"), "the connection was reset"),
        (BrokenPipeError(32, "pipe"), "the connection was reset"),
        (EOFError(), "the connection was lost"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError("anything"), "the network failed"),
        (ValueError("anything"), "the server's answer was not understood"),
        (_Closed(1001), "the server closed the connection (close code 1001)"),
        (_Closed(None), "the connection was lost"),
        (_Closed(None, ConnectionResetError(104, "reset")), "the connection was reset"),
        (_Closed(None, ValueError()), "the connection was lost"),
    ],
)
def test_each_kind_of_exception_has_its_words(error: BaseException, words: str) -> None:
    """An error of the network or the library becomes one sentence, and is retried."""
    explained = explain("options", error, None)
    assert type(explained) is StreamInterrupted
    assert explained.detail == words


def test_foreign_text_never_enters_the_explanation() -> None:
    """An exception's text may contain a header or a key, so none of it is repeated."""
    error = explain("options", ValueError("APCA-API-SECRET-KEY: s3cret"), None)
    assert "s3cret" not in str(error)


@given(st.binary(max_size=400) | st.text(max_size=60))
def test_no_last_message_breaks_the_explanation(message: bytes | str) -> None:
    """Whatever the server sent last, the outcome is a typed error."""
    assert isinstance(explain("stocks", EOFError(), message), StreamError)
