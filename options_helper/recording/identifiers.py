"""The replacement of account numbers and order ids, before anything is stored.

A message about the account is parsed and written again, so that no field is missed because of its spelling; a
message that cannot be parsed is left out. Within a process, the same identifier has the same replacement, and
nobody can compute one from the other.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping

import msgspec

from options_helper.recording.records import Answer, Connecting, Received, Record, Sent, Watching

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
REPLACED = re.compile(r"00000000-0000-4000-8000-[0-9a-f]{12}")
IDENTIFIERS = frozenset(
    {
        "account",
        "account_id",
        "account_number",
        "client_order_id",
        "execution_id",
        "id",
        "order_id",
        "page_token",
        "parent_order_id",
        "replaced_by",
        "replaces",
    }
)
LIKE_AN_ACCOUNT = re.compile(r"\bPA[A-Z0-9]{10}\b")  # a paper account's number
_LIVE_ACCOUNT = re.compile(r"\b\d{9}\b")
FREE_TEXT = frozenset({"description", "notes"})  # where an account's number may be written out
_ACTIVITY = re.compile(r"(\d{8,20}::)(.+)")  # the time of an activity comes before its id
TRADING, FILLS = "trading", "fills"  # the host and the stream whose messages have identifiers
_ORDER_PATH = "/v2/orders/"
ACCOUNTS = frozenset({"account", "account_id", "account_number"})
_SHORTEST_ACCOUNT = 6  # shorter texts may be part of anything
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class Identifiers:
    """Replaces identifiers; each object has its own key.

    Attributes:
        accounts: The account numbers seen so far, which no record may contain.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self.accounts: set[bytes] = set()

    def replace(self, identifier: str) -> str:
        """Return the replacement of an identifier; a replacement is its own."""
        if REPLACED.fullmatch(identifier):
            return identifier
        digest = hashlib.blake2s(identifier.encode(errors="replace"), key=self._key, digest_size=6)
        return f"00000000-0000-4000-8000-{digest.hexdigest()}"

    def in_text(self, text: str) -> str:
        """Return the text with its UUIDs and numbers of paper accounts replaced."""
        text = LIKE_AN_ACCOUNT.sub(lambda found: self.replace(found[0]), text)
        return UUID.sub(lambda found: self.replace(found[0].lower()), text)

    def in_json(self, body: bytes) -> bytes:
        """Return a JSON document without identifiers or free text; anything else is left out."""
        try:
            return msgspec.json.encode(self._in_value(msgspec.json.decode(body)))
        except _UNREADABLE:
            return b"(%d bytes that are not JSON were left out)" % len(body)

    def in_query(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters of a request with identifiers replaced."""
        return {name: self._in_identifier(name, self.in_text(value)) for name, value in query.items()}

    def _in_value(self, value: object) -> object:
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, list):
            return [self._in_value(each) for each in value]
        if isinstance(value, dict):
            return {self.in_text(str(key)): self._in_field(key, each) for key, each in value.items()}
        return value

    def _in_field(self, key: object, value: object) -> object:
        if key in FREE_TEXT and value:
            return "(left out)"
        if key == "message" and isinstance(value, str):  # elsewhere, such digits may be an amount
            value = _LIVE_ACCOUNT.sub(lambda found: self.replace(found[0]), value)
        if key in ACCOUNTS and isinstance(value, str | int) and len(str(value)) >= _SHORTEST_ACCOUNT:
            self.accounts.add(str(value).encode())
        if key in IDENTIFIERS and isinstance(value, str | int | float) and not isinstance(value, bool):
            return self._in_identifier(str(key), self.in_text(str(value)))
        return self._in_value(value)

    def _in_identifier(self, key: str, value: str) -> str:
        if key not in IDENTIFIERS or not value:
            return value
        activity = _ACTIVITY.fullmatch(value)
        return activity[1] + self.replace(activity[2]) if activity else self.replace(value)


class RecordCleaner:
    """Replaces the identifiers in one record after another, each always by the same text."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._connections: dict[int, str] = {}

    @property
    def accounts(self) -> Iterable[bytes]:
        """The account numbers seen so far."""
        return self._identifiers.accounts

    def clean(self, record: Record) -> Record:
        """Return a record without identifiers; market data has none and is not changed."""
        replace, identifiers = msgspec.structs.replace, self._identifiers
        match record:
            case Connecting():
                self._connections[record.connection] = record.stream
            case Received() if self._connections.get(record.connection) == FILLS:
                return replace(record, messages=[identifiers.in_json(each) for each in record.messages])
            case Sent() if self._connections.get(record.connection) == FILLS:
                return replace(record, message=identifiers.in_json(record.message))
            case Watching():
                # As text: the ids of rules, which `in_json` would replace, are the user's own.
                return replace(record, alerts=identifiers.in_text(record.alerts.decode()).encode())
            case Answer() if record.host == TRADING:
                return replace(
                    record,
                    path=self._clean_path(record.path),
                    query=identifiers.in_query(record.query),
                    body=identifiers.in_json(record.body) if record.body else b"",
                )
        return record

    def _clean_path(self, path: str) -> str:
        order_id = path.removeprefix(_ORDER_PATH)
        if order_id == path:
            return self._identifiers.in_text(path)
        return _ORDER_PATH + self._identifiers.replace(self._identifiers.in_text(order_id))
