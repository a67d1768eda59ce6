"""The words of a relay and its readers if a user of NATS lacks a right."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import Mock

import pytest

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

import nats.errors

from options_helper.data.settings import load_settings
from options_helper.errors import OptionsHelperError
from options_helper.market import StreamName
from options_helper.relay.command import serve
from options_helper.relay.nats_options import NatsOptions, describe_nats_error, load_nats_options
from tests.nats_server import NatsServer, running_nats_server
from tests.relay.test_connection import reading, until

pytestmark = pytest.mark.integration

DOCUMENTED = Path(__file__).parents[2] / "deploy" / "nats-server.conf"
PASSWORDS = {"RELAY_PASSWORD": "r3lay-word", "READER_PASSWORD": "r3ader-word"}
KEYS = {"APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret"}
ACCOUNTS = """
accounts {
  with { jetstream: enabled, users: [ { user: "one", password: "w0rd" } ] }
  without { users: [ { user: "two", password: "w0rd" } ] }
}
"""
HALF = """
authorization { users: [ { user: "reader", password: "w0rd", permissions: {
  publish: [%s, "$JS.API.>"], subscribe: [%s, "oh.market.>", "oh.stored.>", "_INBOX.oh.reader.>"]
} } ] }
"""


def refusal(server: NatsServer, user: str, password: str) -> str:
    """Return why a relay does not start."""
    options = load_nats_options(server.url, {"OH_NATS_USER": user, "OH_NATS_PASSWORD": password})
    with pytest.raises(OptionsHelperError) as caught:
        asyncio.run(serve(load_settings(KEYS), options, print))
    return str(caught.value)


def test_a_relay_needs_the_rights_of_one(tmp_path: Path) -> None:
    """A relay that is signed in as a reader names what it may not do, and does not blame JetStream."""
    with running_nats_server(tmp_path / "nats", configuration=DOCUMENTED, environment=PASSWORDS) as server:
        words = refusal(server, "reader", PASSWORDS["READER_PASSWORD"])
    assert "does not allow this user to be a relay" in words
    assert "may not publish to $js.api.info" in words.lower()
    assert "deploy/nats-server.conf" in words
    assert "no JetStream" not in words


def test_a_relay_needs_an_account_with_jetstream(tmp_path: Path) -> None:
    """If only the user's NATS account lacks JetStream, the sentence blames the account, not the server."""
    with running_nats_server(tmp_path / "nats", ACCOUNTS) as server:
        words = refusal(server, "two", "w0rd")
    assert words.endswith("has no JetStream for this user's account. Enable it in that account.")


@pytest.mark.parametrize(
    ("publish", "subscribe", "denied"),
    [
        ('"oh.ask.>"', '"oh.other"', "this user may not subscribe to oh.state"),
        ('"oh.other"', '"oh.state"', "this user may not publish to oh.ask."),
    ],
)
def test_a_reader_names_the_right_that_it_lacks(
    tmp_path: Path, publish: str, subscribe: str, denied: str
) -> None:
    """Neither the relay nor the server is blamed if a user's permissions are too few."""

    async def scene(server: NatsServer) -> None:
        async with reading(server, "w0rd") as link:
            await until(
                lambda: f"denies this reader what it needs: {denied}" in link.explain(StreamName.STOCKS),
                "the words",
            )

    with running_nats_server(tmp_path / "nats", HALF % (publish, subscribe)) as server:
        asyncio.run(scene(server))


def test_an_overload_has_words() -> None:
    """The log names the subject, and no object of nats-py."""
    error = nats.errors.SlowConsumerError("oh.ask.symbols", "_INBOX.x", 1, Mock())
    words = describe_nats_error(error, NatsOptions(("nats://host:4222",)))
    assert words == "more arrives at oh.ask.symbols than this process can handle; the rest is dropped"
