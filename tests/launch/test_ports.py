"""The claim on a port, and its file."""

from __future__ import annotations

from options_helper.launch import ports
from options_helper.launch.own_folder import own_folder


def test_a_claimed_port_leaves_no_file() -> None:
    """The file that claims a port exists only while the launcher runs."""
    folder = own_folder()
    assert folder is not None
    port = 0  # any free one; no launcher claims it
    with ports.claimed_port("127.0.0.1", port):
        assert list(folder.glob(f"port-*-{port}"))
    assert not list(folder.glob(f"port-*-{port}"))
