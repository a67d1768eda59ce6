"""The address and the credentials of NATS, and the documented server configuration under attack."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from options_helper.errors import MissingDependency, SettingsError
from options_helper.relay import nats_options
from options_helper.relay.nats_options import NatsOptions, NatsUnavailable, connect_to_nats
from tests.nats_server import NatsServer, running_nats_server

pytest.importorskip("nats", reason="the relay needs nats-py (pip install -e '.[relay]')")

ROOT = Path(__file__).parents[2]
NOWHERE = Path("/nonexistent")
SECRET = "correct horse battery"  # noqa: S105 - a test's


def load(url: str, **env: str) -> NatsOptions:
    """Return the options of a URL and an environment, without any file."""
    return nats_options.load_nats_options(url, env, env_file=NOWHERE)


@pytest.mark.parametrize(
    ("url", "env", "expected"),
    [
        ("nats://host", {}, ("nats://host:4222", "", "", "", "")),
        ("nats://u:p%40ss@host:5000", {}, ("nats://host:5000", "u", "p@ss", "", "the user and the password")),
        ("nats://t0ken@host", {}, ("nats://host:4222", "", "", "t0ken", "the token")),
        ("nats://[::1]:1", {"OH_NATS_TOKEN": "t"}, ("nats://[::1]:1", "", "", "t", "the token")),
        (
            "tls://a,tls://b:2",
            {"OH_NATS_USER": "u", "OH_NATS_PASSWORD": "p"},
            ("tls://a:4222, tls://b:2", "u", "p", "", "the user and the password"),
        ),
        (  # the URL's user wins
            "nats://u:p@host",
            {"OH_NATS_TOKEN": "t"},
            ("nats://host:4222", "u", "p", "", "the user and the password"),
        ),
    ],
)
def test_where_credentials_come_from(url: str, env: dict[str, str], expected: tuple[str, ...]) -> None:
    """The URL's user, password or token wins over the environment's, and none of them is shown."""
    options = load(url, **env)
    found = (options.shown, options.user, options.password, options.token, options.signs_in_with)
    assert found == expected
    assert (options.tls is not None) == url.startswith("tls")
    assert not any(secret in repr(options) for secret in (options.password, options.token) if len(secret) > 1)


@pytest.mark.parametrize(
    ("url", "env", "words"),
    [
        ("http://host", {}, "must be a URL such as nats://host:4222"),
        (f"{SECRET}@host", {}, "must be a URL"),
        ("nats://host:99999", {}, "must be a URL"),
        ("nats://host/path", {}, "must be a URL"),
        ("nats://host", {"OH_NATS_USER": "u"}, "Set both OH_NATS_USER and OH_NATS_PASSWORD"),
        ("nats://host", {"OH_NATS_TOKEN": "t", "OH_NATS_CREDS": "f"}, "Set only one of OH_NATS_USER"),
        ("nats://host", {"OH_NATS_CREDS": "/nonexistent"}, "OH_NATS_CREDS: .*no such file"),
        ("nats://host", {"OH_NATS_CREDS": os.devnull}, "a device, not a regular file"),
        ("nats://host", {"OH_NATS_CA": "/nonexistent"}, "OH_NATS_CA cannot be used: No such file"),
        ("tls://host", {"OH_NATS_CERT": __file__}, "OH_NATS_CERT cannot be used"),
    ],
)
def test_wrong_settings_are_named(url: str, env: dict[str, str], words: str) -> None:
    """The sentence names the variable, and repeats no secret."""
    pytest.importorskip("nkeys", reason="credentials files need nkeys")
    with pytest.raises(SettingsError, match=words) as caught:
        load(url, **env)
    assert SECRET not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nats-py the error names the extra."""
    monkeypatch.setattr(nats_options, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependency, match=r"nats-py is not installed.*options-helper\[relay\]"):
        load("nats://host")


@pytest.mark.parametrize(
    ("user", "inbox"), [("reader-2", "_INBOX.oh.reader-2"), ("a.>", "_INBOX"), ("", "_INBOX")]
)
def test_each_user_has_an_inbox(user: str, inbox: str) -> None:
    """A name that is not one part of a subject has no inbox, so it cannot reach another's."""
    assert NatsOptions(("nats://host:4222",), user=user).inbox == inbox


def test_only_other_machines_count_as_unencrypted() -> None:
    """Loopback and TLS need no warning."""
    assert load("nats://127.0.0.1,nats://far").unencrypted_hosts == ("far",)
    assert load("tls://far").unencrypted_hosts == ()


def attempt(options: NatsOptions) -> str:
    """Return "in" if the server let a client in, else the error in words."""

    async def run() -> str:
        try:
            client = await connect_to_nats(options, "test", retries=False)
        except NatsUnavailable as error:
            return str(error).removeprefix(f"NATS at {options.shown}: ")
        await client.flush()
        await client.close()
        return "in"

    return asyncio.run(run())


@pytest.mark.integration
@pytest.mark.parametrize(
    ("extra", "right", "wrong", "words"),
    [
        (
            'authorization { user: "u", password: "s3cret-word" }',
            {"OH_NATS_USER": "u", "OH_NATS_PASSWORD": "s3cret-word"},
            {"OH_NATS_USER": "u", "OH_NATS_PASSWORD": "wr0ng-word"},
            "the user and the password",
        ),
        (
            'authorization { token: "s3cret-word" }',
            {"OH_NATS_TOKEN": "s3cret-word"},
            {"OH_NATS_TOKEN": "wr0ng-word"},
            "the token",
        ),
    ],
)
def test_signing_in(
    tmp_path: Path, extra: str, right: dict[str, str], wrong: dict[str, str], words: str
) -> None:
    """Correct credentials are accepted; wrong ones are refused in words that do not repeat them."""
    with running_nats_server(tmp_path / "nats", extra) as server:
        assert attempt(load(server.url, **right)) == "in"
        # Either the refusal arrives, or only the end of the connection.
        assert attempt(load(server.url, **wrong)).endswith(f"not accept {words}.")
        assert attempt(load(server.url)).endswith("not accept a client without credentials.")
    assert attempt(load(server.url, **right)) == "nothing listens there."


@pytest.mark.integration
def test_connecting_waits_for_a_server_that_starts_later(tmp_path: Path) -> None:
    """With retries, a client reports that nothing listens, and connects once the server runs."""
    server = NatsServer(tmp_path)
    said: list[str] = []

    async def run() -> bool:
        reported = asyncio.Event()

        def report(words: str) -> None:
            said.append(words)
            reported.set()

        waiting = asyncio.ensure_future(connect_to_nats(load(server.url), "test", on_error=report))
        await reported.wait()
        await asyncio.to_thread(server.start)
        client = await waiting
        await client.close()
        return client.is_closed

    try:
        assert asyncio.run(run())
    finally:
        server.kill()
    assert set(said) == {"nothing listens there"}


def signed(issuer: Any, subject: str, name: str, claims: dict[str, object]) -> str:
    """Return a NATS JWT."""
    body = {"iss": issuer.public_key.decode(), "sub": subject, "name": name, "iat": 1, "nats": claims}
    header = {"typ": "JWT", "alg": "ed25519-nkey"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body)]
    signature = base64.urlsafe_b64encode(issuer.sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def make_credentials(folder: Path) -> str:
    """Write reader.creds, and return the configuration of a server that trusts its operator."""
    nkeys = pytest.importorskip("nkeys", reason="credentials files need nkeys")
    kinds = (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    seeds = [nkeys.encode_seed(os.urandom(32), kind) for kind in kinds]
    operator, account, user = (nkeys.from_seed(bytearray(seed)) for seed in seeds)
    unlimited = dict.fromkeys(("subs", "data", "payload", "conn", "leaf", "imports", "exports"), -1)
    limits = {"limits": {**unlimited, "wildcards": True}, "type": "account", "version": 2}
    rights = {"subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2}
    names = {"operator": operator, "account": account, "user": user}
    ids = {name: pair.public_key.decode() for name, pair in names.items()}
    tokens = (
        signed(operator, ids["operator"], "o", {"type": "operator", "version": 2}),
        signed(operator, ids["account"], "a", limits),
        signed(account, ids["user"], "u", rights),
    )
    (folder / "reader.creds").write_text(
        f"-----BEGIN NATS USER JWT-----\n{tokens[2]}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seeds[2].decode()}\n------END USER NKEY SEED------\n"
    )
    preloaded = f"resolver_preload: {{ {ids['account']}: {tokens[1]} }}"
    return f"operator: {tokens[0]}\nresolver: MEMORY\nsystem_account: {ids['account']}\n{preloaded}"


@pytest.mark.integration
def test_a_credentials_file(tmp_path: Path) -> None:
    """A credentials file lets its user in, and one from another operator is refused."""
    with running_nats_server(tmp_path / "nats", make_credentials(tmp_path)) as server:
        env = {"OH_NATS_CREDS": str(tmp_path / "reader.creds")}
        assert attempt(load(server.url, **env)) == "in"
        make_credentials(tmp_path)
        assert attempt(load(server.url, **env)).endswith("not accept the credentials file.")


@pytest.mark.integration
def test_tls(tmp_path: Path) -> None:
    """With the server's authority, the connection is encrypted; without it, the server is not trusted."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl on this machine")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nats"
    files = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        tmp_path / "k.pem",
        "-out",
        tmp_path / "c.pem",
    ]
    subprocess.run([program, *words.split(), *files], check=True, capture_output=True)  # noqa: S603 - a tool
    extra = f'tls {{ cert_file: "{tmp_path}/c.pem", key_file: "{tmp_path}/k.pem" }}'
    with running_nats_server(tmp_path / "nats", extra) as server:
        url = server.url.replace("nats://", "tls://")
        assert attempt(load(url, OH_NATS_CA=str(tmp_path / "c.pem"))) == "in"
        assert "certificate cannot be verified" in attempt(load(url))


@pytest.mark.integration
@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"INFO []\r\n",
        b"INFO nothing\r\n",
        b"INFO " + bytes(100_000),
        b"",
    ],
)
def test_another_server_is_recognized(greeting: bytes) -> None:
    """If anything else listens at the port, the reason says so, whatever it sends."""

    async def run() -> str:
        async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            options = load(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(NatsUnavailable) as caught:
                await connect_to_nats(options, "test", retries=False)
        return str(caught.value)

    assert "something other than nats-server listens there" in asyncio.run(run())


@pytest.mark.parametrize("host", ["a..b", "a" * 70])
def test_an_impossible_host_is_named(host: str) -> None:
    """A name that no host can have is no host."""
    assert attempt(load(f"nats://{host}")) == "there is no such host."


@pytest.mark.integration
def test_nothing_is_sent_to_a_server_without_tls() -> None:
    """With TLS required, a server that does not offer it receives no password."""
    received = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b'INFO {"server_id":"x","version":"2.9.10","auth_required":true}\r\n')
            connection.settimeout(10)
            received.append(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        said = attempt(load(f"tls://u:{SECRET.replace(' ', '')}@127.0.0.1:{listener.getsockname()[1]}"))
        thread.join(10)
    assert said == "the server does not offer TLS, so nothing was sent to it."
    assert received == [b""]


async def settle(client: Any) -> None:
    """Wait until the server has handled everything that a client has sent."""
    for _ in range(2):  # nats-py's ping may overtake what is sent just before it
        await client.flush()


FORBIDDEN = [
    "oh.market.stocks",
    "oh.market.options",
    "oh.state",
    "oh.orders.updates",
    "oh.stored.updates",
    "_INBOX.oh.relay.forged",
    "$KV.oh_relay.leader",
    "$JS.API.STREAM.DELETE.oh_orders",
    "$JS.API.STREAM.PURGE.oh_orders",
    "$JS.API.STREAM.UPDATE.oh_orders",
    "$JS.API.CONSUMER.CREATE.oh_orders",
    "$JS.API.DIRECT.GET.KV_oh_relay",
    "$JS.API.STREAM.CREATE.more",
]


def with_documented_server(tmp_path: Path, scene: Callable[[Any, Any, list[str]], Any]) -> None:
    """Run the documented configuration with a client of the relay's and one of a reader's."""
    passwords = {"RELAY_PASSWORD": "r3lay-word", "READER_PASSWORD": "r3ader-word"}
    configuration = ROOT / "deploy" / "nats-server.conf"

    async def run(server: NatsServer) -> None:
        said: list[str] = []
        users = [
            NatsOptions((server.url,), user=name.split("_")[0].lower(), password=word)
            for name, word in passwords.items()
        ]
        relay = await connect_to_nats(users[0], "relay")
        reader = await connect_to_nats(users[1], "reader", on_error=said.append)
        await scene(relay, reader, said)
        await reader.close()
        await relay.close()

    folder = tmp_path / "nats"
    with running_nats_server(folder, configuration=configuration, environment=passwords) as server:
        asyncio.run(run(server))


@pytest.mark.integration
def test_a_reader_can_ask_and_nothing_else(tmp_path: Path) -> None:
    """With the documented permissions, a reader's batch, order, deletion and forged answer are blocked."""
    from nats.js.api import RePublish

    async def scene(relay: Any, reader: Any, said: list[str]) -> None:
        jetstream = relay.jetstream()
        again = RePublish("oh.orders.>", "oh.stored.>")
        await jetstream.add_stream(
            name="oh_orders", subjects=["oh.orders.>"], allow_direct=True, republish=again
        )
        await jetstream.create_key_value(bucket="oh_relay", history=1)
        received = [await relay.subscribe(subject) for subject in ("oh.>", "_INBOX.oh.relay.forged")]
        asked = await relay.subscribe("oh.ask.symbols")
        await settle(relay)
        for subject in FORBIDDEN:
            await reader.publish(subject, b"forged")
        await settle(reader)
        assert [words.lower() for words in said] == [
            f"permissions violation: this user may not publish to {subject.lower()}" for subject in FORBIDDEN
        ]
        stored = await reader.subscribe("oh.stored.>")
        await settle(reader)
        await jetstream.publish("oh.orders.updates", b"true")
        assert (await stored.next_msg(10)).data == b"true"
        answer = await reader.request("$JS.API.DIRECT.GET.oh_orders", b'{"seq":1}', timeout=10)
        assert answer.data == b"true"

        question = asyncio.ensure_future(reader.request("oh.ask.symbols", b"SPY", timeout=10))
        await (await asked.next_msg(10)).respond(b"granted")
        assert (await question).data == b"granted"
        await settle(relay)
        assert received[0].pending_msgs == 3  # the relay's update, its repetition, and the question
        assert received[1].pending_msgs == 0

    with_documented_server(tmp_path, scene)


@pytest.mark.integration
@pytest.mark.parametrize(
    "subject",
    ["oh.ask.>", "oh.orders.>", ">", "$JS.>", "$SYS.>", "_INBOX.>", "_INBOX.oh.>", "_INBOX.oh.bot.>"],
)
def test_a_reader_cannot_listen_in(tmp_path: Path, subject: str) -> None:
    """A reader can subscribe neither to others' requests and answers nor to all subjects."""

    async def scene(_relay: Any, reader: Any, said: list[str]) -> None:
        await reader.subscribe(subject)
        await settle(reader)
        assert said[0].lower() == f"permissions violation: this user may not subscribe to {subject.lower()}"

    with_documented_server(tmp_path, scene)
