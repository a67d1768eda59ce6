"""Keys, account and endpoints, read from the environment and an env file."""

from __future__ import annotations

import io
import ipaddress
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values

from options_helper.data.masking import mask
from options_helper.errors import MissingFile, SettingsError, UnreadableFile
from options_helper.files.reading import read_file

ENV_FILE = Path("config/alpaca.env")
_ENV_FILE_MAX_BYTES = 1_000_000

PAPER_URL = "https://paper-api.alpaca.markets"
LIVE_URL = "https://api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"
STREAM_URL = "wss://stream.data.alpaca.markets"

_UNENCRYPTED = ("http", "ws")

RATE_NAME = "OH_RISK_FREE_RATE"
KEY_NAMES = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")
_KEY = re.compile(r"[!-~]+")  # sent in an HTTP header
# Without a user or a query, and in ASCII, because letters of other alphabets can imitate Alpaca's name.
_PLAIN = re.compile(r"[A-Za-z]+://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?(/[A-Za-z0-9/._~-]*)?")
_NUMBERS = re.compile(r"[0-9.]+")

STOCK_FEEDS = ("iex", "sip", "delayed_sip", "boats", "overnight")
OVERNIGHT_FEEDS = frozenset({"boats", "overnight"})  # streamed at /v1beta1, not /v2
OPTIONS_FEEDS = ("indicative", "opra")
INDICATIVE_QUOTE_LIMIT = 200  # the Basic plan's websocket limit, Alpaca's "About Market Data API"


class Account(StrEnum):
    """The kind of account; DEMO means a loopback host."""

    PAPER = "paper"
    LIVE = "live"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class AlpacaSettings:
    """The keys and endpoints of one account, compared by value; the keys never appear in its repr.

    Attributes:
        trading_url: REST host of the account; its `/stream` is the trading stream.
        data_url: REST host of market data.
        stream_url: Websocket host of market data.
        account: Derived from the URL, the key's prefix, or the page's override.
    """

    key_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    account: Account = Account.PAPER
    trading_url: str = PAPER_URL
    data_url: str = DATA_URL
    stream_url: str = STREAM_URL
    stock_feed: str = "iex"
    options_feed: str = "indicative"

    @property
    def demo(self) -> bool:
        """True if the account is simulated on this machine."""
        return self.account is Account.DEMO

    @property
    def masked_key(self) -> str:
        """The key id with all but its first two and last two characters hidden."""
        return mask(self.key_id)

    def stock_stream_url(self, feed: str) -> str:
        """Return `{stream host}/v2/{feed}`, or `/v1beta1/{feed}` for a feed of overnight trading."""
        return f"{self.stream_url}/{'v1beta1' if feed in OVERNIGHT_FEEDS else 'v2'}/{feed}"

    def option_stream_url(self, feed: str) -> str:
        """Return `{stream host}/v1beta1/{feed}`."""
        return f"{self.stream_url}/v1beta1/{feed}"

    @property
    def trading_stream_url(self) -> str:
        """The trading host's `/stream` with ws or wss."""
        scheme, host, path, *_ = urlsplit(self.trading_url)
        return urlunsplit(("ws" if scheme == "http" else "wss", host, path.rstrip("/") + "/stream", "", ""))

    @property
    def foreign_hosts(self) -> tuple[str, ...]:
        """The hosts that are neither Alpaca's nor loopback; the page names them before Start."""
        hosts = (urlsplit(url).hostname or "" for url in (self.trading_url, self.data_url, self.stream_url))
        return tuple(dict.fromkeys(host for host in hosts if not _is_alpaca(host) and not is_loopback(host)))

    @property
    def unencrypted_hosts(self) -> tuple[str, ...]:
        """The foreign hosts that receive the keys unencrypted."""
        urls = [urlsplit(url) for url in (self.trading_url, self.data_url, self.stream_url)]
        plain = {url.hostname for url in urls if url.scheme in _UNENCRYPTED}
        return tuple(host for host in self.foreign_hosts if host in plain)

    def with_account(self, override: str) -> AlpacaSettings:
        """Return the settings with the page's override, "paper" or "live"; any other word changes nothing.

        The override only chooses between Alpaca's two hosts; a URL on another host stays as it is.
        """
        if override not in {Account.PAPER, Account.LIVE} or not self.can_override_account:
            return self
        account = Account(override)
        return replace(self, account=account, trading_url=PAPER_URL if account is Account.PAPER else LIVE_URL)

    @property
    def can_override_account(self) -> bool:
        """True if the trading URL is one of Alpaca's two hosts."""
        return self.trading_url in {PAPER_URL, LIVE_URL}


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_alpaca(host: str) -> bool:
    return host == "alpaca.markets" or host.endswith(".alpaca.markets")


def read_environment(env: Mapping[str, str] | None = None, *, env_file: Path = ENV_FILE) -> dict[str, str]:
    """Return the env file's variables, overridden by the environment's; a missing file has none.

    Empty values count as not set.

    Raises:
        SettingsError: The env file exists but cannot be read as text.
    """
    real = os.environ if env is None else env
    return _read_env_file(env_file) | {name: value for name, value in real.items() if value}


def _read_env_file(env_file: Path) -> dict[str, str]:
    try:
        content, _ = read_file(env_file, most_bytes=_ENV_FILE_MAX_BYTES)
        text = content.decode("utf-8-sig")
    except MissingFile:
        return {}
    except UnreadableFile as error:
        raise SettingsError("", str(error)) from None
    except UnicodeDecodeError:
        # Leave out the error's own text, which may quote the file.
        raise SettingsError("", f"{env_file} cannot be read; it must be a UTF-8 text file.") from None
    # Without interpolation, a "$" in a key stays a "$".
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value}


def load_settings(env: Mapping[str, str] | None = None, *, env_file: Path = ENV_FILE) -> AlpacaSettings:
    """Return the settings from the environment and `config/alpaca.env`.

    Raises:
        SettingsError: A key is missing, or a URL or feed is not valid.
    """
    values = read_environment(env, env_file=env_file)
    keys = [values.get(name, "").strip() for name in KEY_NAMES]
    missing = [name for name, key in zip(KEY_NAMES, keys, strict=True) if not key]
    if missing:
        raise SettingsError(
            missing[0],
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. "
            f"Set {'it' if len(missing) == 1 else 'them'} in the environment or in {env_file}, "
            "then try again.",
        )
    for name, key in zip(KEY_NAMES, keys, strict=True):
        if not _KEY.fullmatch(key):
            raise SettingsError(
                name, f"{name} contains characters that a key cannot have; copy it again from Alpaca."
            )
    trading_url = _url(values, "APCA_API_BASE_URL", ("http", "https"), "")
    account = _account(trading_url, keys[0], values.get("OH_REPLAY_ACCOUNT", ""))
    return AlpacaSettings(
        key_id=keys[0],
        secret_key=keys[1],
        account=account,
        trading_url=trading_url or (LIVE_URL if account is Account.LIVE else PAPER_URL),
        data_url=_url(values, "APCA_API_DATA_URL", ("http", "https"), DATA_URL),
        stream_url=_url(values, "APCA_API_STREAM_URL", ("ws", "wss"), STREAM_URL),
        stock_feed=_feed(values, "OH_ALPACA_STOCK_FEED", STOCK_FEEDS),
        options_feed=_feed(values, "OH_ALPACA_OPTIONS_FEED", OPTIONS_FEEDS),
    )


def _account(trading_url: str, key_id: str, replayed: str = "") -> Account:
    if not trading_url:
        return Account.LIVE if key_id.startswith("AK") else Account.PAPER
    if is_loopback(urlsplit(trading_url).hostname or ""):
        return Account(replayed) if replayed in set(Account) else Account.DEMO
    return Account.PAPER if "paper" in trading_url.lower() else Account.LIVE


def _url(values: Mapping[str, str], name: str, schemes: tuple[str, ...], default: str) -> str:
    url = values.get(name, default).strip().rstrip("/")
    if not url:
        return url
    if not _is_plain_url(url, schemes):
        raise SettingsError(
            name, f"{name} must be a URL such as {schemes[-1]}://host, without a user or a query."
        )
    scheme, host = urlsplit(url)[:2]
    if scheme in _UNENCRYPTED and _is_alpaca(host.partition(":")[0].lower()):
        raise SettingsError(name, f"{name} must begin with {schemes[-1]}://, so that the keys are encrypted.")
    # Alpaca's own examples include the version, which the routes here add themselves.
    return url.removesuffix("/v2") if name == "APCA_API_BASE_URL" else url


def _is_plain_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if _NUMBERS.fullmatch(host):
            ipaddress.IPv4Address(host)
        host.encode("idna").decode("idna")
    except ValueError:  # no client would accept it
        return False
    return bool(_PLAIN.fullmatch(url)) and parts.scheme in schemes and port != 0


def load_risk_free_rate(env: Mapping[str, str] | None = None, *, env_file: Path = ENV_FILE) -> float | None:
    """Return `OH_RISK_FREE_RATE`, a fraction per year, or None if it is not set.

    Raises:
        SettingsError: It is not a fraction from 0 to below 1, or the file cannot be read.
    """
    written = read_environment(env, env_file=env_file).get(RATE_NAME, "").strip()
    if not written:
        return None
    try:
        rate = float(written)
    except ValueError:
        rate = math.nan
    if not 0 <= rate < 1:
        raise SettingsError(
            RATE_NAME, f"{RATE_NAME} must be a fraction from 0 to below 1, such as 0.04 for 4 %."
        )
    return rate


def _feed(values: Mapping[str, str], name: str, feeds: tuple[str, ...]) -> str:
    feed = values.get(name, feeds[0]).strip().lower()
    if feed not in feeds:
        raise SettingsError(name, f"{name} must be one of: {', '.join(feeds)}.")
    return feed
