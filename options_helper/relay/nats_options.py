"""The connection to NATS: its address, its credentials and its TLS, from a URL and the environment."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from options_helper.data.masking import hide_secrets
from options_helper.data.settings import ENV_FILE, is_loopback, read_environment
from options_helper.errors import MissingDependency, OptionsHelperError, SettingsError, UnreadableFile
from options_helper.files.reading import read_file
from options_helper.printable import printable

if TYPE_CHECKING:
    from nats.aio.client import Client

USER_NAME, PASSWORD_NAME, TOKEN_NAME = "OH_NATS_USER", "OH_NATS_PASSWORD", "OH_NATS_TOKEN"
CREDENTIALS_NAME = "OH_NATS_CREDS"
CA_NAME, CERTIFICATE_NAME, KEY_NAME = "OH_NATS_CA", "OH_NATS_CERT", "OH_NATS_KEY"

REFUSED = "NATS did not accept"  # begins the words of a refused connection
DENIED = "permissions violation: "  # begins those of a subject that this user may not use

Callback: TypeAlias = Callable[[], Awaitable[None]]

_DENIED = re.compile(r'permissions violation for (\w+) to "([^"]*)"')
_DEFAULT_PORT = 4222
_NAME = re.compile(r"[A-Za-z0-9_-]+")  # may be part of a subject
_CREDENTIALS_MAX_BYTES = 100_000
# nats-py reads a file without these lines forever.
_CREDENTIALS_HAVE = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")

_OTHER_SERVER = "something other than nats-server listens there"
_SENT_NONSENSE = (AttributeError, TypeError, ValueError)  # nats-py raises these for what is not NATS

# A cut connection is noticed after about two pings.
_PING_SECONDS = 3
_CONNECT_SECONDS = 3
_RECONNECT_SECONDS = 0.25


class NatsUnavailable(OptionsHelperError):
    """A connection to NATS that failed; the text has no secrets."""


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """How to connect; secrets never appear in its repr.

    Attributes:
        urls: The servers, without users or passwords.
        tls: The TLS context if the connection must be encrypted; without one, the server decides.
    """

    urls: tuple[str, ...]
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    credentials: Path | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @property
    def shown(self) -> str:
        """The servers as they may be shown."""
        return ", ".join(self.urls)

    @property
    def signs_in_with(self) -> str:
        """The kind of credentials in words, "" if there are none."""
        if self.credentials is not None:
            return "the credentials file"
        if self.token:
            return "the token"
        return "the user and the password" if self.user else ""

    @property
    def inbox(self) -> str:
        """The prefix of this client's inboxes: one for each user, so that a server can keep others out."""
        return f"_INBOX.oh.{self.user}" if _NAME.fullmatch(self.user) else "_INBOX"

    @property
    def unencrypted_hosts(self) -> tuple[str, ...]:
        """The hosts other than this machine to which the connection need not be encrypted."""
        hosts = (urlsplit(url).hostname or "" for url in self.urls)
        return () if self.tls else tuple(host for host in hosts if not is_loopback(host))

    def hide(self, text: str) -> str:
        """Return text without the credentials, safe to print."""
        secrets = (secret for secret in (self.password, self.token) if secret)
        return printable(hide_secrets(text, secrets))


def load_nats_options(
    url: str, env: Mapping[str, str] | None = None, *, env_file: Path = ENV_FILE
) -> NatsOptions:
    """Return the options of a URL, or of several with commas between them, and of the environment.

    A user, password or token in the URL wins over the environment's.

    Raises:
        SettingsError: The URL or a variable is not valid, or a file cannot be used.
        MissingDependency: nats-py, or nkeys for a credentials file, is not installed.
    """
    if find_spec("nats") is None:
        raise MissingDependency("nats-py", "relay")
    values = read_environment(env, env_file=env_file)
    servers = [_server(one.strip()) for one in url.split(",")]
    first = servers[0]
    shown = tuple(f"{one.scheme}://{_host(one)}:{one.port or _DEFAULT_PORT}" for one in servers)
    tls = _tls(values, wanted=any(one.scheme == "tls" for one in servers))
    if first.username is not None and first.password is not None:
        return NatsOptions(shown, user=unquote(first.username), password=unquote(first.password), tls=tls)
    if first.username:
        return NatsOptions(shown, token=unquote(first.username), tls=tls)
    user, password, token, credentials = _credentials(values)
    return NatsOptions(shown, user, password, token, credentials, tls)


def _server(url: str) -> SplitResult:
    example = "must be a URL such as nats://host:4222, or tls://host:4222 for an encrypted connection"
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    # The text may hold a password and is therefore not repeated.
    if not is_usable or parts.scheme not in {"nats", "tls"} or parts.path.strip("/") or parts.query:
        raise SettingsError("OH_RELAY", f"The address of NATS {example}.")
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _credentials(values: Mapping[str, str]) -> tuple[str, str, str, Path | None]:
    user, password = values.get(USER_NAME, ""), values.get(PASSWORD_NAME, "")
    token, file = values.get(TOKEN_NAME, ""), values.get(CREDENTIALS_NAME, "")
    if sum(map(bool, (user or password, token, file))) > 1:
        raise SettingsError(
            USER_NAME,
            f"Set only one of {USER_NAME} with {PASSWORD_NAME}, {TOKEN_NAME} and {CREDENTIALS_NAME}.",
        )
    if bool(user) != bool(password):
        raise SettingsError(USER_NAME, f"Set both {USER_NAME} and {PASSWORD_NAME}, or neither.")
    return user, password, token, _credentials_file(Path(file)) if file else None


def _credentials_file(path: Path) -> Path:
    if find_spec("nkeys") is None:
        raise MissingDependency("nkeys", "relay")
    try:
        content, _ = read_file(path, most_bytes=_CREDENTIALS_MAX_BYTES)
    except UnreadableFile as error:
        raise SettingsError(CREDENTIALS_NAME, f"{CREDENTIALS_NAME}: {error}") from None
    if not all(line in content for line in _CREDENTIALS_HAVE):
        raise SettingsError(CREDENTIALS_NAME, f"{CREDENTIALS_NAME}: {path} is not a NATS credentials file.")
    return path.absolute()


def _tls(values: Mapping[str, str], *, wanted: bool) -> ssl.SSLContext | None:
    authority, certificate = values.get(CA_NAME), values.get(CERTIFICATE_NAME)
    if not (wanted or authority or certificate):
        return None
    name = CA_NAME
    try:
        context = ssl.create_default_context(cafile=authority)
        name = CERTIFICATE_NAME
        if certificate:
            context.load_cert_chain(certificate, values.get(KEY_NAME))
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(name, f"{name} cannot be used: {error.strerror or error}.") from None
    return context


async def connect_to_nats(
    options: NatsOptions,
    name: str,
    *,
    retries: bool = True,
    on_error: Callable[[str], object] = lambda _words: None,
    on_disconnect: Callback | None = None,
    on_reconnect: Callback | None = None,
    on_closed: Callback | None = None,
) -> Client:
    """Return a connected client of NATS.

    Args:
        options: The servers and credentials.
        name: The client's name in the server's own lists.
        retries: True to retry forever, including the first attempt; False to raise if that fails.
        on_error: Called with each error in words, without secrets.
        on_disconnect: Awaited when the connection is lost.
        on_reconnect: Awaited when it is back.
        on_closed: Awaited when the client has given up, for example because the credentials were revoked.

    Raises:
        NatsUnavailable: The connection failed, and `retries` is False.
    """
    import nats.errors  # noqa: PLC0415 - of an extra

    while True:
        client = _make_client(must_encrypt=options.tls is not None)
        words: list[str] = []
        is_in = asyncio.Event()

        async def report(error: Exception, words: list[str] = words) -> None:
            words[:] = [describe_nats_error(error, options)]
            on_error(words[0])

        try:
            # A first attempt of nats-py's own that retries would hang after a failed TLS handshake.
            await client.connect(
                list(options.urls),
                name=name,
                inbox_prefix=options.inbox,
                error_cb=report,
                disconnected_cb=_once(is_in, on_disconnect),
                reconnected_cb=on_reconnect,
                closed_cb=_once(is_in, on_closed),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=_RECONNECT_SECONDS,  # type: ignore[arg-type]  # a float works as well
                connect_timeout=_CONNECT_SECONDS,
                ping_interval=_PING_SECONDS,
                user=options.user or None,
                password=options.password or None,
                token=options.token or None,
                user_credentials=None if options.credentials is None else str(options.credentials),
                tls=options.tls,
            )
        except (nats.errors.Error, OSError, *_SENT_NONSENSE) as error:
            if not isinstance(error, nats.errors.NoServersError):  # nothing was opened
                await _abandon(client)
            if not words:
                is_nonsense = isinstance(error, _SENT_NONSENSE) and not isinstance(error, OSError)
                words.append(_OTHER_SERVER if is_nonsense else describe_nats_error(error, options))
                on_error(words[0])
            if not retries:
                raise NatsUnavailable(f"NATS at {options.shown}: {words[0]}.") from None
            await asyncio.sleep(_RECONNECT_SECONDS)
        else:
            is_in.set()
            client.options |= {"allow_reconnect": retries, "max_reconnect_attempts": -1}
            return client


def has_jetstream(client: Client) -> bool:
    """Return whether the server that a client was last connected to has JetStream."""
    return bool(client._server_info.get("jetstream"))  # noqa: SLF001 - nats-py has no name for it


def _once(
    is_in: asyncio.Event, callback: Callable[[], Awaitable[None]] | None
) -> Callable[[], Awaitable[None]]:
    """Return a callback that does nothing until the client has once been connected."""

    async def call() -> None:
        if callback is not None and is_in.is_set():
            await callback()

    return call


async def _abandon(client: Client) -> None:
    """Close a client that is not connected; nats-py would wait forever after a failed TLS handshake."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_RECONNECT_SECONDS):
            await client.close()


def _make_client(*, must_encrypt: bool) -> Client:
    """Return a client that sends no credentials to a server without TLS if the user asked for TLS."""
    import nats.errors  # noqa: PLC0415 - of an extra
    from nats.aio.client import Client  # noqa: PLC0415 - of an extra

    class EncryptedClient(Client):
        # nats-py encrypts only if the server asks for it, whatever the URL says.
        def _connect_command(self) -> bytes:
            if not self._server_info.get("tls_required"):
                raise nats.errors.SecureConnWantedError
            return super()._connect_command()

    return EncryptedClient() if must_encrypt else Client()


def describe_nats_error(error: Exception, options: NatsOptions) -> str:
    """Return an error of a connection to NATS in words, without secrets."""
    import nats.errors  # noqa: PLC0415 - of an extra

    text, who = str(error).lower(), options.signs_in_with or "a client without credentials"
    denied = _DENIED.search(text)
    if denied is not None:
        verb = "publish" if denied[1] == "publish" else "subscribe"
        return f"{DENIED}this user may not {verb} to {options.hide(denied[2])}"
    if isinstance(error, nats.errors.SlowConsumerError):
        return (
            f"more arrives at {options.hide(error.subject)} than this process can handle; the rest is dropped"
        )
    if isinstance(error, nats.errors.AuthorizationError) or "authorization violation" in text:
        return f"{REFUSED} {who}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate cannot be verified: {options.hide(error.verify_message)}"
    known = {
        nats.errors.SecureConnWantedError: "the server does not offer TLS, so nothing was sent to it",
        # The refusal is lost if the server closes the connection before it was read.
        ConnectionResetError: f"NATS closed the connection; it may not accept {who}",
        ConnectionRefusedError: "nothing listens there",
        socket.gaierror: "there is no such host",
        UnicodeError: "there is no such host",
        TimeoutError: "the server does not answer",
    }
    if "info message" in text:
        return _OTHER_SERVER
    words = (words for kind, words in known.items() if isinstance(error, kind))
    return next(words, options.hide(str(error) or type(error).__name__))
