"""The address that the server listens on, and the addresses at which browsers reach it."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from options_helper.data.settings import is_loopback
from options_helper.errors import OptionsHelperError
from options_helper.launch.ports import DEFAULT_HOST

_ALL_ADDRESSES = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_TEST_NETWORK = ("192.0.2.1", 9)  # RFC 5737: documentation only, routed nowhere
_IS_UP = frozenset({http.client.OK, http.client.UNAUTHORIZED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One listening server.

    Attributes:
        public_url: Its address behind a proxy or under the name of its certificate; "" if there is none.
        certfile: Its certificate, and `keyfile` the key; None to serve without TLS.
    """

    host: str
    port: int
    public_url: str = ""
    certfile: Path | None = None
    keyfile: Path | None = None

    def check(self) -> None:
        """Raise an OptionsHelperError for options that cannot work together."""
        if self.public_url and not _is_plain(self.public_url):
            raise OptionsHelperError("--public-url must be an address such as https://desk.example/options.")
        if (self.certfile is None) != (self.keyfile is None):
            raise OptionsHelperError("--certfile and --keyfile belong together; one of them is missing.")
        for file in (self.certfile, self.keyfile):
            if file is not None and not file.is_file():
                raise OptionsHelperError(f"{file} is not a file.")

    @property
    def needs_login(self) -> bool:
        """True if other devices can reach the server, directly or through a proxy."""
        return bool(self.public_url) or not is_loopback(self.host)

    @property
    def is_encrypted(self) -> bool:
        """True if nothing that another device sends or reads crosses the network in the clear."""
        if self.certfile is not None:
            return True
        return is_loopback(self.host) and not self.public_url.startswith("http:")

    @property
    def base_path(self) -> str:
        """The path under which a proxy serves the page, such as "options"; "" if there is none."""
        return urlsplit(self.public_url).path.strip("/")

    @property
    def names(self) -> list[str]:
        """The host names that the server answers to; "*" stands for every address of this machine."""
        own = "*" if self.host in _ALL_ADDRESSES else self.host
        return list(dict.fromkeys(["localhost", DEFAULT_HOST, own, *filter(None, [self._public_name])]))

    @property
    def _public_name(self) -> str | None:
        return urlsplit(self.public_url).hostname

    @property
    def local_address(self) -> str:
        """The address at which this machine reaches the server."""
        return DEFAULT_HOST if self.host in _ALL_ADDRESSES else self.host

    @property
    def local_url(self) -> str:
        """The page's address for a browser on this machine."""
        return self._url(self.local_address)

    @property
    def shared_url(self) -> str:
        """The page's address for other devices."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return self._url(_network_address() if self.host in _ALL_ADDRESSES else self.host)

    def _url(self, address: str) -> str:
        scheme = "http" if self.certfile is None else "https"
        host = f"[{address}]" if ":" in address else address
        return f"{scheme}://{host}:{self.port}/{self.base_path}".rstrip("/")

    def answers(self) -> bool:
        """Return whether the server is up, even if it refuses this request because it requires a login."""
        connection = self._connect()
        path = f"/{self.base_path}/_stcore/health".replace("//", "/")
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status in _IS_UP
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self.certfile is None:
            return http.client.HTTPConnection(self.local_address, self.port, timeout=1.0)
        # The server is our own child on this machine, and its certificate names another host.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 - as above
        return http.client.HTTPSConnection(self.local_address, self.port, timeout=1.0, context=context)


def _is_plain(url: str) -> bool:
    """Return whether a URL is an address and a path, without user, query and fragment."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if the port is invalid
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    return is_web and not (parts.query or parts.fragment)


def _network_address() -> str:
    """Return this machine's address on its network, or loopback if it has none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_TEST_NETWORK)
        except OSError:
            return DEFAULT_HOST
        address: str = probe.getsockname()[0]
        return address
