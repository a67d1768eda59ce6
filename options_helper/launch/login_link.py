"""The one-time links of a portal that other devices can reach, as the launcher prints them."""

from __future__ import annotations

import io
import secrets
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from options_helper.data.settings import read_environment
from options_helper.launch.endpoint import Endpoint

LOGIN_VARIABLE = "OPTIONS_HELPER_LOGIN"
ORIGIN_VARIABLE = "OPTIONS_HELPER_ORIGIN"
PASSWORD_VARIABLE = "OH_PASSWORD"  # noqa: S105 - a variable's name


def _new_token() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class LoginLinks:
    """Two tokens, each good for one login: for the browser on this machine, and for another device."""

    endpoint: Endpoint
    own: str = field(default_factory=_new_token, repr=False)
    shared: str = field(default_factory=_new_token, repr=False)

    @property
    def local_url(self) -> str:
        """The address for this machine's browser; it includes a token if a login is needed."""
        return (
            f"{self.endpoint.local_url}/login?token={self.own}" if self.is_needed else self.endpoint.local_url
        )

    @property
    def shared_url(self) -> str:
        """The address for another device, which includes a token."""
        return f"{self.endpoint.shared_url}/login?token={self.shared}"

    @property
    def is_needed(self) -> bool:
        """True if the server asks for a login."""
        return self.endpoint.needs_login

    def environment(self) -> dict[str, str]:
        """Return the variables that give the server its tokens and its password, if one is set.

        Raises:
            SettingsError: The env file cannot be read.
        """
        if not self.is_needed:
            return {}
        password = read_environment().get(PASSWORD_VARIABLE, "")
        return {
            LOGIN_VARIABLE: f"{self.own},{self.shared}",
            ORIGIN_VARIABLE: "{0.scheme}://{0.netloc}".format(urlsplit(self.endpoint.public_url)),
            PASSWORD_VARIABLE: password,
        }

    def sentences(self) -> list[str]:
        """Return the lines that the launcher prints: who can read the traffic, the link, and its QR code."""
        if not self.is_needed:
            return []
        said = [f"Log in from another device (once): {self.shared_url}", _qr_code(self.shared_url)]
        if not self.endpoint.is_encrypted:
            said.insert(
                0,
                "There is no TLS: anyone who can read this network's traffic can read the page, this link, "
                "the password and the login cookie. --certfile and --keyfile encrypt the traffic.",
            )
        return [sentence for sentence in said if sentence]


def _qr_code(text: str) -> str:
    """Return a QR code in block characters, or "" if the terminal cannot show them."""
    from qrcode.main import QRCode  # noqa: PLC0415 - an extra, needed here only

    code = QRCode(border=2)
    code.add_data(text)
    drawn = io.StringIO()
    code.print_ascii(out=drawn, invert=True)
    try:
        drawn.getvalue().encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return ""
    return drawn.getvalue().rstrip()
