"""Tests for the replacement of account numbers and order ids."""

from __future__ import annotations

import json

import pytest

from options_helper.recording.identifiers import REPLACED, Identifiers

ORDER = "61e69015-8549-4bfd-b9c3-01e75843f47d"


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ({"id": ORDER, "symbol": "AAPL", "qty": "3"}, {"symbol": "AAPL", "qty": "3"}),
        ({"order": {"client_order_id": "mine-7", "legs": [{"id": ORDER}]}}, {}),
        ({"account_number": "PA3ABCDEFGHI", "cash": "12.50"}, {"cash": "12.50"}),
        ({"account_number": 123456789, "equity": 1.25}, {"equity": 1.25}),
        ({"anything": f"see {ORDER.upper()}"}, {}),
        ({ORDER: 1}, {}),
        ({"description": "transfer from 123456789", "net_amount": "5"}, {"net_amount": "5"}),
        ({"code": 7, "message": "account PA3ABCDEFGHI or 123456789 may not trade"}, {"code": 7}),
        ({"reason": "no such account: PA3ABCDEFGHI", "qty": "100000000"}, {"qty": "100000000"}),
        ({"id": None, "order_id": "", "flag": True}, {"id": None, "order_id": "", "flag": True}),
    ],
)
def test_identifiers_are_replaced_and_the_rest_stays(message: dict, kept: dict) -> None:
    """No identifier is left, and every other field keeps its value."""
    clean = Identifiers().in_json(json.dumps(message).encode())
    for secret in (ORDER, ORDER.upper(), "mine-7", "PA3ABCDEFGHI", "123456789"):
        assert secret.encode() not in clean
    assert kept.items() <= json.loads(clean).items()


def test_the_same_identifier_has_the_same_replacement() -> None:
    """An order can be followed through stream, REST and activities, but not traced back to its id."""
    identifiers, others = Identifiers(), Identifiers()
    replaced = json.loads(identifiers.in_json(json.dumps({"id": ORDER}).encode()))["id"]
    activity = json.loads(
        identifiers.in_json(json.dumps({"id": f"20261120101010123::{ORDER}", "order_id": ORDER}).encode())
    )
    assert REPLACED.fullmatch(replaced)
    assert activity == {"id": f"20261120101010123::{replaced}", "order_id": replaced}
    assert identifiers.in_query({"page_token": activity["id"]}) == {"page_token": activity["id"]}
    assert identifiers.in_text(f"/v2/orders/{ORDER}") == f"/v2/orders/{replaced}"
    assert others.replace(ORDER) != replaced


@pytest.mark.parametrize(
    "body", [b"PA3ABCDEFGHI", b'{"account_number": "PA3ABCDEFGHI', b"\xff", b"[NaN]", b""]
)
def test_unparsable_messages_are_left_out(body: bytes) -> None:
    """Only the length of a message that is not JSON is kept."""
    clean = Identifiers().in_json(body)
    assert b"PA3" not in clean
    assert str(len(body)).encode() in clean
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(clean)
