"""Logins: one-time tokens, a password, signed cookies, and a limit on wrong passwords."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_network
from ipaddress import ip_address as parse_address

COOKIE_SECONDS = 7 * 24 * 3600
WRONG_TRIES = 5
WRONG_PASSWORDS_OF_ALL = 30
_WINDOW_SECONDS = 60.0


class Logins:
    """The unused tokens, the password, and the key that signs this process's cookies.

    Args:
        tokens: Each is good for one login.
        password: An alternative to the tokens; "" if there is none.
        clock: The current time in seconds.
    """

    def __init__(self, tokens: Iterable[str], password: str, clock: Callable[[], float] = time.time) -> None:
        self._tokens = [token.encode() for token in tokens if token]
        self._password = password.encode()
        self._clock = clock
        self._key = secrets.token_bytes(32)

    @property
    def has_password(self) -> bool:
        """True if a password is set."""
        return bool(self._password)

    def has(self, token: str) -> bool:
        """Return whether this token is unused."""
        return any(hmac.compare_digest(one, token.encode()) for one in self._tokens)

    def spend(self, token: str) -> bool:
        """Use up this token, and return whether it was unused."""
        found = [one for one in self._tokens if hmac.compare_digest(one, token.encode())]
        self._tokens = [one for one in self._tokens if one not in found]
        return bool(found)

    def is_password(self, word: str) -> bool:
        """Return whether this is the password."""
        return self.has_password and hmac.compare_digest(self._password, word.encode())

    def new_cookie(self) -> str:
        """Return a signed cookie that is valid until it expires or this process ends."""
        content = f"{int(self._clock()) + COOKIE_SECONDS}.{secrets.token_hex(16)}"
        return f"{content}.{self._sign(content)}"

    def accepts(self, cookie: str) -> bool:
        """Return whether this process signed the cookie and it has not expired."""
        content, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(content).encode(), signature.encode()):
            return False
        return int(content.partition(".")[0]) > self._clock()

    def _sign(self, content: str) -> str:
        return hmac.digest(self._key, content.encode(), "sha256").hex()


class WrongTries:
    """The wrong passwords of the last minute.

    Five from one client make that client wait; thirty in total make everyone wait. Links are too long to
    guess and are not counted, so nobody can lock the owner out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: deque[tuple[float, str]] = deque(maxlen=1000)

    def add(self, client: str) -> None:
        """Add a wrong password."""
        self._tries.append((self._clock(), _network(client)))

    def seconds_to_wait(self, client: str) -> int:
        """Return how long this client must wait, 0 if it may try now."""
        now = self._clock()
        while self._tries and self._tries[0][0] <= now - _WINDOW_SECONDS:
            self._tries.popleft()
        here = _network(client)
        own = [at for at, network in self._tries if network == here]
        limited = [(own, WRONG_TRIES), ([at for at, _ in self._tries], WRONG_PASSWORDS_OF_ALL)]
        free = [times[-most] + _WINDOW_SECONDS for times, most in limited if len(times) >= most]
        return int(max(free, default=now) - now) + 1 if free else 0


def _network(client: str) -> str:
    """Return a client's IPv4 address, or its IPv6 /64, because a device can use any address within that."""
    try:
        address = parse_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(address)
