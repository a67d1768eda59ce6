"""The server's addresses follow from the launcher's options, and decide whether it asks for a login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from options_helper.errors import OptionsHelperError
from options_helper.launch import endpoint as module
from options_helper.launch.command import streamlit_command
from options_helper.launch.endpoint import Endpoint
from options_helper.launch.login_link import LOGIN_VARIABLE, LoginLinks

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested
CERTIFICATE = {"certfile": Path("c.pem"), "keyfile": Path("k.pem")}


@pytest.mark.parametrize(
    ("options", "login", "encrypted", "shared"),
    [
        ({"host": "127.0.0.1"}, False, True, "http://127.0.0.1:8501"),
        ({"host": "localhost"}, False, True, "http://localhost:8501"),
        ({"host": "::1"}, False, True, "http://[::1]:8501"),
        ({"host": "192.168.1.5"}, True, False, "http://192.168.1.5:8501"),
        ({"host": EVERYWHERE}, True, False, "http://10.0.0.7:8501"),
        ({"host": EVERYWHERE, **CERTIFICATE}, True, True, "https://10.0.0.7:8501"),
        (
            {"host": "127.0.0.1", "public_url": "https://desk.example/options/"},
            True,
            True,
            "https://desk.example/options",
        ),
        ({"host": "127.0.0.1", "public_url": "http://desk.example"}, True, False, "http://desk.example"),
        ({"host": EVERYWHERE, "public_url": "https://desk.example"}, True, False, "https://desk.example"),
    ],
)
def test_the_login_depends_on_the_address(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], login: bool, encrypted: bool, shared: str
) -> None:
    """An endpoint that other devices can reach requires a login, and is unencrypted without TLS."""
    monkeypatch.setattr(module, "_network_address", lambda: "10.0.0.7")
    endpoint = Endpoint(port=8501, **options)
    assert (endpoint.needs_login, endpoint.is_encrypted, endpoint.shared_url) == (login, encrypted, shared)
    assert bool(LoginLinks(endpoint).environment().get(LOGIN_VARIABLE)) == login
    assert bool(LoginLinks(endpoint).sentences()) == login


def test_the_server_learns_its_names_path_and_certificate() -> None:
    """The server's command line has the proxy's name and path, its own addresses, and TLS."""
    line = streamlit_command(
        Path("app.py"),
        Endpoint(host=EVERYWHERE, port=8501, public_url="https://desk.example/options", **CERTIFICATE),
    )
    assert {
        "--server.baseUrlPath=options",
        "--server.allowedHosts=desk.example",
        "--server.allowedHosts=*",
        "--server.sslCertFile=c.pem",
        "--server.sslKeyFile=k.pem",
    } <= set(line)


def test_tokens_never_show_in_a_repr() -> None:
    """The repr contains neither token."""
    links = LoginLinks(Endpoint(host=EVERYWHERE, port=8501))
    assert links.own != links.shared
    assert links.own not in repr(links)
    assert links.shared not in repr(links)


@pytest.mark.parametrize(
    "options",
    [
        {"public_url": "desk.example"},
        {"public_url": "https://me:secret@desk.example"},
        {"public_url": "https://desk.example?x=1"},
        {"public_url": "https://[x"},
        {"public_url": "https://desk.example:99999"},
        {"certfile": Path("c.pem")},
        {"keyfile": Path("k.pem")},
        {"certfile": Path("absent.pem"), "keyfile": Path("absent.key")},
    ],
    ids=repr,
)
def test_impossible_options_are_explained(options: dict[str, Any]) -> None:
    """Half a certificate, a missing file or an address without a scheme is refused before the start."""
    with pytest.raises(OptionsHelperError) as refused:
        Endpoint(host="127.0.0.1", port=8501, **options).check()
    assert "secret" not in str(refused.value)
